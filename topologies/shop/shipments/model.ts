/**
 * The shipments' decisions: pure functions of a row and a command, or the time, to row and events.
 *
 * Called by `topology.ts` with rows of the store, and by tests without any. 1. An order ships once,
 * or in numbered parts: the shipment's id follows from the order's, and the number. 2. A status is
 * only ever followed by one its table allows; an update that is refused changes nothing but what
 * the row remembers of it.
 */

import { bodyHash } from '../shared/body-hash.ts'
import { checkId, checkOneOf } from '../shared/checks.ts'
import type {
  CreateShipment,
  ShipmentCommand,
  ShipmentStatus,
  UpdateShipmentStatus,
  UpdateShipmentStatusData,
} from '../shared/commands.ts'
import type { CarrierConfig } from '../shared/config.ts'
import { aheadByMs } from '../shared/due-rows.ts'
import type { ShipmentEvent } from '../shared/events.ts'
import { shipmentIdOf } from '../shared/ids.ts'
import { isoTime } from '../shared/iso-time.ts'
import { newEvent } from '../shared/new-event.ts'
import { isRepeated, type Refusal, withSeen } from '../shared/seen-commands.ts'
import { ShopError } from '../shared/shop-error.ts'
import { chooseCarrier } from './carrier-strategy.ts'
import { nextShipmentStatuses, type ShipmentRow } from './shipment-row.ts'

export interface ShipmentDecision {
  readonly row: ShipmentRow
  readonly events: readonly ShipmentEvent[]
  /** Why the command was not followed. */
  readonly refusal?: Refusal
}

export interface ShipmentContext extends CarrierConfig {
  readonly nowMs: number
}

/**
 * @returns  `undefined` for a repetition, to be dropped and counted
 * @throws {ShopError} dead letter; nothing changes
 */
export const decideShipment = (
  row: ShipmentRow | undefined,
  command: ShipmentCommand,
  context: ShipmentContext,
): ShipmentDecision | undefined =>
  command.commandType === 'CreateShipment'
    ? create(row, command, context)
    : update(row, command, context)

/** The automatic carrier: moves a shipment through every step that is due. */
export const advanceShipment = (row: ShipmentRow, context: ShipmentContext): ShipmentDecision => {
  const events: ShipmentEvent[] = []
  let next = dueAnew(row, context.nowMs) ?? row
  while (next.dueMs !== undefined && next.dueMs <= context.nowMs) {
    const status: ShipmentStatus = next.status === 'CREATED' ? 'SHIPPED' : 'DELIVERED'
    const { dueMs, dueSetMs: _dueSetMs, ...rest } = next
    const isDelivered = status === 'DELIVERED'
    next = {
      ...rest,
      status,
      version: next.version + 1,
      ...(!isDelivered && {
        shippedAtMs: context.nowMs,
        dueMs: dueMs + (row.deliverAfterMs ?? context.deliverAfterMs),
        dueSetMs: context.nowMs,
      }),
    }
    events.push(statusEvent(next, next.shipmentId, context.nowMs))
  }
  return { row: next, events }
}

/**
 * The clock was set back: the wait for the next step begins anew, instead of ending late.
 *
 * @returns `undefined` if the row stays as it is
 */
export const dueAnew = (row: ShipmentRow, nowMs: number): ShipmentRow | undefined => {
  const byMs = aheadByMs(row.dueSetMs, nowMs)
  if (byMs === 0 || row.dueMs === undefined) return undefined
  return { ...row, dueMs: row.dueMs - byMs, dueSetMs: nowMs }
}

const create = (
  row: ShipmentRow | undefined,
  { commandId, data, metadata: { correlationId } }: CreateShipment,
  context: ShipmentContext,
): ShipmentDecision | undefined => {
  checkId(data.shipmentId, 'shipmentId')
  checkId(data.orderId, 'orderId')
  const hash = bodyHash(data)
  if (row !== undefined && row.bodyHash === hash) return undefined
  const { shipmentNumber, items } = data
  if (row !== undefined || data.shipmentId !== shipmentIdOf(data.orderId, shipmentNumber)) {
    throw new ShopError(
      'SHIPMENT_ID_REUSED',
      `order ${data.orderId} ships once, as ${shipmentIdOf(data.orderId, shipmentNumber)}`,
    )
  }
  const { shipmentId, orderId, shippingAddress } = data
  const { mode, shipAfterMs, nowMs } = context
  const { carrier, deliverAfterMs } = chooseCarrier(data, context)
  const next: ShipmentRow = {
    shipmentId,
    orderId,
    version: 1,
    status: 'CREATED',
    carrier,
    trackingNumber: trackingNumberOf(carrier, shipmentId),
    estimatedDeliveryMs: nowMs + shipAfterMs + (deliverAfterMs ?? context.deliverAfterMs),
    createdAtMs: nowMs,
    correlationId,
    bodyHash: hash,
    ...(shippingAddress !== undefined && { shippingAddress }),
    ...(shipmentNumber !== undefined && { shipmentNumber, items }),
    ...(mode === 'automatic' && { dueMs: nowMs + shipAfterMs, dueSetMs: nowMs }),
    ...(deliverAfterMs !== undefined && { deliverAfterMs }),
  }
  const { trackingNumber, estimatedDeliveryMs } = next
  const announced = {
    shipmentId,
    orderId,
    carrier,
    trackingNumber,
    estimatedDelivery: isoTime(estimatedDeliveryMs),
    ...(shipmentNumber !== undefined && { shipmentNumber, items }),
  }
  const origin = originOf(next, commandId, nowMs)
  return {
    row: next,
    events: [newEvent('shipment.created', announced, origin, 'shipment.created')],
  }
}

const update = (
  row: ShipmentRow | undefined,
  command: UpdateShipmentStatus,
  { nowMs }: ShipmentContext,
): ShipmentDecision | undefined => {
  const { commandId, data } = command
  const { shipmentId, orderId, status, location } = data
  checkOneOf(status, 'status', Object.keys(nextShipmentStatuses))
  if (row === undefined || row.orderId !== orderId) {
    throw new ShopError('SHIPMENT_UNKNOWN', `order ${orderId} has no shipment ${shipmentId}`)
  }
  if (isRepeated(row.seen, command, `shipment ${shipmentId}`)) return undefined
  const refusal = refusalOf(row, data)
  const seen = withSeen(row.seen, command, { nowMs, refusal })
  if (refusal !== undefined) return { row: { ...row, seen }, events: [], refusal }
  if (row.status === status) return { row: { ...row, seen }, events: [] }
  const { dueMs: _byHandNow, dueSetMs: _norSet, ...rest } = row
  const next: ShipmentRow = {
    ...rest,
    status,
    version: row.version + 1,
    ...(status === 'SHIPPED' && { shippedAtMs: nowMs }),
    ...(location !== undefined && { location }),
    seen,
  }
  return { row: next, events: [statusEvent(next, commandId, nowMs)] }
}

const refusalOf = (
  row: ShipmentRow,
  { status, ifVersion }: Pick<UpdateShipmentStatusData, 'status' | 'ifVersion'>,
): Refusal | undefined => {
  const { shipmentId, version } = row
  if (ifVersion !== undefined && ifVersion !== version) {
    const reason = `shipment ${shipmentId} is of version ${version}, not ${ifVersion}`
    return { code: 'VERSION_CHANGED', reason }
  }
  if (row.status === status || nextShipmentStatuses[row.status].includes(status)) return undefined
  const reason = `shipment ${shipmentId} is ${row.status}, ${status} cannot follow`
  return { code: 'ILLEGAL_TRANSITION', reason }
}

const statusEvent = (row: ShipmentRow, causationId: string, nowMs: number): ShipmentEvent => {
  const { shipmentId, orderId, status, carrier, location } = row
  const data = {
    shipmentId,
    orderId,
    status,
    carrier,
    ...(location !== undefined && { location }),
  }
  const transition = `shipment.status-updated:${row.version}`
  const origin = originOf(row, causationId, nowMs)
  return newEvent('shipment.status-updated', data, origin, transition)
}

const originOf = (
  { shipmentId, version, correlationId }: ShipmentRow,
  causationId: string,
  nowMs: number,
) => ({
  source: 'shipments',
  aggregateId: shipmentId,
  aggregateVersion: version,
  correlationId,
  causationId,
  nowMs,
})

const trackingNumberOf = (carrier: string, shipmentId: string): string =>
  `${carrier.slice(0, 2).toUpperCase()}${shipmentId.replaceAll('-', '').slice(0, 12).toUpperCase()}`
