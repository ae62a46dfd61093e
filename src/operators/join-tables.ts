import type { TableStore } from '../stores/table-store.ts'
import { currentScope } from '../topology/scope.ts'
import type { Table } from './table.ts'
import { joinTwoTables } from './table-table-join.ts'

/**
 * A table of the keys that two tables both have, always up to date with either.
 *
 * A change of either side is joined with the other side's latest value; a deletion of either side
 * deletes the result. A deletion is passed on wherever the other side has a value, even if this
 * side never had one (as in Kafka Streams: an inner join does not look at what it replaces).
 *
 * @param left    kept, or made of tables that are; same keys and partition count as `right`
 * @param right   kept, or made of tables that are
 * @param joiner  pure; gets the latest values of both sides
 * @param store   keeps the result; without it a look-up is computed from both sides
 * @returns       a table; the time of a row is the later one of both sides
 * @throws {TopologyError} STREAMS_TOPOLOGY_INVALID at build: a side cannot be looked up;
 *                STREAMS_NOT_COPARTITIONED at start: repartition one side
 * @example       joinTables(products, prices, (product, price) => ({ product, price }))
 */
export const joinTables = <K, A, B, W>(
  left: Table<K, A>,
  right: Table<K, B>,
  joiner: (left: A, right: B, key: K) => W,
  store?: TableStore<K, W>,
): Table<K, W> =>
  joinTwoTables<K, A, B, W>(currentScope('joinTables'), {
    kind: 'table-join',
    left,
    right,
    store,
    join: (a, b, key) => joiner(a as A, b as B, key),
  })
