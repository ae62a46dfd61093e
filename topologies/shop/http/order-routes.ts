/**
 * `/api/orders`: place, look at, follow, change and cancel orders.
 *
 * 1. A POST is accepted (202) once its command is durable; `?wait=ms` waits for the outcome. 2. The
 * order id is the body's, or derived from Idempotency-Key, so a retry is the same order. 3. Another
 * body under an order id in use is refused (409), under a key in use too (422), also when the two
 * race. 4. An accepted order is known at once: seen as `received`, and it can be cancelled. 5. 404
 * means that everything written before was processed; if that takes too long the answer is 503.
 */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { isFinal } from '../orders/order-row.ts'
import { bodyHash } from '../shared/body-hash.ts'
import { shopNamespace, uuidV5, uuidV7 } from '../shared/ids.ts'
import { createHashOf, type ParsedOrder, parseOrderRequest } from '../shared/order-request.ts'
import { AcceptedOrders } from './accepted-orders.ts'
import { bodyOf } from './bodies.ts'
import { cancelOrderRoute } from './cancel-order-route.ts'
import { getOrderDoc, orderHistoryDoc, orderStreamDoc, placeOrderDoc } from './docs/order-docs.ts'
import { IdempotencyKeys, keyReused, tellReplayed } from './idempotency-keys.ts'
import { type KnownOrder, knownOrder, type OrderSources } from './known-order.ts'
import { lastEventId, OrderStreams } from './order-streams.ts'
import { acceptedOrderReply, sendOrder } from './order-replies.ts'
import { OrderWatch } from './order-watch.ts'
import { pathId } from './path-id.ts'
import { problemKinds } from './problem-kinds.ts'
import { RouteProblem } from './route-problem.ts'
import type { ShopHost } from './shop-access.ts'
import { unlessMoving } from './unless-moving.ts'
import { updateOrderRoute } from './update-order-route.ts'
import { waitMsOf, type WaitQuery, waitQuery } from './wait-query.ts'

/** How long a GET of an accepted order waits for its row. */
const receivedWaitMs = 1_000

interface OrderParams {
  readonly orderId: string
}

type PostRequest = FastifyRequest<{ Querystring: WaitQuery }>

interface Orders extends OrderSources {
  readonly keys: IdempotencyKeys
}

export const orderRoutes = (server: FastifyInstance, access: ShopHost): void => {
  const watch = new OrderWatch(access)
  const orders = { access, watch, accepted: new AcceptedOrders(), keys: new IdempotencyKeys() }
  server.post<{ Querystring: WaitQuery }>(
    '/api/orders',
    { schema: { querystring: waitQuery }, config: { doc: placeOrderDoc } },
    (request, reply) =>
      orders.keys.alone(request, 'orders', (key) => placeOrder(orders, { request, key }, reply)),
  )
  const look = { config: { doc: getOrderDoc } }
  server.get<{ Params: OrderParams }>('/api/orders/:orderId', look, async (request, reply) => {
    const orderId = pathId(request.params.orderId, 'order')
    const found = await knownOrder(orders, orderId, receivedWaitMs)
    return found === 'received'
      ? reply.send({ orderId, status: 'received' })
      : sendOrder(access, reply, request, found)
  })
  const story = { config: { doc: orderHistoryDoc } }
  server.get<{ Params: OrderParams }>('/api/orders/:orderId/history', story, async ({ params }) => {
    const orderId = pathId(params.orderId, 'order')
    const history = await access.history(orderId)
    if (history !== undefined) return history
    await knownOrder(orders, orderId, receivedWaitMs)
    return (await access.history(orderId)) ?? { events: [] }
  })
  streamRoute(server, orders)
  updateOrderRoute(server, orders)
  cancelOrderRoute(server, orders)
}

const streamRoute = (server: FastifyInstance, orders: Orders): void => {
  const streams = new OrderStreams(orders.watch, { personal: orders.access.personal })
  server.addHook('preClose', () => streams.close())
  server.get<{ Params: OrderParams }>(
    '/api/orders/:orderId/stream',
    { exposeHeadRoute: false, config: { doc: orderStreamDoc } },
    async (request, reply) => {
      const orderId = pathId(request.params.orderId, 'order')
      const version = lastEventId(request)
      const found = await knownOrder(orders, orderId, 0)
      const isSeen = found !== 'received' && isFinal(found.row) && found.row.version <= version
      return isSeen ? reply.code(204).send() : streams.send(reply, { orderId, version })
    },
  )
}

const placeOrder = async (
  orders: Orders,
  { request, key }: { readonly request: PostRequest; readonly key: string | undefined },
  reply: FastifyReply,
): Promise<FastifyReply> => {
  const { access, accepted, watch } = orders
  const order = bodyOf(parseOrderRequest(request.body), 'order')
  const orderId = await orderIdOf(orders, key, order)
  const { customerId } = order
  const sealed = await access.personal.sealed({ customerId, orderId }, order)
  const hash = createHashOf(orderId, sealed)
  const hashes = [hash, createHashOf(orderId, order)] // as sealed now, or made when nothing was
  const check = (otherHash: string): void => {
    if (!hashes.includes(otherHash)) throw orderIdInUse(orderId, key)
  }
  const before = await unlessMoving(access.order(orderId))
  const written =
    before === undefined
      ? await accepted.write(orderId, { hash, customerId }, () =>
          access.writeOrder(orderId, sealed),
        )
      : { hash: before.createHash, isNew: false }
  check(written.hash)
  const ended = await waitForEnd(watch, orderId, { waitMs: waitMsOf(request.query, 0), check })
  if (!written.isNew) tellReplayed(reply)
  return ended === undefined
    ? acceptedOrderReply(reply, orderId)
    : sendOrder(access, reply, request, ended)
}

interface Awaited {
  readonly waitMs: number
  /** Told the hash of the body that made the order. */
  check(createHash: string): void
}

/** The order once it has ended; undefined if it has not within the time. */
const waitForEnd = async (
  watch: OrderWatch,
  orderId: string,
  { waitMs, check }: Awaited,
): Promise<KnownOrder | undefined> => {
  const endMs = performance.now() + waitMs
  for (let version = 0; ;) {
    const order = await watch.next({ orderId, version, waitMs: endMs - performance.now() })
    if (order === undefined) return undefined
    check(order.row.createHash)
    if (isFinal(order.row)) return order
    version = order.row.version
  }
}

/** @throws {RouteProblem} 422: the key came with another body */
const orderIdOf = async (
  { access, accepted, keys }: Orders,
  key: string | undefined,
  order: ParsedOrder,
): Promise<string> => {
  if (key === undefined) return order.orderId ?? uuidV7(Date.now())
  const derivedId = uuidV5(shopNamespace, `order:${key}`)
  const { orderId = derivedId } = order
  if (orderId !== derivedId) {
    // the key alone may have made an order before, perhaps in another process
    const row = await unlessMoving(access.order(derivedId))
    const other = row ?? (await accepted.find(derivedId))
    if (other !== undefined) throw keyReused(key)
  }
  keys.bind(key, bodyHash(order))
  return orderId
}

const orderIdInUse = (orderId: string, key: string | undefined): RouteProblem =>
  key !== undefined && orderId === uuidV5(shopNamespace, `order:${key}`)
    ? keyReused(key)
    : new RouteProblem(
        problemKinds.orderIdInUse,
        `Order ${orderId} exists with another body; choose a new id.`,
      )
