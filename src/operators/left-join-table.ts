import type { OperatorFunction } from 'rxjs'
import type { StreamRecord } from '../record.ts'
import type { WaitingStore } from '../stores/waiting-store.ts'
import { currentScope } from '../topology/scope.ts'
import { joinStreamWithTable } from './stream-table-join.ts'
import type { Table } from './table.ts'

/**
 * As `joinTable`, but no record is lost: without a row in the table it is joined with `undefined`.
 *
 * A record without a key is joined with `undefined` too, and stays without a key; with a waiting
 * store it does not wait (Kafka Streams stops with a NullPointerException). A record without a
 * value is dropped and counted.
 *
 * @param table    kept in a store; co-partitioned, same key type; checked at start
 * @param joiner   pure; gets the table's value as of this record, or `undefined`
 * @param waiting  holds records back for its `graceMs`; the table must be versioned
 * @returns        one record per record, key, time and headers unchanged
 * @throws {TopologyError} STREAMS_TOPOLOGY_INVALID at build: the table cannot be looked up as
 *                         needed
 * @example        orders$.pipe(leftJoinTable(customers, (order, who) => ({ order, who })))
 */
export const leftJoinTable = <K, A, B, W>(
  table: Table<K, B>,
  joiner: (left: A, right: B | undefined, key: K) => W,
  waiting?: WaitingStore<K, A>,
): OperatorFunction<StreamRecord<K, A | undefined>, StreamRecord<K, W>> => {
  const scope = currentScope('leftJoinTable')
  return (source) =>
    joinStreamWithTable<K, A, B, W>(scope, source, {
      kind: 'left-join-table',
      table,
      waiting,
      join: joiner,
    })
}
