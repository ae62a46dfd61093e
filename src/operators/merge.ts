import type { Observable } from 'rxjs'
import type { StreamRecord } from '../record.ts'
import { currentScope } from '../topology/scope.ts'

/**
 * One stream of several with the same key.
 *
 * Shaped as RxJS's static merge, which is refused at build: it returns a cold Observable that
 * cannot be watched, so user steps behind it would run once per sink.
 *
 * @param others   of the same key type; co-partitioned if a store follows, checked at start
 * @returns        the same record objects in the order they are pushed; the value type is the union
 * @example        merge(orders$, cancellations$).pipe(to(audit))
 */
export const merge = <K, V, Vs extends readonly unknown[]>(
  first: Observable<StreamRecord<K, V>>, // apart, since a mapped tuple alone does not infer K
  ...others: { readonly [I in keyof Vs]: Observable<StreamRecord<K, Vs[I]>> }
): Observable<StreamRecord<K, V | Vs[number]>> => {
  type Merged = StreamRecord<K, V | Vs[number]>
  const out = currentScope('merge').node<Merged>({ kind: 'merge' })
  const sources: readonly Observable<Merged>[] = [
    first,
    ...(others as readonly Observable<Merged>[]),
  ]
  for (const source of sources) out.listen(source, (record) => out.emit(record))
  return out
}
