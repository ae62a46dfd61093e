/**
 * What can be said of an order now: its row, that it was accepted, or that it cannot be known.
 *
 * Used by the routes of orders.
 */

import type { OrderRow } from '../orders/order-row.ts'
import type { AcceptedOrders } from './accepted-orders.ts'
import type { OrderWatch } from './order-watch.ts'
import { problemKinds } from './problem-kinds.ts'
import { RouteProblem } from './route-problem.ts'
import type { Found, ShopHost } from './shop-access.ts'

/** How long a request about an unknown order waits for what was written before it. */
const behindWaitMs = 2_000

export interface KnownOrder extends Found<OrderRow> {
  readonly row: OrderRow
}

export interface OrderSources {
  readonly access: ShopHost
  readonly accepted: AcceptedOrders
  readonly watch: OrderWatch
}

export const withRow = ({ row, source }: Found<OrderRow>): KnownOrder | undefined =>
  row === undefined ? undefined : { row, source }

/**
 * The order's row; `received` if its command is durable and the row not there within `waitMs`.
 *
 * @throws {RouteProblem} 404: there is none; 503: cannot be known yet
 */
export const knownOrder = async (
  { access, accepted, watch }: OrderSources,
  orderId: string,
  waitMs: number,
): Promise<KnownOrder | 'received'> => {
  const now = withRow(await access.findOrder(orderId))
  if (now !== undefined) return now
  if ((await accepted.find(orderId)) !== undefined) {
    return (await watch.next({ orderId, version: 0, waitMs })) ?? 'received'
  }
  const settled = await access.settledOrder(orderId, behindWaitMs)
  if (settled === undefined) {
    throw new RouteProblem(503, `Order ${orderId} is not known yet; the shop is behind, ask again.`)
  }
  const late = withRow(settled)
  if (late === undefined) {
    throw new RouteProblem(problemKinds.noSuchOrder, `There is no order ${orderId}.`)
  }
  return late
}
