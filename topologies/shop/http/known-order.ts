/**
 * What can be said of an order now: its row, that it was accepted, or that it cannot be known.
 *
 * Used by the routes of orders, and by those of what belongs to one.
 */

import type { OrderRow } from '../orders/order-row.ts'
import type { PersonalOwner } from '../personal/personal-data.ts'
import type { AcceptedOrders } from './accepted-orders.ts'
import { behind, behindWaitMs, type Known, knownRow, withRow } from './known-row.ts'
import type { OrderWatch } from './order-watch.ts'
import { problemKinds } from './problem-kinds.ts'
import type { ShopHost } from './shop-access.ts'

export type KnownOrder = Known<OrderRow>

export interface OrderSources {
  readonly access: ShopHost
  readonly accepted: AcceptedOrders
  readonly watch: OrderWatch
}

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
  if ((await accepted.find(orderId)) === undefined) return processedOrder(access, orderId)
  const now = withRow(await access.findOrder(orderId))
  return now ?? (await watch.next({ orderId, version: 0, waitMs })) ?? 'received'
}

/**
 * Whose order it is, also of one that is only `received`.
 *
 * @throws {RouteProblem} 503: what was accepted is forgotten meanwhile; the row will be there soon
 */
export const ownerOf = async (
  { accepted }: Pick<OrderSources, 'accepted'>,
  orderId: string,
  found: KnownOrder | 'received',
): Promise<PersonalOwner> => {
  const body = found === 'received' ? await accepted.find(orderId) : found.row
  if (body === undefined) throw behind()
  return { customerId: body.customerId, orderId }
}

/**
 * The order's row, if need be once what was written about it before is processed.
 *
 * @throws {RouteProblem} 404: there is none; 503: cannot be known yet
 */
export const processedOrder = (access: ShopHost, orderId: string): Promise<KnownOrder> =>
  knownRow(
    () => access.findOrder(orderId),
    () => access.settledOrder(orderId, behindWaitMs),
    { name: `order ${orderId}`, unknown: problemKinds.noSuchOrder },
  )
