import type { MonoTypeOperatorFunction } from 'rxjs'
import type { StreamRecord } from '../record.ts'
import type { DistinctStore } from '../stores/distinct-store.ts'
import { currentScope } from '../topology/scope.ts'

/**
 * Lets the first record of each id pass and drops those that repeat it.
 *
 * A record repeats another if both have one id and lie at most `withinMs` apart in event time,
 * whichever was first. What is so late that its first may be forgotten is dropped and counted, as
 * a windowed operator does, rather than let through twice.
 *
 * @param store  of ids; the node is named after it
 * @param idOf   pure; equal ids must lie in one partition, so it is the key or says more than it
 * @returns      the same record objects; those without an id are dropped and counted
 * @example      orders$.pipe(distinctBy(seenOrders, ({ value }) => value.requestId))
 */
export const distinctBy = <K, V, I>(
  store: DistinctStore<I>,
  idOf: (record: StreamRecord<K, V>) => I | undefined,
): MonoTypeOperatorFunction<StreamRecord<K, V>> => {
  const scope = currentScope('distinctBy')
  const { name } = store
  return (source) => {
    const out = scope.node<StreamRecord<K, V>>({ kind: 'distinct-by', name, stores: [store] })
    const rows = scope.open(out.node, store)
    scope.addPrefetch({
      node: out.node,
      reads: 'record',
      run: (records) => rows.prefetch(records.flatMap((record) => idOf(record as never) ?? [])),
    })
    out.listen(source, (record) => {
      const id = idOf(record)
      if (id === undefined) return scope.countDropped(name, 'nullKey')
      const verdict = rows.pass(id, record.timestampMs)
      if (verdict === 'first') out.emit(record)
      else scope.countDropped(name, verdict)
    })
    return out
  }
}
