import { type OperatorFunction } from 'rxjs'
import { type StreamRecord } from '../record.ts'
import { prefetchByKey } from '../topology/prefetch.ts'
import { currentScope } from '../topology/scope.ts'
import { type Table } from './table.ts'

/**
 * Looks up each record's key in a table and joins what is found; other records are dropped.
 *
 * Only the stream side triggers; a later change of the table does not (as in Kafka Streams).
 * Sharing the table's store puts both into one sub-topology and one co-partition group. A record
 * without a key is dropped and counted.
 *
 * @param table   co-partitioned, same key type; checked at start
 * @param joiner  pure; gets the table's value as of this record in timestamp order
 * @returns       at most one record per record, key unchanged
 * @example       orders$.pipe(joinTable(customers, (order, { name }) => ({ ...order, name })))
 */
export const joinTable = <K, A, B, W>(
  table: Table<K, B>,
  joiner: (left: A, right: B, key: K) => W,
): OperatorFunction<StreamRecord<K, A>, StreamRecord<K, W>> => {
  const scope = currentScope('joinTable')
  return (source) => {
    const out = scope.node<StreamRecord<K, W>>({ kind: 'join-table', stores: [table.store] })
    const rows = scope.open<Looked<K, B>>(out.node, table.store)
    scope.addPrefetch(prefetchByKey(out.node, rows))
    out.listen(source, (record) => {
      const { key } = record
      if (key === undefined) return scope.countDropped(out.node.name, 'nullKey')
      const right = rows.get(key)
      if (right !== undefined) out.emit(record.withValue(joiner(record.value, right, key)))
    })
    return out
  }
}

/** What both kinds of stores offer here. */
interface Looked<K, B> {
  get(key: K): B | undefined
  prefetch(keys: readonly K[]): void
}
