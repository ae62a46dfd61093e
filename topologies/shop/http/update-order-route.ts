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
import { updateOrderDoc } from './docs/order-docs.ts'
import { idempotencyKeyOf, type IdempotencyKeys, keyReused } from './idempotency-keys.ts'
import { checkIfMatch } from './if-match.ts'
import { type KnownOrder, knownOrder, type OrderSources } from './known-order.ts'
import { acceptedReply, sendOrder, tellReplayed } from './order-replies.ts'
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
      const key = idempotencyKeyOf(request)
      const place = `order:${orderId}:${key}`
      const body = JSON.stringify(request.body)
      const run = (): Promise<FastifyReply> =>
        updateOrder(sources, { request, orderId, key }, reply)
      return key === undefined ? run() : sources.keys.alone(key, { place, body }, run)
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
  const parsed = parseOrderChange(request.body)
  if (!parsed.ok) {
    throw new RouteProblem(400, 'The change does not match its schema.', parsed.problems)
  }
  const { access, watch } = sources
  const commandId = uuidV5(orderId, `update:${key ?? uuidV7(Date.now())}`)
  const found = await knownOrder(sources, orderId, 0)
  const row = found === 'received' ? undefined : found.row
  const hash = bodyHash({ orderId, ...parsed.value })
  const seen = row && followed(row, commandId)
  if (seen !== undefined && seen.hash !== hash) throw keyReused(key ?? commandId)
  if (seen !== undefined) return sendOrder(tellReplayed(reply), request, found as KnownOrder)
  if (row !== undefined && !isOpen(row)) throw frozen(row)
  checkIfMatch(request, row?.version ?? 'unseen')
  await access.updateOrder(orderId, parsed.value, commandId)
  const endMs = performance.now() + waitMsOf(request.query, 0)
  for (let version = row?.version ?? 0; ;) {
    const order = await watch.next({ orderId, version, waitMs: endMs - performance.now() })
    if (order === undefined) return acceptedReply(reply, orderId)
    if (followed(order.row, commandId) !== undefined) return sendOrder(reply, request, order)
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
