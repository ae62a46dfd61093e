/** How an order is answered with: as accepted, or as it is. */

import type { FastifyReply, FastifyRequest } from 'fastify'
import { acceptedReply } from './accepted-reply.ts'
import type { KnownOrder } from './known-order.ts'
import { orderView } from './order-view.ts'
import { rowReply } from './row-reply.ts'
import type { ShopHost } from './shop-access.ts'

const orderPath = (orderId: string): string => `/api/orders/${encodeURIComponent(orderId)}`

export const acceptedOrderReply = (reply: FastifyReply, orderId: string): FastifyReply =>
  acceptedReply(reply, orderPath(orderId), { orderId })

/** 304 if a GET has this version at hand. */
export const sendOrder = async (
  { personal }: Pick<ShopHost, 'personal'>,
  reply: FastifyReply,
  request: FastifyRequest,
  { row: stored, source }: KnownOrder,
): Promise<FastifyReply> => {
  const row = await personal.opened(stored)
  reply.header('location', orderPath(row.orderId))
  return rowReply(reply, request, { row, source }, orderView)
}
