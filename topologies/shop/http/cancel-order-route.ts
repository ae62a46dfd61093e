/**
 * `DELETE /api/orders/{orderId}`: a cancellation, or a return of what is on its way or arrived.
 *
 * 1. Answered with 202 once the command is durable: what becomes of it, the order tells. 2. With
 * `If-Match` the decision is waited for, up to 5 s: of two that name one version one is refused
 * (412). 3. The same reason and version are the same command, however often it is sent.
 */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { isFinal, type OrderRow } from '../orders/order-row.ts'
import { ownReason } from '../personal/personal-fields.ts'
import { cancelCommandId } from '../shared/customer-commands.ts'
import { seenOf } from '../shared/seen-commands.ts'
import { cancelOrderDoc } from './docs/order-docs.ts'
import { tellReplayed } from './idempotency-keys.ts'
import { decisionWaitMs, ifMatchOf, versionPassed } from './if-match.ts'
import { knownOrder, type OrderSources, ownerOf } from './known-order.ts'
import { waitForRow } from './known-row.ts'
import { acceptedOrderReply } from './order-replies.ts'
import { pathId } from './path-id.ts'
import { problemKinds } from './problem-kinds.ts'
import { RouteProblem } from './route-problem.ts'

const query = Type.Object(
  { reason: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })) },
  { additionalProperties: false },
)

interface Route {
  readonly Params: { readonly orderId: string }
  readonly Querystring: { readonly reason?: string }
}

export const cancelOrderRoute = (server: FastifyInstance, sources: OrderSources): void => {
  server.delete<Route>(
    '/api/orders/:orderId',
    { schema: { querystring: query }, config: { doc: cancelOrderDoc } },
    (request, reply) => cancelOrder(sources, request, reply),
  )
}

const cancelOrder = async (
  sources: OrderSources,
  request: FastifyRequest<Route>,
  reply: FastifyReply,
): Promise<FastifyReply> => {
  const ifVersion = ifMatchOf(request)
  const orderId = pathId(request.params.orderId, 'order')
  const found = await knownOrder(sources, orderId, 0)
  const row = found === 'received' ? undefined : found.row
  if (ifVersion === undefined) checkGoesOn(row)
  const given = { reason: request.query.reason ?? ownReason }
  const { access } = sources
  const { reason } = await access.personal.sealed(await ownerOf(sources, orderId, found), given)
  if (ifVersion === undefined) {
    await access.cancelOrder(orderId, { reason })
    return acceptedOrderReply(reply, orderId)
  }
  const cancellation = { reason, ifVersion }
  const commandId = cancelCommandId(orderId, cancellation)
  const isDecided = (each: OrderRow): boolean => seenOf(each, commandId) !== undefined
  if (row !== undefined && isDecided(row)) {
    checkFollowed(row, commandId, ifVersion)
    tellReplayed(reply)
    return acceptedOrderReply(reply, orderId)
  }
  checkGoesOn(row)
  await access.cancelOrder(orderId, cancellation)
  const find = () => access.findOrder(orderId)
  const decided = await waitForRow(find, { waitMs: decisionWaitMs, isEnough: isDecided })
  if (decided !== undefined) checkFollowed(decided.row, commandId, ifVersion)
  return acceptedOrderReply(reply, orderId)
}

/** @throws {RouteProblem} 409: there is nothing left to cancel or to return */
const checkGoesOn = (row: OrderRow | undefined): void => {
  if (row === undefined || !isFinal(row) || row.status === 'completed') return
  throw new RouteProblem(problemKinds.orderEnded, `Order ${row.orderId} is ${row.status} already.`)
}

/** @throws {RouteProblem} 412: another change of that version came first */
const checkFollowed = (row: OrderRow, commandId: string, ifVersion: number): void => {
  if (seenOf(row, commandId)?.refusal !== undefined) throw versionPassed(ifVersion, row.version)
}
