/** `millrace order show ID`: an order's row and everything that happened to it, in time order. */

import { Command } from 'commander'
import type { HistoryEntry, OrderHistory } from '../../topologies/shop/http/shop-access.ts'
import {
  capturedMinorOf,
  type OrderRow,
  refundedMinorOf,
} from '../../topologies/shop/orders/order-row.ts'
import { formatMinor } from '../../topologies/shop/shared/money.ts'
import type { OptionName } from '../config/options.ts'
import { addConfigFlags, registryOptions, settingsOf } from './config-flags.ts'
import { CommandError } from './failure.ts'
import { table } from './table.ts'

const flags = { options: ['stateDir', 'url', ...registryOptions, 'output'] satisfies OptionName[] }

export const orderShowCommand = (): Command => {
  const command = new Command('show')
    .description('Tell the whole story of an order, from a running shop or from its files.')
    .argument('<id>', 'order id')
  return addConfigFlags(command, flags).action(async (orderId: string) => {
    const settings = settingsOf(command, flags)
    const { withShop } = await import('./connect-shop.ts')
    const history = await withShop(settings, (shop) => shop.history(orderId))
    if (history === undefined) throw new CommandError(`nothing is known of order ${orderId}`)
    const isJson = settings.output === 'json'
    process.stdout.write(`${isJson ? JSON.stringify(history) : storyOf(orderId, history)}\n`)
  })
}

const storyOf = (orderId: string, { order, events }: OrderHistory): string => {
  const head = order === undefined ? `order ${orderId} (no row yet)` : headOf(order)
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

const headOf = (order: OrderRow): string => {
  const money = (amountMinor: number): string =>
    `${formatMinor(amountMinor, order.currency)} ${order.currency}`
  const lines = [
    ['order', order.orderId],
    ['status', order.reason === undefined ? order.status : `${order.status} (${order.reason})`],
    ['customer', order.customerId],
    ['total', `${money(order.totalMinor)} by ${order.paymentMethod}`],
    ['captured', money(capturedMinorOf(order))],
    ['refunded', money(refundedMinorOf(order))],
    ...order.lines.map(({ productId, quantity, priceMinor, state }, index) => [
      `line ${index}`,
      `${quantity} × ${productId} at ${money(priceMinor)}: ${state}`,
    ]),
  ]
  const { shipment } = order
  if (shipment !== undefined) {
    lines.push([
      'shipment',
      `${shipment.status} by ${shipment.carrier}, ${shipment.trackingNumber}`,
    ])
  }
  return table(lines)
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
