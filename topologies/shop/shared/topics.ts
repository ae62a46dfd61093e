/**
 * The topics of the shop: typed handles, and the catalogue the topics are created from.
 *
 * Partition counts are equal where keys are equal: orders, payments, shipments and their commands
 * are co-partitioned by orderId. Names are those of the `ecom` naming (spec: shop.md §1).
 */

import { days, repartitionTopic, type Serde, topic, type Topic, utf8 } from '../../../src/index.ts'
import { auditSerde } from './audit-serde.ts'
import type { InventoryCommand, OrderCommand, PaymentCommand, ShipmentCommand } from './commands.ts'
import type {
  InventoryEvent,
  NotificationRequested,
  OrderEvent,
  PaymentEvent,
  PlatformEvent,
  ShipmentEvent,
  ShopEvent,
  StockReply,
} from './events.ts'
import { commandSerde, eventSerde } from './serde.ts'

const byId = <V>(name: string, value: Serde<V>): Topic<string, V> =>
  topic(name, { key: utf8, value })

export const orderCommands = byId(
  'ecom.order-commands',
  commandSerde<OrderCommand>(['CreateOrder', 'UpdateOrder', 'CancelOrder', 'RefundOrder']),
)

export const inventoryCommands = byId(
  'ecom.inventory-commands',
  commandSerde<InventoryCommand>(['ReserveStock', 'DeductStock', 'ReleaseStock', 'UpdateStock']),
)

export const paymentCommands = byId(
  'ecom.payment-commands',
  commandSerde<PaymentCommand>(['ProcessPayment', 'RefundPayment']),
)

export const shipmentCommands = byId(
  'ecom.shipment-commands',
  commandSerde<ShipmentCommand>(['CreateShipment', 'UpdateShipmentStatus']),
)

const orderEvents = eventSerde<OrderEvent>([
  'order.created',
  'order.create-refused',
  'order.updated',
  'order.update-refused',
  'order.confirmed',
  'order.cancelled',
  'order.rejected',
  'order.expired',
  'order.completed',
])

export const orders = byId('ecom.orders', orderEvents)

export const payments = byId(
  'ecom.payments',
  eventSerde<PaymentEvent>(['payment.processed', 'payment.unknown', 'payment.refunded']),
)

const inventoryEvents = eventSerde<InventoryEvent>([
  'stock.reserved',
  'stock.backordered',
  'reservation.failed',
  'stock.deducted',
  'deduct.failed',
  'stock.released',
  'hold.expired',
  'inventory.updated',
  'inventory.update-refused',
  'stock.low',
])

export const inventory = byId('ecom.inventory', inventoryEvents)

export const shipments = byId(
  'ecom.shipments',
  eventSerde<ShipmentEvent>(['shipment.created', 'shipment.status-updated']),
)

export const platform = byId(
  'ecom.platform',
  eventSerde<PlatformEvent>(['workflow.started', 'saga.completed', 'saga.compensated']),
)

/**
 * Answers of the inventory on their way back from productId to orderId.
 *
 * Shares the serde of `inventory`, which encodes each event once for both topics.
 */
export const inventoryReplies = repartitionTopic<string, StockReply>('inventory-replies', {
  key: utf8,
  value: inventoryEvents as Serde<InventoryEvent> as Serde<StockReply>,
})

/** Events of orders on their way to the customer. Shares the serde of `orders`, as above. */
export const customerEvents = repartitionTopic<string, OrderEvent>('customer-events', {
  key: utf8,
  value: orderEvents,
})

/** What customers should be told; who tells them reads it here. */
export const notifications = byId(
  'ecom.notifications',
  eventSerde<NotificationRequested>(['notification.requested']),
)

/** Topics whose events are audited. */
export const auditedTopics = [orders, payments, inventory, shipments, platform] as const

/** Every event of every aggregate, by aggregateId. */
export const audit = byId(
  'ecom.audit',
  auditSerde(new Map(auditedTopics.map(({ name, value }) => [name, value as Serde<ShopEvent>]))),
)

/** What a topic is to be like; `millrace topics` compares it with the cluster. */
export interface CatalogueEntry {
  readonly topic: Topic<string, never>
  readonly key: 'orderId' | 'productId' | 'customerId' | 'aggregateId'
  readonly partitions: number
  readonly cleanupPolicy: 'delete'
  readonly retentionMs: number
  readonly maxMessageBytes: number
  /** How batches are kept; the shop's producers send them so. */
  readonly compression: 'lz4'
  /** Copies of each partition, as far as there are brokers. */
  readonly replicas: number
  /** Copies that must have a record before it is acknowledged; one less than there are at most. */
  readonly minInsyncReplicas: number
}

const common = {
  partitions: 6,
  cleanupPolicy: 'delete',
  maxMessageBytes: 1_048_588,
  compression: 'lz4',
  replicas: 3,
  minInsyncReplicas: 2,
} as const

const entry = <V>(
  handle: Topic<string, V>,
  key: CatalogueEntry['key'],
  retentionMs: number,
): CatalogueEntry => ({
  ...common,
  topic: handle as unknown as Topic<string, never>,
  key,
  retentionMs,
})

/** Every external topic of the flows; commands outlive a weekend's outage. */
export const topicCatalogue: readonly CatalogueEntry[] = [
  entry(orderCommands, 'orderId', days(7)),
  entry(inventoryCommands, 'productId', days(7)),
  entry(paymentCommands, 'orderId', days(7)),
  entry(shipmentCommands, 'orderId', days(7)),
  entry(orders, 'orderId', days(7)),
  entry(payments, 'orderId', days(7)),
  entry(inventory, 'productId', days(7)),
  entry(shipments, 'orderId', days(7)),
  entry(platform, 'orderId', days(1)),
  { ...entry(notifications, 'customerId', days(1)), partitions: 2 },
  entry(audit, 'aggregateId', days(30)),
]

/**
 * The data keys that personal data is sealed by, wrapped; no flow reads them.
 *
 * One partition: of two keys made at once for a customer the first one counts.
 */
export const dataKeysTopic = {
  ...common,
  name: 'ecom.data-keys',
  partitions: 1,
  cleanupPolicy: 'compact',
  retentionMs: -1,
} as const

/** Records that no flow could process; their keys and bytes are those of their sources. */
export const deadLetterTopic = {
  ...common,
  name: 'ecom.dlq',
  partitions: 3,
  retentionMs: days(14),
} as const
