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
import { capturedMinorOf, refundedMinorOf } from './order-row.ts'
import { refundSurplus } from './refunds.ts'

export const shipmentCreated = (
  draft: OrderDraft,
  { data: { carrier, trackingNumber }, aggregateVersion }: ShipmentCreated,
): boolean => {
  if (draft.row.shipment !== undefined) return false
  draft.row.shipment = {
    status: 'CREATED',
    version: aggregateVersion,
    carrier,
    trackingNumber,
  }
  return true
}

/** @throws {ShopError} SHIPMENT_UNKNOWN before the order's shipment exists: dead letter */
export const shipmentMoved = (
  draft: OrderDraft,
  { data: { status, shipmentId }, aggregateVersion: version }: ShipmentStatusUpdated,
): boolean => {
  const { row } = draft
  const { shipment } = row
  if (shipment === undefined) {
    throw new ShopError(
      'SHIPMENT_UNKNOWN',
      `order ${row.orderId} has no shipment ${shipmentId} yet`,
    )
  }
  if (version <= shipment.version) return false
  row.shipment = { ...shipment, status, version }
  if (status === 'DELIVERED' && row.status === 'confirmed') complete(draft)
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
  if (!row.lines.every(({ state }) => state === 'returned')) return
  if (refundedMinorOf(row) !== capturedMinorOf(row)) return
  row.returnState = 'done'
  draft.orderEvent('order.updated', { orderId: row.orderId, returnState: 'done' })
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
