/**
 * `/api/shipments`: see that an order ships, look at a shipment, tell where it is.
 *
 * 1. An order ships once, and asks for it itself when it is confirmed: a POST is the same command
 * again, so it does nothing unless that one was lost. 2. A PUT waits for the decision, by default
 * 5 s: 200 with the shipment, 409 for a status that cannot follow, 412 if the version is another
 * than If-Match names. Not decided by then: 202, with the place where the decision will be.
 * 3. Idempotency-Key names the update within its shipment. Decisions are read from the shipment's
 * row, for 24 hours.
 */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { OrderRow } from '../orders/order-row.ts'
import { shipmentOfOrder } from '../orders/shipment-of-order.ts'
import { bodyHash } from '../shared/body-hash.ts'
import { uuidV5, uuidV7 } from '../shared/ids.ts'
import type { SeenCommand } from '../shared/seen-commands.ts'
import { parseShipmentRequest, parseStatusRequest } from '../shared/shipment-request.ts'
import type { ShipmentRow } from '../shipments/shipment-row.ts'
import { tellSource } from './answer-source.ts'
import { bodyOf } from './bodies.ts'
import { IdempotencyKeys, idempotencyKeyOf, keyReused } from './idempotency-keys.ts'
import { ifMatchOf, tagOf, versionChanged } from './if-match.ts'
import { behindWaitMs, type Known, knownRow, waitForRow } from './known-row.ts'
import type { OfOrder } from './money-access.ts'
import { pathId } from './path-id.ts'
import { RouteProblem } from './route-problem.ts'
import { rowReply } from './row-reply.ts'
import type { Found, ShopHost } from './shop-access.ts'
import { shipmentView } from './shipment-view.ts'
import { unlessMoving } from './unless-moving.ts'
import { type WaitQuery, waitQuery } from './wait-query.ts'

const updateWaitMs = 5_000

interface ShipmentParams {
  readonly shipmentId: string
}

interface Shipments {
  readonly access: ShopHost
  readonly keys: IdempotencyKeys
}

type StatusCall = FastifyRequest<{ Params: ShipmentParams; Querystring: WaitQuery }>

export const shipmentRoutes = (server: FastifyInstance, access: ShopHost): void => {
  const shipments = { access, keys: new IdempotencyKeys() }
  const schema = { querystring: waitQuery }
  server.post<{ Querystring: WaitQuery }>('/api/shipments', { schema }, (request, reply) =>
    ship(access, request, reply),
  )
  const path = '/api/shipments/:shipmentId'
  server.get<{ Params: ShipmentParams }>(path, async (request, reply) => {
    const id = pathId(request.params.shipmentId, 'shipment')
    return rowReply(reply, request, await knownShipment(access, { id }), shipmentView)
  })
  server.put<{ Params: ShipmentParams; Querystring: WaitQuery }>(
    `${path}/status`,
    { schema },
    (request, reply) => updateStatus(shipments, request, reply),
  )
  server.get<{ Params: ShipmentParams & { readonly updateId: string } }>(
    `${path}/updates/:updateId`,
    async ({ params }, reply) => {
      const updateId = pathId(params.updateId, 'update')
      const id = pathId(params.shipmentId, 'shipment')
      const { seen, source } = await knownUpdate(access, { id, updateId })
      tellSource(reply, source)
      const { refusal } = seen
      return { updateId, status: refusal === undefined ? 'applied' : 'refused', refusal }
    },
  )
}

const ship = async (
  access: ShopHost,
  request: FastifyRequest<{ Querystring: WaitQuery }>,
  reply: FastifyReply,
): Promise<FastifyReply> => {
  const { orderId } = bodyOf(parseShipmentRequest(request.body), 'shipment')
  const { row: order } = await knownRow(
    () => access.findOrder(orderId),
    () => access.settledOrder(orderId, behindWaitMs),
    `order ${orderId}`,
  )
  const data = shipmentOfOrder(order)
  const find = (): Promise<Found<ShipmentRow>> =>
    access.findShipment({ id: data.shipmentId, orderId })
  const isThere = (await unlessMoving(find()))?.row !== undefined
  if (!isThere) {
    if (order.status !== 'confirmed') throw notToShip(order)
    await access.createShipment(data)
  }
  const waitMs = isThere ? updateWaitMs : (request.query.wait ?? updateWaitMs)
  const shipment = await waitForRow(find, { waitMs })
  const { shipmentId } = data
  reply.header('location', pathOf(shipmentId))
  return shipment === undefined
    ? reply.code(202).send({ shipmentId, orderId, status: 'accepted' })
    : rowReply(reply, request, shipment, shipmentView)
}

const notToShip = ({ orderId, status }: OrderRow): RouteProblem =>
  new RouteProblem(409, `Order ${orderId} is ${status}: only confirmed orders ship.`)

const pathOf = (shipmentId: string): string => `/api/shipments/${encodeURIComponent(shipmentId)}`

const updateStatus = async (
  { access, keys }: Shipments,
  request: StatusCall,
  reply: FastifyReply,
): Promise<FastifyReply> => {
  const shipmentId = pathId(request.params.shipmentId, 'shipment')
  const body = bodyOf(parseStatusRequest(request.body), 'status')
  const ifVersion = ifMatchOf(request)
  const key = idempotencyKeyOf(request)
  if (key !== undefined) keys.bind(`${shipmentId}:${key}`, bodyHash({ ...body, ifVersion }))
  const updateId = uuidV5(shipmentId, `update:${key ?? uuidV7(Date.now())}`)
  const { row } = await knownShipment(access, { id: shipmentId })
  const { orderId } = row
  const data = {
    shipmentId,
    orderId,
    ...body,
    ...(ifVersion !== undefined && { ifVersion }),
  }
  const seen = seenOf(row, updateId)
  if (seen === undefined) await access.updateShipment(data, updateId)
  const shipment = await waitForRow(() => access.findShipment({ id: shipmentId, orderId }), {
    waitMs: request.query.wait ?? updateWaitMs,
    isEnough: (after) => seenOf(after, updateId) !== undefined,
  })
  const decision = seen ?? (shipment && seenOf(shipment.row, updateId))
  if (decision === undefined || shipment === undefined) {
    reply.header('location', `${pathOf(shipmentId)}/updates/${updateId}`)
    return reply.code(202).send({ shipmentId, updateId, status: 'accepted' })
  }
  if (key !== undefined && decision.hash !== bodyHash(data)) throw keyReused(key)
  if (decision.refusal !== undefined) throw refused(decision.refusal, ifVersion)
  return rowReply(reply, request, shipment, shipmentView)
}

const refused = (
  { code, reason }: NonNullable<SeenCommand['refusal']>,
  ifVersion: number | undefined,
): RouteProblem =>
  code === 'VERSION_CHANGED' && ifVersion !== undefined
    ? versionChanged(tagOf(ifVersion))
    : new RouteProblem(409, `${code}: ${reason}.`)

const seenOf = ({ seen }: ShipmentRow, updateId: string): SeenCommand | undefined =>
  seen?.find(({ commandId }) => commandId === updateId)

/** @throws {RouteProblem} 404, 503 */
const knownShipment = (access: ShopHost, shipment: OfOrder): Promise<Known<ShipmentRow>> =>
  knownRow(
    () => access.findShipment(shipment),
    () => access.settledShipment(shipment, behindWaitMs),
    `shipment ${shipment.id}`,
  )

/** @throws {RouteProblem} 404: none was asked for, or long ago; 503 */
const knownUpdate = async (
  access: ShopHost,
  { id, updateId }: { readonly id: string; readonly updateId: string },
) => {
  const { row, source } = await knownShipment(access, { id })
  const seen = seenOf(row, updateId)
  if (seen !== undefined) return { seen, source }
  const { orderId } = row
  const settled = await access.settledShipment({ id, orderId }, behindWaitMs)
  if (settled?.row === undefined) {
    throw new RouteProblem(503, 'The shop is behind and cannot tell yet; ask again.')
  }
  const late = seenOf(settled.row, updateId)
  if (late !== undefined) return { seen: late, source: settled.source }
  throw new RouteProblem(
    404,
    `There is no update ${updateId} of shipment ${id}, or it is older than 24 h.`,
  )
}
