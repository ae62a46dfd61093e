import { currentScope } from '../topology/scope.ts'
import { type ForeignKey, joinByForeignKey } from './foreign-key-join.ts'
import type { Table } from './table.ts'

/**
 * Joins each row of the left table with the row of the right one that it names.
 *
 * The tables need neither the same key nor the same partition count: each change of a left row asks
 * through an internal topic, each change of a right row answers all left rows that name it. The
 * result follows either side after a hop, so it is not of the same instant as its inputs.
 *
 * A left row that is deleted, or whose new foreign key names no row, deletes the result: wherever
 * it named a key before, even if nothing had been joined (as in Kafka Streams).
 *
 * @param left    kept in a store (or filtered from one that is): what it replaces must be known
 * @param right   kept in a store; its key is the foreign key
 * @param on      the store of the join, the function that finds the foreign key, and where to keep
 *                the result
 * @param joiner  pure
 * @returns       a table by the left key; to look it up, give it a store
 * @throws {TopologyError} STREAMS_TOPOLOGY_INVALID at build: a side is not kept
 * @example       joinTablesByForeignKey(orders, customers, { by: orderCustomer, keyOf: (order) =>
 *                  order.customerId }, (order, { name }) => ({ ...order, name }))
 */
export const joinTablesByForeignKey = <K, A, FK, B, W>(
  left: Table<K, A>,
  right: Table<FK, B>,
  on: ForeignKey<K, A, FK, B, W>,
  joiner: (left: A, right: B, key: K) => W,
): Table<K, W> =>
  joinByForeignKey<K, A, FK, B, W>(currentScope('joinTablesByForeignKey'), {
    ...on,
    left,
    right,
    isLeft: false,
    join: (a, b, key) => joiner(a, b as B, key),
  })
