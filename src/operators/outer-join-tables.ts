import type { TableStore } from '../stores/table-store.ts'
import { currentScope } from '../topology/scope.ts'
import type { Table } from './table.ts'
import { joinTwoTables } from './table-table-join.ts'

/**
 * A table of the keys that at least one of two tables has.
 *
 * A change of either side is joined with the other side's latest value; the result is deleted when
 * both rows are gone.
 *
 * @param left    kept, or made of tables that are; same keys and partition count as `right`
 * @param right   kept, or made of tables that are
 * @param joiner  pure; gets `undefined` for the side without a row, never for both
 * @param store   keeps the result; without it a look-up is computed from both sides
 * @returns       a table; the time of a row is the later one of the sides that are there
 * @throws {TopologyError} STREAMS_TOPOLOGY_INVALID at build: a side cannot be looked up;
 *                STREAMS_NOT_COPARTITIONED at start: repartition one side
 * @example       const all = outerJoinTables(online, offline, (on, off) => (on ?? 0) + (off ?? 0))
 */
export const outerJoinTables = <K, A, B, W>(
  left: Table<K, A>,
  right: Table<K, B>,
  joiner: (left: A | undefined, right: B | undefined, key: K) => W,
  store?: TableStore<K, W>,
): Table<K, W> =>
  joinTwoTables<K, A, B, W>(currentScope('outerJoinTables'), {
    kind: 'table-outer-join',
    left,
    right,
    store,
    join: (a, b, key) => joiner(a, b, key),
  })
