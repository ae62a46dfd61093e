/** What an event of a shipment adds to the figures, under its carrier. */

import type { ShipmentStatus } from '../shared/commands.ts'
import type { ShipmentEvent } from '../shared/events.ts'
import type { ShipmentRow } from '../shipments/shipment-row.ts'
import { figureKey } from './figure-key.ts'
import type { Fact } from './figure-row.ts'

export type ShippingTimes = Pick<ShipmentRow, 'createdAtMs' | 'shippedAtMs'>

const sumOf: Readonly<Record<ShipmentStatus, string | undefined>> = {
  CREATED: undefined,
  SHIPPED: 'shipped',
  IN_TRANSIT: undefined,
  OUT_FOR_DELIVERY: undefined,
  DELIVERY_FAILED: 'failedAttempts',
  DELIVERED: 'delivered',
}

/**
 * @param times  of the shipment; a row of before the analytics has none, and adds no duration
 * @returns      undefined: a step that is not counted
 */
export const shippingFact = (
  event: ShipmentEvent,
  times: ShippingTimes,
  atMs: number,
): Fact | undefined => {
  const key = figureKey('shipment', event.data.carrier)
  if (event.eventType === 'shipment.created') return { key, atMs, sums: { created: 1 } }
  const { status } = event.data
  const name = sumOf[status]
  if (name === undefined) return undefined
  const durationsMs = durationsOf(status, times, atMs)
  return { key, atMs, sums: { [name]: 1 }, ...(durationsMs !== undefined && { durationsMs }) }
}

const durationsOf = (
  status: ShipmentStatus,
  { createdAtMs, shippedAtMs }: ShippingTimes,
  atMs: number,
): Readonly<Record<string, number>> | undefined => {
  if (status === 'SHIPPED' && createdAtMs !== undefined) {
    return { createdToShipped: atMs - createdAtMs }
  }
  if (status === 'DELIVERED' && shippedAtMs !== undefined) {
    return { shippedToDelivered: atMs - shippedAtMs }
  }
  return undefined
}
