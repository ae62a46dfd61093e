import type { TableStore } from '../stores/table-store.ts'
import { currentScope } from '../topology/scope.ts'
import type { Table } from './table.ts'
import { joinTwoTables } from './table-table-join.ts'

/**
 * A table of all keys of the left table, with what the right one has for them, if anything.
 *
 * A change of either side is joined with the other side's latest value; a deletion of the left row
 * deletes the result, one of the right row joins it with `undefined`.
 *
 * @param left    kept, or made of tables that are; same keys and partition count as `right`
 * @param right   kept, or made of tables that are
 * @param joiner  pure; gets `undefined` where the right table has no row
 * @param store   keeps the result; without it a look-up is computed from both sides
 * @returns       a table; the time of a row is the later one of the sides that are there
 * @throws {TopologyError} STREAMS_TOPOLOGY_INVALID at build: a side cannot be looked up;
 *                STREAMS_NOT_COPARTITIONED at start: repartition one side
 * @example       const sheet = leftJoinTables(products, stock, (p, s) => ({ ...p, left: s ?? 0 }))
 */
export const leftJoinTables = <K, A, B, W>(
  left: Table<K, A>,
  right: Table<K, B>,
  joiner: (left: A, right: B | undefined, key: K) => W,
  store?: TableStore<K, W>,
): Table<K, W> =>
  joinTwoTables<K, A, B, W>(currentScope('leftJoinTables'), {
    kind: 'table-left-join',
    left,
    right,
    store,
    join: (a, b, key) => joiner(a as A, b, key),
  })
