/**
 * `PUT /api/orders/{orderId}`: another address or other notes, until the goods are on their way.
 *
 * 1. The order's row remembers the commands that it followed: with `?wait=ms` the answer is the
 * order as it was changed. 2. Whether it still can be changed is decided by the stream; that an
 * order did not wait for the change is told as 409, if it is seen in time.
 */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { OrderRow } from '../orders/order-row.ts'
import { orderActions } from '../orders/transitions.ts'
import { bodyHash } from '../shared/body-hash.ts'
import { uuidV5, uuidV7 } from '../shared/ids.ts'
import { parseOrderChange } from '../shared/order-update.ts'
import { bodyOf } from './bodies.ts'
import { updateOrderDoc } from './docs/order-docs.ts'
import { type IdempotencyKeys, keyReused, tellReplayed } from './idempotency-keys.ts'
import { checkIfMatch } from './if-match.ts'
import { type KnownOrder, knownOrder, type OrderSources, ownerOf } from './known-order.ts'
import { acceptedOrderReply, sendOrder } from './order-replies.ts'
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
  const given = bodyOf(parseOrderChange(request.body), 'change')
  const { access, watch } = sources
  const commandId = uuidV5(orderId, `update:${key ?? uuidV7(Date.now())}`)
  const found = await knownOrder(sources, orderId, 0)
  const row = found === 'received' ? undefined : found.row
  const change = await access.personal.sealed(await ownerOf(sources, orderId, found), given)
  const seen = row && followed(row, commandId)
  if (seen !== undefined) {
    // as it is written now, or was while nothing was sealed
    const hashes = [change, given].map((each) => bodyHash({ orderId, ...each }))
    if (!hashes.includes(seen.hash)) throw keyReused(key ?? commandId)
    return sendOrder(access, tellReplayed(reply), request, found as KnownOrder)
  }
  if (row !== undefined && !isOpen(row)) throw frozen(row)
  checkIfMatch(request, row?.version ?? 'unseen')
  await access.updateOrder(orderId, change, commandId)
  const endMs = performance.now() + waitMsOf(request.query, 0)
  for (let version = row?.version ?? 0; ;) {
    const order = await watch.next({ orderId, version, waitMs: endMs - performance.now() })
    if (order === undefined) return acceptedOrderReply(reply, orderId)
    if (followed(order.row, commandId) !== undefined)
      return sendOrder(access, reply, request, order)
    if (!isOpen(order.row)) throw frozen(order.row)
    version = order.row.version
  }
}

const followed = ({ seen }: OrderRow, commandId: string): { readonly hash: string } | undefined =>
  seen?.find((each) => each.commandId === commandId)

const isOpen = ({ status }: OrderRow): boolean => orderActions[status].UpdateOrder === 'update'

const frozen = ({ orderId, status }: OrderRow): RouteProblem =>
  new RouteProblem(
    problemKinds.orderFrozen,
    `Order ${orderId} is ${status}: it cannot be changed any more.`,
  )
