/**
 * The whole story of an order, out of every topic that tells a part of it.
 *
 * Orders, payments, shipments and the workflow are keyed by the order; what the inventory answered
 * is found under the order's products. A pass over one partition of each topic, and one more per
 * product: this is for people and support, not for a hot path.
 */

import type { OrderRow } from '../../topologies/shop/orders/order-row.ts'
import type { OrderCreatedData } from '../../topologies/shop/shared/events.ts'
import type { EventEnvelope } from '../../topologies/shop/shared/envelope.ts'
import {
  inventory,
  orders,
  payments,
  platform,
  shipments,
} from '../../topologies/shop/shared/topics.ts'
import type { HistoryEntry, OrderHistory } from '../../topologies/shop/http/shop-access.ts'
import type { Broker } from '../broker/port.ts'
import type { Topic } from '../topic.ts'
import { readKey } from './read-topic.ts'

type AnyEvent = EventEnvelope<string, object>

/** @returns  undefined if there is neither a row nor an event */
export const orderHistory = async (
  broker: Broker,
  orderId: string,
  row: OrderRow | undefined,
): Promise<OrderHistory | undefined> => {
  const events: HistoryEntry[] = []
  const collect = async <E extends AnyEvent>(
    topic: Topic<string, E>,
    key: string,
  ): Promise<void> => {
    for await (const event of readKey(broker, topic, key)) {
      if (orderOf(event) === orderId) events.push(entryOf(topic.name, event))
    }
  }
  for (const topic of [orders, payments, shipments, platform] as Topic<string, AnyEvent>[]) {
    await collect(topic, orderId)
  }
  for (const productId of productsOf(row, events)) await collect(inventory, productId)
  if (row === undefined && events.length === 0) return undefined
  const inTime = events.toSorted(
    (a, b) => Date.parse(a.timestamp) - Date.parse(b.timestamp) || rankOf(a) - rankOf(b),
  )
  return row === undefined ? { events: inTime } : { order: row, events: inTime }
}

/** How an order goes, for events of the same millisecond; the sort is stable for the rest. */
const usualOrder = [
  'order.created',
  'workflow.started',
  'stock.reserved',
  'reservation.failed',
  'payment.unknown',
  'payment.processed',
  'stock.deducted',
  'deduct.failed',
  'hold.expired',
  'stock.released',
  'payment.refunded',
  'order.confirmed',
  'shipment.created',
  'shipment.status-updated',
]

/** What is not listed, the ends, comes last. */
const rankOf = ({ eventType }: HistoryEntry): number => {
  const rank = usualOrder.indexOf(eventType)
  if (rank >= 0) return rank
  return usualOrder.length + (eventType.startsWith('saga.') ? 1 : 0)
}

const orderOf = ({ data }: AnyEvent): unknown => (data as { readonly orderId?: unknown }).orderId

const entryOf = (
  topic: string,
  { timestamp, eventType, eventId, data }: AnyEvent,
): HistoryEntry => ({
  timestamp,
  topic,
  eventType,
  eventId,
  data,
})

const productsOf = (
  row: OrderRow | undefined,
  events: readonly HistoryEntry[],
): ReadonlySet<string> => {
  if (row !== undefined) return new Set(row.lines.map(({ productId }) => productId))
  const created = events.find(({ eventType }) => eventType === 'order.created')
  const { items = [] } = (created?.data ?? {}) as Partial<OrderCreatedData>
  return new Set(items.map(({ productId }) => productId))
}
