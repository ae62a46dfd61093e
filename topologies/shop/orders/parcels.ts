/**
 * Which lines of an order are in which of its shipments.
 *
 * An order ships once, with all its lines, unless one of them had to wait: then each line says its
 * `parcel`, the number of its shipment, from 1.
 */

import { shipmentIdOf } from '../shared/ids.ts'
import {
  isCancelledLine,
  type OrderLine,
  type OrderRow,
  type OrderShipment,
  undelivered,
} from './order-row.ts'

/** How many shipments were asked for in parts; 0 of an order that ships whole, or not yet. */
export const parcelsOf = ({ lines }: Pick<OrderRow, 'lines'>): number =>
  lines.reduce((most, { parcel = 0 }) => Math.max(most, parcel), 0)

export const linesOfParcel = (row: Pick<OrderRow, 'lines'>, number: number): readonly OrderLine[] =>
  parcelsOf(row) === 0
    ? row.lines.filter((line) => !isCancelledLine(line))
    : row.lines.filter(({ parcel }) => parcel === number)

/** @returns  undefined: not of this order, which ships in parts */
export const shipmentNumberOf = (row: OrderRow, shipmentId: string): number | undefined => {
  const parcels = parcelsOf(row)
  if (parcels === 0) return 1
  for (let number = 1; number <= parcels; number++) {
    if (shipmentIdOf(row.orderId, number) === shipmentId) return number
  }
  return undefined
}

/** What is known of the shipment of this number. */
export const shipmentNumbered = (
  { shipment, laterShipments }: Pick<OrderRow, 'shipment' | 'laterShipments'>,
  number: number | undefined,
): OrderShipment | undefined =>
  number === 1 ? shipment : laterShipments?.find((each) => each.number === number)

/** Every shipment that the order knows of, by its id; in the order in which they were asked for. */
export const shipmentsOf = (row: OrderRow): ReadonlyMap<string, OrderShipment> => {
  const found = new Map<string, OrderShipment>()
  if (row.shipment !== undefined) found.set(shipmentIdOf(row.orderId), row.shipment)
  for (const shipment of row.laterShipments ?? []) {
    found.set(shipmentIdOf(row.orderId, shipment.number), shipment)
  }
  return found
}

/** How far the goods of an order are out, where some of them had to wait or were cancelled. */
export type Fulfilment = 'waiting' | 'partially-shipped' | 'shipped'

/**
 * `waiting`: nothing is sent yet · `partially-shipped`: some lines are, others wait or are being
 * taken · `shipped`: all that will be sent. @returns undefined for an order that ships whole
 */
export const fulfilmentOf = ({ status, lines }: OrderRow): Fulfilment | undefined => {
  if (undelivered.has(status)) return undefined
  if (parcelsOf({ lines }) === 0) {
    return lines.some(({ state }) => state === 'waiting') ? 'waiting' : undefined
  }
  return lines.every((line) => line.parcel !== undefined || isCancelledLine(line))
    ? 'shipped'
    : 'partially-shipped'
}
