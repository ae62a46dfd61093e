/** What `millrace order show` prints: an order and all that happened to it, in time order. */

import type { OrderCheck } from '../../topologies/shop/audit/check-order.ts'
import type { HistoryEntry, OrderHistory } from '../../topologies/shop/http/shop-access.ts'
import {
  capturedMinorOf,
  type OrderRow,
  refundedMinorOf,
} from '../../topologies/shop/orders/order-row.ts'
import { parcelsOf, shipmentsOf } from '../../topologies/shop/orders/parcels.ts'
import { formatMinor } from '../../topologies/shop/shared/money.ts'
import { table } from './table.ts'

/** @returns lines without a line end at the last */
export const orderStory = (orderId: string, { order, events, rebuilt }: OrderHistory): string => {
  const head =
    order === undefined
      ? `order ${orderId} (no row yet)`
      : table([...headOf(order), ...checkOf(rebuilt, events.length)])
  const first = events[0]
  const startMs = first === undefined ? 0 : Date.parse(first.timestamp)
  const lines = events.map((event) => [
    event.timestamp.replace('T', ' ').replace('Z', ''),
    `+${Date.parse(event.timestamp) - startMs} ms`,
    event.eventType,
    detailOf(event, order?.currency),
  ])
  return `${head}\n\n${table(lines)}`
}

const headOf = (order: OrderRow): readonly string[][] => {
  const money = (amountMinor: number): string =>
    `${formatMinor(amountMinor, order.currency)} ${order.currency}`
  const lines = [
    ['order', order.orderId],
    ['status', order.reason === undefined ? order.status : `${order.status} (${order.reason})`],
    ['customer', order.customerId],
    ['total', `${money(order.totalMinor)} by ${order.paymentMethod}`],
    ['captured', money(capturedMinorOf(order))],
    ['refunded', money(refundedMinorOf(order))],
    ...order.lines.map(({ productId, quantity, priceMinor, state, parcel }, index) => [
      `line ${index}`,
      `${quantity} × ${productId} at ${money(priceMinor)}: ${state}`
        + (parcel === undefined ? '' : `, in shipment ${parcel}`),
    ]),
  ]
  const shipments = [...shipmentsOf(order).values()]
  const isSplit = parcelsOf(order) > 0
  return [
    ...lines,
    ...shipments.map(({ status, carrier, trackingNumber }, index) => [
      isSplit ? `shipment ${index + 1}` : 'shipment',
      `${status} by ${carrier}, ${trackingNumber}`,
    ]),
  ]
}

/** Whether the order that its events tell is the stored one, and where it is not. */
const checkOf = (rebuilt: OrderCheck | undefined, events: number): readonly string[][] => {
  if (rebuilt === undefined) return []
  const { verdict, differences } = rebuilt
  const said = {
    same: 'the same as stored',
    behind: 'further than stored: it has not read all of them yet',
    differs: 'DIFFERS from what is stored',
    incomplete: 'not compared: some events are not kept any more',
  }
  return [
    ['rebuilt', `from ${events} events: ${said[verdict]}`],
    ...differences.map(({ field, stored, rebuilt: told }) => [
      `  ${field}`,
      `stored ${JSON.stringify(stored)}, told ${JSON.stringify(told)}`,
    ]),
  ]
}

/** The fields of an event that tell something beside its type. */
const shown = [
  'productId',
  'quantity',
  'line',
  'status',
  'reason',
  'outcome',
  'carrier',
  'trackingNumber',
  'location',
  'error',
] as const

const amounts = ['totalMinor', 'amountMinor', 'capturedMinor', 'refundedMinor'] as const

const detailOf = ({ data }: HistoryEntry, orderCurrency: string | undefined): string => {
  const fields = data as Readonly<Record<string, unknown>>
  const currency = String(fields['currency'] ?? orderCurrency ?? 'USD')
  const texts = shown
    .filter((name) => fields[name] !== undefined)
    .map((name) => `${name} ${String(fields[name])}`)
  for (const name of amounts) {
    const amountMinor = fields[name]
    if (typeof amountMinor !== 'number') continue
    texts.push(`${name.replace('Minor', '')} ${formatMinor(amountMinor, currency)} ${currency}`)
  }
  return texts.join(', ')
}
