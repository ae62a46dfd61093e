/** How an order is answered with: as accepted, or as it is, with its version as ETag. */

import type { FastifyReply, FastifyRequest } from 'fastify'
import { tellSource } from './answer-source.ts'
import { isUnchanged } from './is-unchanged.ts'
import type { KnownOrder } from './known-order.ts'
import { orderView } from './order-view.ts'

/** The same request came before: nothing was done again. */
export const tellReplayed = (reply: FastifyReply): FastifyReply =>
  reply.header('idempotency-replayed', 'true')

const orderPath = (orderId: string): string => `/api/orders/${encodeURIComponent(orderId)}`

export const acceptedReply = (reply: FastifyReply, orderId: string): FastifyReply =>
  reply.code(202).header('location', orderPath(orderId)).send({ orderId, status: 'accepted' })

/** 304 if a GET has this version at hand. */
export const sendOrder = (
  reply: FastifyReply,
  request: FastifyRequest,
  { row, source }: KnownOrder,
): FastifyReply => {
  tellSource(reply, source)
  const etag = `"${row.version}"`
  reply.header('etag', etag)
  if (isUnchanged(request, etag)) return reply.code(304).send()
  return reply.header('location', orderPath(row.orderId)).send(orderView(row))
}
