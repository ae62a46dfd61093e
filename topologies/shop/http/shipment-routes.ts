/**
 * `/api/shipments`: see that an order ships, look at a shipment, tell where it is.
 *
 * 1. An order ships once, and asks for it itself when it is confirmed: a POST is the same command
 * again, so it does nothing unless that one was lost; of an order in parts it is the first. 2. A
 * PUT waits for the decision, by default 5 s: 200 with the shipment, 409 for a status that cannot
 * follow, 412 if the version is another than If-Match names. Not decided by then: 202, with the
 * place where the decision will be. 3. Idempotency-Key names the update within its shipment.
 * Decisions are read from the shipment's row, for 24 hours.
 */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { OrderRow } from '../orders/order-row.ts'
import { parcelsOf } from '../orders/parcels.ts'
import { shipmentOfOrder } from '../orders/shipment-of-order.ts'
import { bodyHash } from '../shared/body-hash.ts'
import { uuidV5, uuidV7 } from '../shared/ids.ts'
import { type SeenCommand, seenOf } from '../shared/seen-commands.ts'
import { parseShipmentRequest, parseStatusRequest } from '../shared/shipment-request.ts'
import type { ShipmentRow } from '../shipments/shipment-row.ts'
import { acceptedReply } from './accepted-reply.ts'
import { tellSource } from './answer-source.ts'
import { bodyOf } from './bodies.ts'
import {
  getShipmentDoc,
  shipDoc,
  shipmentDecisionDoc,
  updateShipmentDoc,
} from './docs/shipment-docs.ts'
import { IdempotencyKeys, keyReused, tellReplayed } from './idempotency-keys.ts'
import { ifMatchOf, versionPassed } from './if-match.ts'
import { processedOrder } from './known-order.ts'
import { behind, behindWaitMs, type Known, knownRow, waitForRow, withRow } from './known-row.ts'
import type { OfOrder } from './money-access.ts'
import { pathId } from './path-id.ts'
import { problemKinds } from './problem-kinds.ts'
import { RouteProblem } from './route-problem.ts'
import { rowReply } from './row-reply.ts'
import type { Found, ShopHost } from './shop-access.ts'
import { shipmentView } from './shipment-view.ts'
import { unlessMoving } from './unless-moving.ts'
import { waitMsOf, type WaitQuery, waitQuery } from './wait-query.ts'

const updateWaitMs = 5_000

interface ShipmentParams {
  readonly shipmentId: string
}

interface Shipments {
  readonly access: ShopHost
  readonly keys: IdempotencyKeys
}

type ShipCall = FastifyRequest<{ Querystring: WaitQuery }>
type StatusCall = FastifyRequest<{ Params: ShipmentParams; Querystring: WaitQuery }>

export const shipmentRoutes = (server: FastifyInstance, access: ShopHost): void => {
  const shipments = { access, keys: new IdempotencyKeys() }
  const { keys } = shipments
  const schema = { querystring: waitQuery }
  server.post<{ Querystring: WaitQuery }>(
    '/api/shipments',
    { schema, config: { doc: shipDoc } },
    (request, reply) =>
      keys.alone(request, 'shipments', (key) => ship(shipments, { request, key }, reply)),
  )
  const path = '/api/shipments/:shipmentId'
  server.get<{ Params: ShipmentParams }>(
    path,
    { config: { doc: getShipmentDoc } },
    async (request, reply) => {
      const id = pathId(request.params.shipmentId, 'shipment')
      return sendShipment(access, reply, request, await knownShipment(access, { id }))
    },
  )
  server.put<{ Params: ShipmentParams; Querystring: WaitQuery }>(
    `${path}/status`,
    { schema, config: { doc: updateShipmentDoc } },
    (request, reply) => {
      const shipmentId = pathId(request.params.shipmentId, 'shipment')
      return keys.alone(request, shipmentId, (key) =>
        updateStatus(shipments, { request, shipmentId, key }, reply),
      )
    },
  )
  decisionRoute(server, access)
}

const decisionRoute = (server: FastifyInstance, access: ShopHost): void => {
  server.get<{ Params: ShipmentParams & { readonly updateId: string } }>(
    '/api/shipments/:shipmentId/updates/:updateId',
    { config: { doc: shipmentDecisionDoc } },
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
  { access, keys }: Shipments,
  { request, key }: { readonly request: ShipCall; readonly key: string | undefined },
  reply: FastifyReply,
): Promise<FastifyReply> => {
  const body = bodyOf(parseShipmentRequest(request.body), 'shipment')
  const { orderId } = body
  if (key !== undefined) keys.bind(key, bodyHash(body))
  const { row: order } = await processedOrder(access, orderId)
  const data = shipmentOfOrder(order)
  const { shipmentId } = data
  const find = (): Promise<Found<ShipmentRow>> => access.findShipment({ id: shipmentId, orderId })
  const found = await unlessMoving(find())
  let shipment = found && withRow(found)
  if (shipment !== undefined) tellReplayed(reply)
  else {
    if (order.status !== 'confirmed' && parcelsOf(order) === 0) throw notToShip(order)
    await access.createShipment(data)
    shipment = await waitForRow(find, { waitMs: waitMsOf(request.query, updateWaitMs) })
  }
  return shipment === undefined
    ? acceptedReply(reply, pathOf(shipmentId), { shipmentId, orderId })
    : sendShipment(access, reply.header('location', pathOf(shipmentId)), request, shipment)
}

const sendShipment = async (
  { personal }: ShopHost,
  reply: FastifyReply,
  request: FastifyRequest,
  { row, source }: Known<ShipmentRow>,
): Promise<FastifyReply> =>
  rowReply(reply, request, { row: await personal.opened(row), source }, shipmentView)

const notToShip = ({ orderId, status }: OrderRow): RouteProblem =>
  new RouteProblem(
    problemKinds.notToShip,
    `Order ${orderId} is ${status}: only confirmed orders ship.`,
  )

const pathOf = (shipmentId: string): string => `/api/shipments/${encodeURIComponent(shipmentId)}`

interface StatusUpdate {
  readonly request: StatusCall
  readonly shipmentId: string
  readonly key: string | undefined
}

const updateStatus = async (
  { access, keys }: Shipments,
  { request, shipmentId, key }: StatusUpdate,
  reply: FastifyReply,
): Promise<FastifyReply> => {
  const body = bodyOf(parseStatusRequest(request.body), 'status')
  const ifVersion = ifMatchOf(request)
  if (key !== undefined) keys.bind(key, bodyHash({ ...body, ifVersion }), shipmentId)
  const updateId = uuidV5(shipmentId, `update:${key ?? uuidV7(Date.now())}`)
  let shipment: Known<ShipmentRow> | undefined = await knownShipment(access, { id: shipmentId })
  const { orderId } = shipment.row
  const data = {
    shipmentId,
    orderId,
    ...body,
    ...(ifVersion !== undefined && { ifVersion }),
  }
  const before = seenOf(shipment.row, updateId)
  if (before === undefined) {
    await access.updateShipment(data, updateId)
    shipment = await waitForRow(() => access.findShipment({ id: shipmentId, orderId }), {
      waitMs: waitMsOf(request.query, updateWaitMs),
      isEnough: (after) => seenOf(after, updateId) !== undefined,
    })
  }
  const decision = shipment && seenOf(shipment.row, updateId)
  if (decision === undefined || shipment === undefined) {
    return acceptedReply(reply, updatePath(shipmentId, updateId), { shipmentId, updateId })
  }
  if (key !== undefined && decision.hash !== bodyHash(data)) throw keyReused(key)
  if (before !== undefined) tellReplayed(reply)
  if (decision.refusal !== undefined) throw refused(decision.refusal, ifVersion)
  return sendShipment(access, reply, request, shipment)
}

const updatePath = (shipmentId: string, updateId: string): string =>
  `${pathOf(shipmentId)}/updates/${updateId}`

const refused = (
  { code, reason }: NonNullable<SeenCommand['refusal']>,
  ifVersion: number | undefined,
): RouteProblem =>
  code === 'VERSION_CHANGED' && ifVersion !== undefined
    ? versionPassed(ifVersion)
    : new RouteProblem(problemKinds.statusRefused, `${code}: ${reason}.`)

/** @throws {RouteProblem} 404, 503 */
const knownShipment = (access: ShopHost, shipment: OfOrder): Promise<Known<ShipmentRow>> =>
  knownRow(
    () => access.findShipment(shipment),
    () => access.settledShipment(shipment, behindWaitMs),
    { name: `shipment ${shipment.id}`, unknown: problemKinds.noSuchShipment },
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
  if (settled?.row === undefined) throw behind()
  const late = seenOf(settled.row, updateId)
  if (late !== undefined) return { seen: late, source: settled.source }
  const detail = `There is no update ${updateId} of shipment ${id}, or it is older than 24 h.`
  throw new RouteProblem(problemKinds.noSuchUpdate, detail)
}
