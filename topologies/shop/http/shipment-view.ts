/** A shipment as the API shows it: times as ISO-8601. */

import { isoTime } from '../shared/iso-time.ts'
import type { ShipmentRow } from '../shipments/shipment-row.ts'

export const shipmentView = (row: ShipmentRow): object => ({
  shipmentId: row.shipmentId,
  orderId: row.orderId,
  version: row.version,
  status: row.status,
  carrier: row.carrier,
  trackingNumber: row.trackingNumber,
  estimatedDelivery: isoTime(row.estimatedDeliveryMs),
  location: row.location,
  shippingAddress: row.shippingAddress,
  shipmentNumber: row.shipmentNumber,
  items: row.items,
})
