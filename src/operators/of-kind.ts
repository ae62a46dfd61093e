import type { OperatorFunction } from 'rxjs'
import type { StreamRecord } from '../record.ts'
import { currentScope } from '../topology/scope.ts'

/**
 * Keeps the named members of a tagged union and narrows the type to them.
 *
 * @param kinds  at least one; a kind that the union lacks is a compile error
 * @returns      the same record objects, typed `Extract<V, { kind: … }>`
 * @example      settlements$.pipe(ofKind('expired', 'short'))
 */
export const ofKind = <K, V extends { readonly kind: string }, const T extends V['kind']>(
  ...kinds: readonly [T, ...T[]]
): OperatorFunction<StreamRecord<K, V>, StreamRecord<K, Extract<V, { readonly kind: T }>>> => {
  const scope = currentScope('ofKind')
  const wanted: ReadonlySet<string> = new Set(kinds)
  type Narrowed = StreamRecord<K, Extract<V, { readonly kind: T }>>
  return (source) => {
    const out = scope.node<Narrowed>({ kind: 'of-kind' })
    out.listen(source, (record) => {
      if (wanted.has(record.value.kind)) out.emit(record as unknown as Narrowed)
    })
    return out
  }
}
