import type { OperatorFunction } from 'rxjs'
import type { StreamRecord } from '../record.ts'
import type { WaitingStore } from '../stores/waiting-store.ts'
import { currentScope } from '../topology/scope.ts'
import { joinStreamWithTable } from './stream-table-join.ts'
import type { Table } from './table.ts'

/**
 * Looks up each record's key in a table and joins what is found; other records are dropped.
 *
 * Only the stream side triggers; a later change of the table does not (as in Kafka Streams). A
 * table in a versioned store is read as of the record's own time. Sharing the table's store puts
 * both into one sub-topology and one co-partition group. A record without a key or a value is
 * dropped and counted.
 *
 * @param table    kept in a store; co-partitioned, same key type; checked at start
 * @param joiner   pure; gets the table's value as of this record in timestamp order
 * @param waiting  holds records back for its `graceMs`, so that updates of the table that come late
 *                 are seen; the table must be versioned
 * @returns        at most one record per record, key, time and headers unchanged
 * @throws {TopologyError} STREAMS_TOPOLOGY_INVALID at build: the table cannot be looked up as
 *                         needed
 * @example        orders$.pipe(joinTable(customers, (order, { name }) => ({ ...order, name })))
 */
export const joinTable = <K, A, B, W>(
  table: Table<K, B>,
  joiner: (left: A, right: B, key: K) => W,
  waiting?: WaitingStore<K, A>,
): OperatorFunction<StreamRecord<K, A | undefined>, StreamRecord<K, W>> => {
  const scope = currentScope('joinTable')
  return (source) =>
    joinStreamWithTable<K, A, B, W>(scope, source, {
      kind: 'join-table',
      table,
      waiting,
      join: (left, right, key) => joiner(left, right as B, key),
    })
}
