/** An order and a product as the API shows them: amounts as decimal strings, times as ISO-8601. */

import { availableOf, type ProductRow } from '../inventory/stock-row.ts'
import { capturedMinorOf, type OrderRow, refundedMinorOf } from '../orders/order-row.ts'
import { fulfilmentOf, parcelsOf, shipmentsOf } from '../orders/parcels.ts'
import { shipmentIdOf } from '../shared/ids.ts'
import { isoTime } from '../shared/iso-time.ts'
import { formatMinor } from '../shared/money.ts'

export const orderView = (row: OrderRow): object => {
  const money = (amountMinor: number): string => formatMinor(amountMinor, row.currency)
  return {
    orderId: row.orderId,
    version: row.version,
    status: row.status,
    reason: row.reason,
    customerId: row.customerId,
    currency: row.currency,
    total: money(row.totalMinor),
    captured: money(capturedMinorOf(row)),
    refunded: money(refundedMinorOf(row)),
    paymentMethod: row.paymentMethod,
    items: row.lines.map(({ productId, quantity, priceMinor, state, parcel }) => ({
      productId,
      quantity,
      price: money(priceMinor),
      state,
      shipmentId: parcel && shipmentIdOf(row.orderId, parcel),
    })),
    payments: row.charges.map(({ paymentId, state, capturedMinor }) => ({
      paymentId,
      status: state,
      captured: money(capturedMinor),
    })),
    shipment: row.shipment && { shipmentId: shipmentIdOf(row.orderId), ...row.shipment },
    shipments: parcelsOf(row) === 0 ? undefined : shipmentsView(row),
    fulfilment: fulfilmentOf(row),
    returnState: row.returnState,
    shippingAddress: row.shippingAddress,
    notes: row.notes,
    placedAt: isoTime(row.placedAtMs),
    createdAt: isoTime(row.createdAtMs),
    deadlineAt: row.deadlineMs === undefined ? undefined : isoTime(row.deadlineMs),
  }
}

/** Those of an order that ships in parts, as far as it knows of them. */
const shipmentsView = (row: OrderRow): readonly object[] =>
  [...shipmentsOf(row)].map(([shipmentId, { status, version, carrier, trackingNumber }]) => ({
    shipmentId,
    status,
    version,
    carrier,
    trackingNumber,
  }))

export const productView = ({ waiting, ...row }: ProductRow): object => ({
  ...row,
  available: availableOf(row),
  waiting: waiting?.units,
})
