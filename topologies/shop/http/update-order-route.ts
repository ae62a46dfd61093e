/**
 * `PUT /api/orders/{orderId}`: another address or other notes, until the goods are on their way.
 *
 * 1. The order's row remembers the commands that it followed: with `?wait=ms` the answer is the
 * order as it was changed. 2. Whether it still can be changed is decided by the stream; that an
 * order did not wait for the change is told as 409, if it is seen in time. 3. With `If-Match` the
 * decision is waited for, by default 5 s: of two changes of one version one is refused (412).
 */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { OrderRow } from '../orders/order-row.ts'
import { orderActions } from '../orders/transitions.ts'
import { bodyHash } from '../shared/body-hash.ts'
import { uuidV5, uuidV7 } from '../shared/ids.ts'
import { seenOf } from '../shared/seen-commands.ts'
import { type OrderChange, parseOrderChange } from '../shared/order-update.ts'
import { bodyOf } from './bodies.ts'
import { updateOrderDoc } from './docs/order-docs.ts'
import { type IdempotencyKeys, keyReused, tellReplayed } from './idempotency-keys.ts'
import { decisionWaitMs, ifMatchOf, versionPassed } from './if-match.ts'
import { type KnownOrder, knownOrder, type OrderSources, ownerOf } from './known-order.ts'
import { acceptedOrderReply, sendOrder } from './order-replies.ts'
import { waitForRow } from './known-row.ts'
import { pathId } from './path-id.ts'
import { problemKinds } from './problem-kinds.ts'
import { RouteProblem } from './route-problem.ts'
import { waitMsOf, type WaitQuery, waitQuery } from './wait-query.ts'

interface Sources extends OrderSources {
  readonly keys: IdempotencyKeys
}

type PutRequest = FastifyRequest<{ Params: { orderId: string }; Querystring: WaitQuery }>

export const updateOrderRoute = (server: FastifyInstance, sources: Sources): void => {
  server.put<{ Params: { orderId: string }; Querystring: WaitQuery }>(
    '/api/orders/:orderId',
    { schema: { querystring: waitQuery }, config: { doc: updateOrderDoc } },
    (request, reply) => {
      const orderId = pathId(request.params.orderId, 'order')
      return sources.keys.alone(request, `order:${orderId}`, (key) =>
        updateOrder(sources, { request, orderId, key }, reply),
      )
    },
  )
}

interface Update {
  readonly request: PutRequest
  readonly orderId: string
  readonly key: string | undefined
}

const updateOrder = async (
  sources: Sources,
  { request, orderId, key }: Update,
  reply: FastifyReply,
): Promise<FastifyReply> => {
  const ifVersion = ifMatchOf(request)
  const conditional = (fields: OrderChange) => ({
    ...fields,
    ...(ifVersion !== undefined && { ifVersion }),
  })
  const given = bodyOf(parseOrderChange(request.body), 'change')
  const { access, watch } = sources
  const commandId = uuidV5(orderId, `update:${key ?? uuidV7(Date.now())}`)
  const found = await knownOrder(sources, orderId, 0)
  const row = found === 'received' ? undefined : found.row
  const sealed = await access.personal.sealed(await ownerOf(sources, orderId, found), given)
  const change = conditional(sealed)
  const seen = row && seenOf(row, commandId)
  if (seen !== undefined) {
    // as it is written now, or was while nothing was sealed
    const hashes = [change, conditional(given)].map((each) => bodyHash({ orderId, ...each }))
    if (!hashes.includes(seen.hash)) throw keyReused(key ?? commandId)
    tellReplayed(reply)
    if (seen.refusal === undefined) return sendOrder(access, reply, request, found as KnownOrder)
    throw versionPassed(ifVersion ?? 'of the first request', row?.version)
  }
  if (row !== undefined && !isOpen(row)) throw frozen(row)
  await access.updateOrder(orderId, change, commandId)
  if (ifVersion !== undefined) return decided(sources, { request, orderId, commandId }, reply)
  const endMs = performance.now() + waitMsOf(request.query, 0)
  for (let version = row?.version ?? 0; ;) {
    const order = await watch.next({ orderId, version, waitMs: endMs - performance.now() })
    if (order === undefined) return acceptedOrderReply(reply, orderId)
    if (seenOf(order.row, commandId) !== undefined) return sendOrder(access, reply, request, order)
    if (!isOpen(order.row)) throw frozen(order.row)
    version = order.row.version
  }
}

/** Of a change that names its version; a refusal raises none, so the watch would not tell it. */
const decided = async (
  { access }: Sources,
  { request, orderId, commandId }: Omit<Update, 'key'> & { readonly commandId: string },
  reply: FastifyReply,
): Promise<FastifyReply> => {
  const order = await waitForRow(() => access.findOrder(orderId), {
    waitMs: waitMsOf(request.query, decisionWaitMs),
    isEnough: (row: OrderRow) => seenOf(row, commandId) !== undefined || !isOpen(row),
  })
  if (order === undefined) return acceptedOrderReply(reply, orderId)
  const seen = seenOf(order.row, commandId)
  if (seen === undefined) throw frozen(order.row)
  if (seen.refusal === undefined) return sendOrder(access, reply, request, order)
  throw versionPassed(ifMatchOf(request)!, order.row.version)
}

const isOpen = ({ status }: OrderRow): boolean => orderActions[status].UpdateOrder === 'update'

const frozen = ({ orderId, status }: OrderRow): RouteProblem =>
  new RouteProblem(
    problemKinds.orderFrozen,
    `Order ${orderId} is ${status}: it cannot be changed any more.`,
  )
