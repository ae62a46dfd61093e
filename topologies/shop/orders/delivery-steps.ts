/**
 * What an order does about its shipment, and about goods that come back.
 *
 * A return does not change the outcome: a completed order stays completed, its goods and money go
 * back, and OrderUpdated tells how far that is.
 */

import type { ShipmentCreated, ShipmentStatusUpdated } from '../shared/events.ts'
import { shipmentIdOf } from '../shared/ids.ts'
import { ShopError } from '../shared/shop-error.ts'
import type { OrderDraft } from './order-draft.ts'
import {
  capturedMinorOf,
  isCancelledLine,
  type OrderShipment,
  refundedMinorOf,
} from './order-row.ts'
import { refundSurplus } from './refunds.ts'
import { parcelsOf, shipmentNumbered, shipmentNumberOf } from './parcels.ts'

export const shipmentCreated = (
  draft: OrderDraft,
  { data: { carrier, trackingNumber, shipmentNumber = 1 }, aggregateVersion }: ShipmentCreated,
): boolean => {
  const { row } = draft
  if (shipmentNumbered(row, shipmentNumber) !== undefined) return false
  const version = aggregateVersion
  const shipment: OrderShipment = { status: 'CREATED', version, carrier, trackingNumber }
  if (shipmentNumber === 1) row.shipment = shipment
  else row.laterShipments = [...(row.laterShipments ?? []), { ...shipment, number: shipmentNumber }]
  return true
}

/** @throws {ShopError} SHIPMENT_UNKNOWN before the order's shipment exists: dead letter */
export const shipmentMoved = (
  draft: OrderDraft,
  { data: { status, shipmentId }, aggregateVersion: version }: ShipmentStatusUpdated,
): boolean => {
  const { row } = draft
  const number = shipmentNumberOf(row, shipmentId)
  const shipment = shipmentNumbered(row, number)
  if (number === undefined || shipment === undefined) {
    throw new ShopError(
      'SHIPMENT_UNKNOWN',
      `order ${row.orderId} has no shipment ${shipmentId} yet`,
    )
  }
  if (version <= shipment.version) return false
  const moved = { ...shipment, status, version }
  if (number === 1) row.shipment = moved
  else {
    row.laterShipments = (row.laterShipments ?? []).map((each) =>
      each.number === number ? { ...moved, number } : each,
    )
  }
  if (status === 'DELIVERED') tryComplete(draft)
  return true
}

/** CancelOrder once the stock is deducted: a return, as soon as the goods have arrived. */
export const returnGoods = (draft: OrderDraft): boolean => {
  const { row } = draft
  if (row.returnState !== undefined) return false
  if (row.status === 'completed') startReturn(draft)
  else {
    row.returnState = 'requested'
    draft.orderEvent('order.updated', { orderId: row.orderId, returnState: 'requested' })
  }
  return true
}

/** Ends a return when all goods are in stock again and all money is back. */
export const tryEndReturn = (draft: OrderDraft): void => {
  const { row } = draft
  if (row.returnState !== 'started') return
  if (!row.lines.every((line) => line.state === 'returned' || isCancelledLine(line))) return
  if (refundedMinorOf(row) !== capturedMinorOf(row)) return
  row.returnState = 'done'
  draft.orderEvent('order.updated', { orderId: row.orderId, returnState: 'done' })
}

/** Completes a confirmed order once everything of it is delivered. */
export const tryComplete = (draft: OrderDraft): void => {
  const { row } = draft
  if (row.status !== 'confirmed') return
  for (let number = 1; number <= parcelsOf(row) || number === 1; number++) {
    if (shipmentNumbered(row, number)?.status !== 'DELIVERED') return
  }
  complete(draft)
}

const complete = (draft: OrderDraft): void => {
  const { row } = draft
  const { orderId, customerId, currency, totalMinor } = row
  draft.moveTo('completed')
  draft.orderEvent('order.completed', {
    orderId,
    customerId,
    shipmentId: shipmentIdOf(orderId),
    currency,
    totalMinor,
  })
  draft.platformEvent('saga.completed', { orderId, workflow: 'order', outcome: 'completed' })
  if (row.returnState === 'requested') startReturn(draft)
}

const startReturn = (draft: OrderDraft): void => {
  const { row } = draft
  row.returnState = 'started'
  draft.orderEvent('order.updated', { orderId: row.orderId, returnState: 'started' })
  draft.mapLines((state, line) => {
    if (state !== 'deducted') return undefined
    draft.release(line, 'return')
    return 'returning'
  })
  refundSurplus(draft)
}
