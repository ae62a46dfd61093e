/**
 * Every command of the shop: data types and one tagged union per topic (tag: `commandType`).
 *
 * Order, payment and shipment commands are keyed by orderId, stock commands by productId.
 * 1. A command states a wish; only its receiver decides. 2. Amounts are minor units.
 */

import type { CommandEnvelope } from './envelope.ts'

export type PaymentMethod = 'card' | 'transfer'

export interface OrderItem {
  readonly productId: string
  readonly quantity: number
  readonly priceMinor: number
}

export interface CreateOrderData {
  readonly orderId: string
  readonly customerId: string
  readonly currency: string
  readonly paymentMethod: PaymentMethod
  readonly items: readonly OrderItem[]
  readonly shippingAddress?: string
  readonly notes?: string
  /** ISO-8601; when the customer ordered, if not now. */
  readonly placedAt?: string
}

/** Lines and totals are frozen from the start: only these two may change, until shipment. */
export interface UpdateOrderData {
  readonly orderId: string
  readonly shippingAddress?: string
  readonly notes?: string
  /** Refused if the order is of another version by then. */
  readonly ifVersion?: number
}

export interface CancelOrderData {
  readonly orderId: string
  readonly reason: string
  /** Refused if the order is of another version by then. */
  readonly ifVersion?: number
}

/** Pays money back for a paid order, or asks again for a refund the provider refused. */
export interface RefundOrderData {
  readonly orderId: string
  /** All that is left, if absent. */
  readonly amountMinor?: number
  readonly reason: string
}

/** What every command about a hold names. */
export interface HoldData {
  readonly productId: string
  readonly orderId: string
  readonly holdId: string
  readonly line: number
  readonly quantity: number
}

export interface ReserveStockData extends HoldData {
  /** The line may wait for stock, so long at most; absent: it is refused if there is none. */
  readonly waitMs?: number
}

export type DeductStockData = HoldData

/** `compensation` and `return` also take back what was deducted; the others never do. */
export type ReleaseReason = 'closing' | 'late' | 'compensation' | 'return'

export interface ReleaseStockData extends HoldData {
  readonly reason: ReleaseReason
}

export interface UpdateStockData {
  readonly productId: string
  readonly operation: 'ADD' | 'SUBTRACT'
  readonly quantity: number
  readonly reason: 'ORDER' | 'RESTOCK' | 'ADJUSTMENT'
  /** SUBTRACT below what is held breaks the newest holds instead of being refused. */
  readonly force?: boolean
  /** Units never promised to orders; unchanged if absent. */
  readonly safetyStock?: number
  /** Refused if the product is of another version by then, or not there. */
  readonly ifVersion?: number
}

export interface ProcessPaymentData {
  readonly paymentId: string
  readonly orderId: string
  readonly customerId: string
  readonly amountMinor: number
  readonly currency: string
  readonly method: PaymentMethod
}

export interface RefundPaymentData {
  readonly refundId: string
  readonly paymentId: string
  readonly orderId: string
  readonly amountMinor: number
  readonly reason: string
  /** Refused if the payment is of another version by then. */
  readonly ifVersion?: number
}

export interface ShippedItem {
  readonly productId: string
  readonly quantity: number
}

export interface CreateShipmentData {
  readonly shipmentId: string
  readonly orderId: string
  readonly items: readonly ShippedItem[]
  readonly shippingAddress?: string
  /** Of the order; carriers may be chosen by it. */
  readonly totalMinor?: number
  readonly currency?: string
  /** Of an order that ships in parts; counted from 1. */
  readonly shipmentNumber?: number
}

export type ShipmentStatus =
  | 'CREATED'
  | 'SHIPPED'
  | 'IN_TRANSIT'
  | 'OUT_FOR_DELIVERY'
  | 'DELIVERY_FAILED'
  | 'DELIVERED'

export interface UpdateShipmentStatusData {
  readonly shipmentId: string
  readonly orderId: string
  readonly status: ShipmentStatus
  readonly location?: string
  /** Refused if the shipment is of another version by then. */
  readonly ifVersion?: number
}

export type CreateOrder = CommandEnvelope<'CreateOrder', CreateOrderData>
export type UpdateOrder = CommandEnvelope<'UpdateOrder', UpdateOrderData>
export type CancelOrder = CommandEnvelope<'CancelOrder', CancelOrderData>
export type RefundOrder = CommandEnvelope<'RefundOrder', RefundOrderData>
export type OrderCommand = CreateOrder | UpdateOrder | CancelOrder | RefundOrder

export type ReserveStock = CommandEnvelope<'ReserveStock', ReserveStockData>
export type DeductStock = CommandEnvelope<'DeductStock', DeductStockData>
export type ReleaseStock = CommandEnvelope<'ReleaseStock', ReleaseStockData>
export type UpdateStock = CommandEnvelope<'UpdateStock', UpdateStockData>
export type HoldCommand = ReserveStock | DeductStock | ReleaseStock
export type InventoryCommand = HoldCommand | UpdateStock

export type ProcessPayment = CommandEnvelope<'ProcessPayment', ProcessPaymentData>
export type RefundPayment = CommandEnvelope<'RefundPayment', RefundPaymentData>
export type PaymentCommand = ProcessPayment | RefundPayment

export type CreateShipment = CommandEnvelope<'CreateShipment', CreateShipmentData>
export type UpdateShipmentStatus = CommandEnvelope<'UpdateShipmentStatus', UpdateShipmentStatusData>
export type ShipmentCommand = CreateShipment | UpdateShipmentStatus
