import { currentScope } from '../topology/scope.ts'
import { type ForeignKey, joinByForeignKey } from './foreign-key-join.ts'
import type { Table } from './table.ts'

/**
 * As `joinTablesByForeignKey`, but every left row has a result.
 *
 * A left row without a foreign key, or whose foreign key names no row, is joined with `undefined`.
 *
 * @param left    kept in a store (or filtered from one that is): what it replaces must be known
 * @param right   kept in a store; its key is the foreign key
 * @param on      the store of the join, the function that finds the foreign key, and where to keep
 *                the result
 * @param joiner  pure; gets `undefined` where there is no right row
 * @returns       a table by the left key; to look it up, give it a store
 * @throws {TopologyError} STREAMS_TOPOLOGY_INVALID at build: a side is not kept
 * @example       leftJoinTablesByForeignKey(orders, coupons, { by: orderCoupon, keyOf: (order) =>
 *                  order.coupon }, (order, coupon) => ({ ...order, coupon }))
 */
export const leftJoinTablesByForeignKey = <K, A, FK, B, W>(
  left: Table<K, A>,
  right: Table<FK, B>,
  on: ForeignKey<K, A, FK, B, W>,
  joiner: (left: A, right: B | undefined, key: K) => W,
): Table<K, W> =>
  joinByForeignKey<K, A, FK, B, W>(currentScope('leftJoinTablesByForeignKey'), {
    ...on,
    left,
    right,
    isLeft: true,
    join: (a, b, key) => joiner(a, b, key),
  })
