/** What an order asks to be shipped: the same whoever asks, and however often. */

import type { CreateShipmentData } from '../shared/commands.ts'
import { shipmentIdOf } from '../shared/ids.ts'
import type { OrderRow } from './order-row.ts'
import { linesOfParcel, parcelsOf } from './parcels.ts'

type ShippedFields = 'orderId' | 'lines' | 'shippingAddress' | 'totalMinor' | 'currency'

/** @param number  of the shipment, where the order ships in parts */
export const shipmentOfOrder = (
  row: Pick<OrderRow, ShippedFields>,
  number = 1,
): CreateShipmentData => {
  const { orderId, shippingAddress, totalMinor, currency } = row
  return {
    shipmentId: shipmentIdOf(orderId, number),
    orderId,
    items: linesOfParcel(row, number).map(({ productId, quantity }) => ({ productId, quantity })),
    ...(shippingAddress !== undefined && { shippingAddress }),
    totalMinor,
    currency,
    ...(parcelsOf(row) > 0 && { shipmentNumber: number }),
  }
}
