import type { OperatorFunction } from 'rxjs'
import type { StreamRecord } from '../record.ts'
import { currentScope } from '../topology/scope.ts'

/**
 * Lets records pass for which the predicate holds.
 *
 * Name and shape are those of RxJS's filter on purpose: changing the import is the migration, and
 * gives a node at half the cost. No index is passed, since that would be state in memory.
 *
 * @param predicate  pure and synchronous; its throw fails the record; a type guard narrows
 * @returns          a subset of the same record objects
 * @example          orders$.pipe(filter(({ value }) => value.status === 'PLACED'))
 */
export function filter<K, V, W extends V>(
  predicate: (record: StreamRecord<K, V>) => record is StreamRecord<K, W>,
): OperatorFunction<StreamRecord<K, V>, StreamRecord<K, W>>
export function filter<K, V>(
  predicate: (record: StreamRecord<K, V>) => boolean,
): OperatorFunction<StreamRecord<K, V>, StreamRecord<K, V>>
export function filter<K, V>(
  predicate: (record: StreamRecord<K, V>) => boolean,
): OperatorFunction<StreamRecord<K, V>, StreamRecord<K, V>> {
  const scope = currentScope('filter')
  return (source) => {
    const out = scope.node<StreamRecord<K, V>>({ kind: 'filter' })
    out.listen(source, (record) => {
      if (predicate(record)) out.emit(record)
    })
    return out
  }
}
