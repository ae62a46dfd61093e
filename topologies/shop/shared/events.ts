/**
 * Every event of the shop: data types and one tagged union per topic (tag: `eventType`).
 *
 * 1. An event states a fact and is never taken back; a later event corrects it. 2. Only the orders
 * flow writes order and platform events, only payments writes payment events, and so on.
 */

import type { OrderItem, PaymentMethod, ShipmentStatus, ShippedItem } from './commands.ts'
import type { EventEnvelope } from './envelope.ts'

export interface OrderCreatedData {
  readonly orderId: string
  readonly customerId: string
  readonly currency: string
  readonly totalMinor: number
  readonly paymentMethod: PaymentMethod
  readonly items: readonly OrderItem[]
  readonly placedAt: string
  readonly shippingAddress?: string
  readonly notes?: string
}

/** A CreateOrder under the id of another order, which stands: the sender must choose a new id. */
export interface CreateRefusedData {
  readonly orderId: string
  readonly code: 'ORDER_ID_REUSED'
  readonly reason: string
  /** Of the refused order. */
  readonly customerId: string
}

/** An UpdateOrder for another version than the order had when it was decided; nothing changed. */
export interface OrderUpdateRefusedData {
  readonly orderId: string
  readonly code: 'VERSION_CHANGED'
  readonly reason: string
}

/** What became of a return: goods on their way back, or goods and money both back. */
export type ReturnState = 'requested' | 'started' | 'done'

export interface OrderUpdatedData {
  readonly orderId: string
  readonly shippingAddress?: string
  readonly notes?: string
  readonly returnState?: ReturnState
  /** Numbers of the lines that wait for stock as of now; from 0. */
  readonly waitingLines?: readonly number[]
  /** Numbers of the lines that will not be delivered, of an order that goes on. */
  readonly cancelledLines?: readonly number[]
}

export interface OrderConfirmedData {
  readonly orderId: string
  readonly customerId: string
  readonly currency: string
  readonly totalMinor: number
  readonly capturedMinor: number
}

/** Data of OrderCancelled, OrderRejected and OrderExpired alike. */
export interface OrderEndedData {
  readonly orderId: string
  readonly customerId: string
  readonly reason: string
  /** Money had been captured, and all of it was refunded. */
  readonly refundRequired: boolean
  readonly refundedMinor: number
  readonly currency: string
}

export interface OrderCompletedData {
  readonly orderId: string
  readonly customerId: string
  readonly shipmentId: string
  readonly currency: string
  readonly totalMinor: number
}

export interface WorkflowStartedData {
  readonly orderId: string
  readonly workflow: 'order'
}

export interface SagaEndedData {
  readonly orderId: string
  readonly workflow: 'order'
  readonly outcome: string
  readonly reason?: string
}

export interface PaymentProcessedData {
  readonly paymentId: string
  readonly orderId: string
  readonly status: 'COMPLETED' | 'FAILED'
  readonly amountMinor: number
  /** What the provider took: may be less than asked for; 0 when FAILED. */
  readonly capturedMinor: number
  readonly currency: string
  readonly method: PaymentMethod
  readonly transactionId?: string
  readonly reason?: string
}

/** The provider could not be asked to the end: neither captured nor declined, asked again. */
export interface PaymentUnknownData {
  readonly paymentId: string
  readonly orderId: string
  readonly amountMinor: number
  readonly currency: string
  readonly method: PaymentMethod
  readonly error: string
}

export interface PaymentRefundedData {
  readonly refundId: string
  readonly paymentId: string
  readonly orderId: string
  readonly status: 'COMPLETED' | 'FAILED'
  readonly amountMinor: number
  readonly currency: string
  readonly reason: string
  /** Captured and neither refunded nor being refunded: what another refund may ask for. */
  readonly refundableMinor: number
}

/** Data of every event that answers an order about one of its lines. */
export interface StockReplyData {
  readonly productId: string
  readonly orderId: string
  readonly holdId: string
  readonly line: number
  readonly quantity: number
  /** Stock of the product after the fact. */
  readonly onHand: number
  readonly held: number
  readonly reason?: string
}

export interface InventoryUpdatedData {
  readonly productId: string
  readonly operation: 'ADD' | 'SUBTRACT'
  readonly quantityChange: number
  readonly reason: 'ORDER' | 'RESTOCK' | 'ADJUSTMENT'
  readonly onHand: number
  readonly held: number
  readonly safetyStock: number
}

/**
 * Why an UpdateStock was not followed.
 *
 * `STOCK_BELOW_HELD` orders hold it: add stock, or send with `force` · `STOCK_BELOW_ZERO` more than
 * there is: count again · `STOCK_TOO_LARGE` more than the shop counts · `COMMAND_ID_REUSED` another
 * body came under this id before, and stands · `VERSION_CHANGED` it was meant for another version
 * of the product: look again.
 */
export type StockRefusalCode =
  | 'STOCK_BELOW_HELD'
  | 'STOCK_BELOW_ZERO'
  | 'STOCK_TOO_LARGE'
  | 'COMMAND_ID_REUSED'
  | 'VERSION_CHANGED'

export interface StockRefusal {
  readonly code: StockRefusalCode
  readonly reason: string
}

/** Nothing changed; onHand and held are what the decision met. */
export interface UpdateRefusedData extends StockRefusal {
  readonly productId: string
  readonly operation: 'ADD' | 'SUBTRACT'
  readonly quantity: number
  readonly onHand: number
  readonly held: number
}

export interface LowStockData {
  readonly productId: string
  readonly available: number
  readonly threshold: number
}

export interface ShipmentCreatedData {
  readonly shipmentId: string
  readonly orderId: string
  readonly carrier: string
  readonly trackingNumber: string
  /** ISO-8601. */
  readonly estimatedDelivery: string
  /** Where the order ships in parts: which part this is, from 1, and what is in it. */
  readonly shipmentNumber?: number
  readonly items?: readonly ShippedItem[]
}

export interface ShipmentStatusUpdatedData {
  readonly shipmentId: string
  readonly orderId: string
  readonly status: ShipmentStatus
  readonly carrier: string
  readonly location?: string
}

/** What a customer is told of. */
export type NotificationKind =
  | 'ORDER_CONFIRMED'
  | 'ORDER_REJECTED'
  | 'ORDER_CANCELLED'
  | 'ORDER_EXPIRED'
  | 'ORDER_SHIPPED'
  | 'ORDER_DELIVERED'
  | 'PAYMENT_FAILED'
  | 'REFUND_DONE'

export interface NotificationData {
  readonly customerId: string
  readonly orderId: string
  readonly kind: NotificationKind
  readonly currency: string
  /** Of the order when it was confirmed or paid back, of the charge or refund; else absent. */
  readonly amountMinor?: number
  /** Why the order was rejected, cancelled or expired. */
  readonly reason?: string
  readonly carrier?: string
  readonly trackingNumber?: string
}

export type OrderEndedType = 'order.cancelled' | 'order.rejected' | 'order.expired'

export type OrderEvent =
  | EventEnvelope<'order.created', OrderCreatedData>
  | EventEnvelope<'order.create-refused', CreateRefusedData>
  | EventEnvelope<'order.updated', OrderUpdatedData>
  | EventEnvelope<'order.update-refused', OrderUpdateRefusedData>
  | EventEnvelope<'order.confirmed', OrderConfirmedData>
  | EventEnvelope<OrderEndedType, OrderEndedData>
  | EventEnvelope<'order.completed', OrderCompletedData>

export type PlatformEvent =
  | EventEnvelope<'workflow.started', WorkflowStartedData>
  | EventEnvelope<'saga.completed' | 'saga.compensated', SagaEndedData>

export type PaymentProcessed = EventEnvelope<'payment.processed', PaymentProcessedData>
export type PaymentUnknown = EventEnvelope<'payment.unknown', PaymentUnknownData>
export type PaymentRefunded = EventEnvelope<'payment.refunded', PaymentRefundedData>
export type PaymentEvent = PaymentProcessed | PaymentUnknown | PaymentRefunded

export type StockReplyType =
  | 'stock.reserved'
  | 'stock.backordered'
  | 'reservation.failed'
  | 'stock.deducted'
  | 'deduct.failed'
  | 'stock.released'
  | 'hold.expired'
export type StockReply = EventEnvelope<StockReplyType, StockReplyData>
export type StockNotice =
  | EventEnvelope<'inventory.updated', InventoryUpdatedData>
  | EventEnvelope<'inventory.update-refused', UpdateRefusedData>
  | EventEnvelope<'stock.low', LowStockData>
export type InventoryEvent = StockReply | StockNotice

export type ShipmentCreated = EventEnvelope<'shipment.created', ShipmentCreatedData>
export type ShipmentStatusUpdated = EventEnvelope<
  'shipment.status-updated',
  ShipmentStatusUpdatedData
>
export type ShipmentEvent = ShipmentCreated | ShipmentStatusUpdated

export type NotificationRequested = EventEnvelope<'notification.requested', NotificationData>

/** Every event that a flow of the shop decides. */
export type ShopEvent = OrderEvent | PlatformEvent | PaymentEvent | InventoryEvent | ShipmentEvent
