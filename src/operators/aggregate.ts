import { type OperatorFunction } from 'rxjs'
import { type StreamRecord } from '../record.ts'
import { type KeyValueStore } from '../stores/key-value-store.ts'
import { prefetchByKey } from '../topology/prefetch.ts'
import { currentScope } from '../topology/scope.ts'

/**
 * Folds the records of each key into one stored value.
 *
 * The node is named after its store. Every update is emitted; the commit, not a cache, decides
 * what reaches the changelog. A record without a key is dropped and counted.
 *
 * @param store    key and aggregate serdes; readable through interactive queries
 * @param initial  called for a key without value
 * @param fold     pure; returns a new value and never changes the old one in place
 * @returns        the new aggregate, with the timestamp and headers of the record that caused it
 * @example        payments$.pipe(aggregate(totals, () => 0, (sum, { cents }) => sum + cents))
 */
export const aggregate = <K, V, A>(
  store: KeyValueStore<K, A>,
  initial: () => A,
  fold: (aggregate: A, value: V, key: K) => A,
): OperatorFunction<StreamRecord<K, V>, StreamRecord<K, A>> => {
  const scope = currentScope('aggregate')
  const { name } = store
  return (source) => {
    const out = scope.node<StreamRecord<K, A>>({ kind: 'aggregate', name, stores: [store] })
    const rows = scope.open(out.node, store)
    scope.addPrefetch(prefetchByKey(out.node, rows))
    out.listen(source, (record) => {
      const { key, value } = record
      if (key === undefined) return scope.countDropped(name, 'nullKey')
      const stored = rows.get(key)
      const updated = fold(stored === undefined ? initial() : stored, value, key)
      rows.put(key, updated)
      out.emit(record.withValue(updated))
    })
    return out
  }
}
