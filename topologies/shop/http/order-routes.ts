/**
 * `/api/orders`: place, look at, follow and cancel orders.
 *
 * 1. A POST is accepted (202) once its command is durable; `?wait=ms` waits for the outcome. 2. The
 * order id is the body's, or derived from Idempotency-Key, so a retry is the same order. 3. Another
 * body under an id in use is refused (422).
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { isFinal, type OrderRow } from '../orders/order-row.ts'
import { bodyHash } from '../shared/body-hash.ts'
import { shopNamespace, uuidV5, uuidV7 } from '../shared/ids.ts'
import { createOrderCommand, parseOrderRequest } from '../shared/order-request.ts'
import { orderView } from './order-view.ts'
import { RouteProblem } from './route-problem.ts'
import { type ShopAccess } from './shop-access.ts'

const waitMsMax = 30_000
const pollMs = 20
const keyLengthMax = 255

const params = Type.Object({ orderId: Type.String({ minLength: 1, maxLength: 200 }) })
const postQuery = Type.Object(
  { wait: Type.Optional(Type.Integer({ minimum: 0, maximum: waitMsMax })) },
  { additionalProperties: false },
)
const deleteQuery = Type.Object(
  { reason: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })) },
  { additionalProperties: false },
)

interface OrderParams {
  readonly orderId: string
}

export const orderRoutes = (server: FastifyInstance, access: ShopAccess): void => {
  server.post<{ Querystring: { wait?: number } }>(
    '/api/orders',
    { schema: { querystring: postQuery } },
    (request, reply) => placeOrder(access, request, reply),
  )
  server.get<{ Params: OrderParams }>(
    '/api/orders/:orderId',
    { schema: { params } },
    async (request, reply) => sendOrder(reply, request, await known(access, request.params)),
  )
  server.get<{ Params: OrderParams }>(
    '/api/orders/:orderId/history',
    { schema: { params } },
    async ({ params: { orderId } }) => {
      const history = await access.history(orderId)
      if (history === undefined) throw unknownOrder(orderId)
      return history
    },
  )
  server.delete<{ Params: OrderParams; Querystring: { reason?: string } }>(
    '/api/orders/:orderId',
    { schema: { params, querystring: deleteQuery } },
    async (request, reply) => {
      const { orderId } = request.params
      const row = await known(access, request.params)
      if (isFinal(row) && row.status !== 'completed') {
        throw new RouteProblem(409, `Order ${orderId} is ${row.status} already.`)
      }
      await access.cancelOrder(orderId, request.query.reason ?? 'customer')
      return accepted(reply, orderId)
    },
  )
}

const placeOrder = async (
  access: ShopAccess,
  request: FastifyRequest<{ Querystring: { wait?: number } }>,
  reply: FastifyReply,
): Promise<FastifyReply> => {
  const parsed = parseOrderRequest(request.body)
  if (!parsed.ok) {
    throw new RouteProblem(400, 'The order does not match its schema.', parsed.problems)
  }
  const orderId = parsed.value.orderId ?? orderIdOf(request)
  const before = await access.order(orderId)
  if (before !== undefined) {
    const { data } = createOrderCommand(parsed.value, {
      orderId,
      nowMs: before.createdAtMs,
      source: 'http',
    })
    if (bodyHash(data) !== before.createHash) {
      throw new RouteProblem(422, `Order ${orderId} exists with another body.`)
    }
  } else {
    await access.placeOrder(orderId, parsed.value)
  }
  const { wait = 0 } = request.query
  const row = await outcome(access, orderId, wait)
  return row === undefined ? accepted(reply, orderId) : sendOrder(reply, request, row)
}

const orderIdOf = ({ headers }: FastifyRequest): string => {
  const key = headers['idempotency-key']
  if (key === undefined) return uuidV7(Date.now())
  if (typeof key === 'string' && key.length > 0 && key.length <= keyLengthMax) {
    return uuidV5(shopNamespace, `order:${key}`)
  }
  throw new RouteProblem(400, `Idempotency-Key must have 1 to ${keyLengthMax} characters.`)
}

/** The row once it is final; undefined if it is not within the time. */
const outcome = async (
  access: ShopAccess,
  orderId: string,
  waitMs: number,
): Promise<OrderRow | undefined> => {
  const endMs = performance.now() + waitMs
  while (performance.now() < endMs) {
    const row = await access.order(orderId)
    if (row !== undefined && isFinal(row)) return row
    await sleep(pollMs)
  }
  return undefined
}

const known = async (access: ShopAccess, { orderId }: OrderParams): Promise<OrderRow> => {
  const row = await access.order(orderId)
  if (row === undefined) throw unknownOrder(orderId)
  return row
}

const unknownOrder = (orderId: string): RouteProblem =>
  new RouteProblem(404, `There is no order ${orderId} (yet).`)

const accepted = (reply: FastifyReply, orderId: string): FastifyReply =>
  reply
    .code(202)
    .header('location', `/api/orders/${encodeURIComponent(orderId)}`)
    .send({ orderId, status: 'accepted' })

const sendOrder = (reply: FastifyReply, request: FastifyRequest, row: OrderRow): FastifyReply => {
  const etag = `"${row.version}"`
  reply.header('etag', etag)
  if (request.method === 'GET' && request.headers['if-none-match'] === etag) {
    return reply.code(304).send()
  }
  return reply
    .header('location', `/api/orders/${encodeURIComponent(row.orderId)}`)
    .send(orderView(row))
}
