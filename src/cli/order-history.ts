/**
 * The whole story of an order, out of every topic that tells a part of it, and whether the stored
 * order is what it tells.
 *
 * Orders, payments, shipments and the workflow are keyed by the order; what the inventory answered
 * is found under the order's products. A pass over one partition of each topic, and one more per
 * product: this is for people and support, not for a hot path. Only if the story does not fit the
 * order is it read again, together with the audit, which keeps it for longer.
 */

import { checkOrder, type OrderCheck } from '../../topologies/shop/audit/check-order.ts'
import type { HistoryEntry, OrderHistory } from '../../topologies/shop/http/shop-access.ts'
import type { OrderRow } from '../../topologies/shop/orders/order-row.ts'
import { parcelsOf } from '../../topologies/shop/orders/parcels.ts'
import type { AuditEntry } from '../../topologies/shop/shared/audit-entry.ts'
import type { ShopEvent } from '../../topologies/shop/shared/events.ts'
import { shipmentIdOf } from '../../topologies/shop/shared/ids.ts'
import {
  audit,
  inventory,
  orders,
  payments,
  platform,
  shipments,
  topicCatalogue,
} from '../../topologies/shop/shared/topics.ts'
import type { TopicNames } from '../../topologies/shop/shared/topic-names.ts'
import type { Broker } from '../broker/port.ts'
import type { Topic } from '../topic.ts'
import { readKey } from './read-topic.ts'

export interface HistoryRequest {
  readonly orderId: string
  /** Read before the call. */
  readonly row: OrderRow | undefined
  readonly nowMs: number
  /** Of the topics. */
  readonly names: TopicNames
}

type Told = Pick<AuditEntry, 'topic' | 'event'>

/** @returns  undefined if there is neither a row nor an event */
export const orderHistory = async (
  broker: Broker,
  request: HistoryRequest,
): Promise<OrderHistory | undefined> => {
  const { row } = request
  const told = await readTold(broker, request)
  if (row === undefined) {
    return told.length === 0 ? undefined : { events: inTime(told) }
  }
  const rebuilt = checked(request, told, orders.name)
  if (rebuilt.verdict === 'same' || rebuilt.verdict === 'behind') {
    return { order: row, events: inTime(told), rebuilt }
  }
  return secondLook(broker, row, request)
}

/** The end of a transaction may be seen in one topic later than in another: so all is read anew. */
const secondLook = async (
  broker: Broker,
  row: OrderRow,
  request: HistoryRequest,
): Promise<OrderHistory> => {
  const told = await readTold(broker, request)
  const audited = await readAudit(broker, request, told)
  const isAudited = audited.some(({ event }) => event.eventType === 'order.created')
  const known = new Set(told.map(({ event }) => event.eventId))
  const gone = audited.filter(({ event }) => !known.has(event.eventId))
  return {
    order: row,
    events: inTime([...told, ...gone]),
    rebuilt: checked(request, [...told, ...audited], (isAudited ? audit : orders).name),
  }
}

/** @param keptIn  the topic whose retention says from when on no event can be missing */
const checked = (
  { row, nowMs, names }: HistoryRequest,
  told: readonly Told[],
  keptIn: string,
): OrderCheck => {
  const entry = topicCatalogue.find(({ topic }) => topic.name === keptIn)
  const retentionMs = entry === undefined ? 0 : names.retentionMs(entry)
  return checkOrder(row, { events: told.map(({ event }) => event), sinceMs: nowMs - retentionMs })
}

const readTold = async (
  broker: Broker,
  { orderId, row, names }: HistoryRequest,
): Promise<readonly Told[]> => {
  const told: Told[] = []
  const collect = async (handle: Topic<string, ShopEvent>, key: string): Promise<void> => {
    const topic = names.named(handle)
    for await (const event of readKey(broker, topic, key)) {
      if (isOf(orderId, event)) told.push({ topic: topic.name, event })
    }
  }
  const byOrder = [orders, payments, shipments, platform] as readonly Topic<string, ShopEvent>[]
  for (const topic of byOrder) await collect(topic, orderId)
  for (const productId of productsOf(row, told)) {
    await collect(inventory as Topic<string, ShopEvent>, productId)
  }
  return told
}

/** What the audit has of this order, under each of its aggregates. */
const readAudit = async (
  broker: Broker,
  { orderId, row, names }: HistoryRequest,
  told: readonly Told[],
): Promise<readonly Told[]> => {
  const paymentIds = told.flatMap(({ event: { data } }) =>
    'paymentId' in data ? [data.paymentId] : [],
  )
  const charged = row?.charges.map(({ paymentId }) => paymentId) ?? []
  const parcels = row === undefined ? 0 : parcelsOf(row)
  const shipmentIds = Array.from({ length: Math.max(1, parcels) }, (_, i) =>
    shipmentIdOf(orderId, i + 1),
  )
  const aggregates = new Set([
    orderId,
    ...productsOf(row, told),
    ...paymentIds,
    ...charged,
    ...shipmentIds,
  ])
  const found: Told[] = []
  for (const aggregateId of aggregates) {
    for await (const { topic, event } of readKey(broker, names.named(audit), aggregateId)) {
      if (isOf(orderId, event)) found.push({ topic: names.of(topic), event })
    }
  }
  return found
}

const isOf = (orderId: string, { data }: ShopEvent): boolean =>
  'orderId' in data && data.orderId === orderId

const productsOf = (row: OrderRow | undefined, told: readonly Told[]): ReadonlySet<string> => {
  if (row !== undefined) return new Set(row.lines.map(({ productId }) => productId))
  const items = told.flatMap(({ event }) =>
    event.eventType === 'order.created' ? event.data.items : [],
  )
  return new Set(items.map(({ productId }) => productId))
}

const inTime = (told: readonly Told[]): readonly HistoryEntry[] =>
  told
    .map(entryOf)
    .toSorted((a, b) => Date.parse(a.timestamp) - Date.parse(b.timestamp) || rankOf(a) - rankOf(b))

const entryOf = ({
  topic,
  event: { timestamp, eventType, eventId, data },
}: Told): HistoryEntry => ({ timestamp, topic, eventType, eventId, data })

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
