/** Made by scripts/schema-types.ts from topologies/shop/schemas: do not edit. */

interface Metadata {
  readonly correlationId: string
  readonly causationId: string
  readonly schemaVersion: number
}

export interface AuditEntry {
  readonly entryId: string
  readonly topic: string
  readonly event: string
}
export interface DeductFailed {
  readonly eventId: string
  readonly eventType: 'deduct.failed'
  readonly eventVersion: string
  readonly timestamp: string
  readonly source: string
  readonly aggregateId: string
  readonly aggregateVersion: number
  readonly data: {
    readonly productId: string
    readonly orderId: string
    readonly holdId: string
    readonly line: number
    readonly quantity: number
    readonly onHand: number
    readonly held: number
    readonly reason?: string
  }
  readonly metadata: Metadata
}
export interface HoldExpired {
  readonly eventId: string
  readonly eventType: 'hold.expired'
  readonly eventVersion: string
  readonly timestamp: string
  readonly source: string
  readonly aggregateId: string
  readonly aggregateVersion: number
  readonly data: {
    readonly productId: string
    readonly orderId: string
    readonly holdId: string
    readonly line: number
    readonly quantity: number
    readonly onHand: number
    readonly held: number
    readonly reason?: string
  }
  readonly metadata: Metadata
}
export interface InventoryUpdateRefused {
  readonly eventId: string
  readonly eventType: 'inventory.update-refused'
  readonly eventVersion: string
  readonly timestamp: string
  readonly source: string
  readonly aggregateId: string
  readonly aggregateVersion: number
  readonly data: {
    readonly productId: string
    readonly operation: 'ADD' | 'SUBTRACT'
    readonly quantity: number
    readonly code:
      | 'STOCK_BELOW_HELD'
      | 'STOCK_BELOW_ZERO'
      | 'STOCK_TOO_LARGE'
      | 'COMMAND_ID_REUSED'
      | 'VERSION_CHANGED'
    readonly reason: string
    readonly onHand: number
    readonly held: number
  }
  readonly metadata: Metadata
}
export interface InventoryUpdated {
  readonly eventId: string
  readonly eventType: 'inventory.updated'
  readonly eventVersion: string
  readonly timestamp: string
  readonly source: string
  readonly aggregateId: string
  readonly aggregateVersion: number
  readonly data: {
    readonly productId: string
    readonly operation: 'ADD' | 'SUBTRACT'
    readonly quantityChange: number
    readonly reason: 'ORDER' | 'RESTOCK' | 'ADJUSTMENT'
    readonly onHand: number
    readonly held: number
    readonly safetyStock: number
  }
  readonly metadata: Metadata
}
export interface NotificationRequested {
  readonly eventId: string
  readonly eventType: 'notification.requested'
  readonly eventVersion: string
  readonly timestamp: string
  readonly source: string
  readonly aggregateId: string
  readonly aggregateVersion: number
  readonly data: {
    readonly customerId: string
    readonly orderId: string
    readonly kind:
      | 'ORDER_CONFIRMED'
      | 'ORDER_REJECTED'
      | 'ORDER_CANCELLED'
      | 'ORDER_EXPIRED'
      | 'ORDER_SHIPPED'
      | 'ORDER_DELIVERED'
      | 'PAYMENT_FAILED'
      | 'REFUND_DONE'
    readonly currency: string
    readonly amountMinor?: number
    readonly reason?: string
    readonly carrier?: string
    readonly trackingNumber?: string
  }
  readonly metadata: Metadata
}
export interface OrderCancelled {
  readonly eventId: string
  readonly eventType: 'order.cancelled'
  readonly eventVersion: string
  readonly timestamp: string
  readonly source: string
  readonly aggregateId: string
  readonly aggregateVersion: number
  readonly data: {
    readonly orderId: string
    readonly customerId: string
    readonly reason: string
    readonly refundRequired: boolean
    readonly refundedMinor: number
    readonly currency: string
  }
  readonly metadata: Metadata
}
export interface OrderCompleted {
  readonly eventId: string
  readonly eventType: 'order.completed'
  readonly eventVersion: string
  readonly timestamp: string
  readonly source: string
  readonly aggregateId: string
  readonly aggregateVersion: number
  readonly data: {
    readonly orderId: string
    readonly customerId: string
    readonly shipmentId: string
    readonly currency: string
    readonly totalMinor: number
  }
  readonly metadata: Metadata
}
export interface OrderConfirmed {
  readonly eventId: string
  readonly eventType: 'order.confirmed'
  readonly eventVersion: string
  readonly timestamp: string
  readonly source: string
  readonly aggregateId: string
  readonly aggregateVersion: number
  readonly data: {
    readonly orderId: string
    readonly customerId: string
    readonly currency: string
    readonly totalMinor: number
    readonly capturedMinor: number
  }
  readonly metadata: Metadata
}
export interface OrderCreateRefused {
  readonly eventId: string
  readonly eventType: 'order.create-refused'
  readonly eventVersion: string
  readonly timestamp: string
  readonly source: string
  readonly aggregateId: string
  readonly aggregateVersion: number
  readonly data: {
    readonly orderId: string
    readonly code: 'ORDER_ID_REUSED'
    readonly reason: string
    readonly customerId: string
  }
  readonly metadata: Metadata
}
export interface OrderCreated {
  readonly eventId: string
  readonly eventType: 'order.created'
  readonly eventVersion: string
  readonly timestamp: string
  readonly source: string
  readonly aggregateId: string
  readonly aggregateVersion: number
  readonly data: {
    readonly orderId: string
    readonly customerId: string
    readonly currency: string
    readonly totalMinor: number
    readonly paymentMethod: 'card' | 'transfer'
    readonly items: readonly {
      readonly productId: string
      readonly quantity: number
      readonly priceMinor: number
    }[]
    readonly placedAt: string
    readonly shippingAddress?: string
    readonly notes?: string
  }
  readonly metadata: Metadata
}
export interface OrderExpired {
  readonly eventId: string
  readonly eventType: 'order.expired'
  readonly eventVersion: string
  readonly timestamp: string
  readonly source: string
  readonly aggregateId: string
  readonly aggregateVersion: number
  readonly data: {
    readonly orderId: string
    readonly customerId: string
    readonly reason: string
    readonly refundRequired: boolean
    readonly refundedMinor: number
    readonly currency: string
  }
  readonly metadata: Metadata
}
export interface OrderRejected {
  readonly eventId: string
  readonly eventType: 'order.rejected'
  readonly eventVersion: string
  readonly timestamp: string
  readonly source: string
  readonly aggregateId: string
  readonly aggregateVersion: number
  readonly data: {
    readonly orderId: string
    readonly customerId: string
    readonly reason: string
    readonly refundRequired: boolean
    readonly refundedMinor: number
    readonly currency: string
  }
  readonly metadata: Metadata
}
export interface OrderUpdateRefused {
  readonly eventId: string
  readonly eventType: 'order.update-refused'
  readonly eventVersion: string
  readonly timestamp: string
  readonly source: string
  readonly aggregateId: string
  readonly aggregateVersion: number
  readonly data: {
    readonly orderId: string
    readonly code: 'VERSION_CHANGED'
    readonly reason: string
  }
  readonly metadata: Metadata
}
export interface OrderUpdated {
  readonly eventId: string
  readonly eventType: 'order.updated'
  readonly eventVersion: string
  readonly timestamp: string
  readonly source: string
  readonly aggregateId: string
  readonly aggregateVersion: number
  readonly data: {
    readonly orderId: string
    readonly shippingAddress?: string
    readonly notes?: string
    readonly returnState?: 'requested' | 'started' | 'done'
    readonly waitingLines?: readonly number[]
    readonly cancelledLines?: readonly number[]
  }
  readonly metadata: Metadata
}
export interface PaymentProcessed {
  readonly eventId: string
  readonly eventType: 'payment.processed'
  readonly eventVersion: string
  readonly timestamp: string
  readonly source: string
  readonly aggregateId: string
  readonly aggregateVersion: number
  readonly data: {
    readonly paymentId: string
    readonly orderId: string
    readonly status: 'COMPLETED' | 'FAILED'
    readonly amountMinor: number
    readonly capturedMinor: number
    readonly currency: string
    readonly method: 'card' | 'transfer'
    readonly transactionId?: string
    readonly reason?: string
  }
  readonly metadata: Metadata
}
export interface PaymentProcessedV1 {
  readonly eventId: string
  readonly eventType: 'payment.processed'
  readonly eventVersion: string
  readonly timestamp: string
  readonly source: string
  readonly aggregateId: string
  readonly aggregateVersion: number
  readonly data: {
    readonly paymentId: string
    readonly orderId: string
    readonly status: 'COMPLETED' | 'FAILED'
    readonly amountMinor: number
    readonly capturedMinor?: number
    readonly currency: string
    readonly method: 'card' | 'transfer'
    readonly transactionId?: string
    readonly reason?: string
  }
  readonly metadata: Metadata
}
export interface PaymentRefunded {
  readonly eventId: string
  readonly eventType: 'payment.refunded'
  readonly eventVersion: string
  readonly timestamp: string
  readonly source: string
  readonly aggregateId: string
  readonly aggregateVersion: number
  readonly data: {
    readonly refundId: string
    readonly paymentId: string
    readonly orderId: string
    readonly status: 'COMPLETED' | 'FAILED'
    readonly amountMinor: number
    readonly currency: string
    readonly reason: string
    readonly refundableMinor: number
  }
  readonly metadata: Metadata
}
export interface PaymentUnknown {
  readonly eventId: string
  readonly eventType: 'payment.unknown'
  readonly eventVersion: string
  readonly timestamp: string
  readonly source: string
  readonly aggregateId: string
  readonly aggregateVersion: number
  readonly data: {
    readonly paymentId: string
    readonly orderId: string
    readonly amountMinor: number
    readonly currency: string
    readonly method: 'card' | 'transfer'
    readonly error: string
  }
  readonly metadata: Metadata
}
export interface ReservationFailed {
  readonly eventId: string
  readonly eventType: 'reservation.failed'
  readonly eventVersion: string
  readonly timestamp: string
  readonly source: string
  readonly aggregateId: string
  readonly aggregateVersion: number
  readonly data: {
    readonly productId: string
    readonly orderId: string
    readonly holdId: string
    readonly line: number
    readonly quantity: number
    readonly onHand: number
    readonly held: number
    readonly reason?: string
  }
  readonly metadata: Metadata
}
export interface SagaCompensated {
  readonly eventId: string
  readonly eventType: 'saga.compensated'
  readonly eventVersion: string
  readonly timestamp: string
  readonly source: string
  readonly aggregateId: string
  readonly aggregateVersion: number
  readonly data: {
    readonly orderId: string
    readonly workflow: 'order'
    readonly outcome: string
    readonly reason?: string
  }
  readonly metadata: Metadata
}
export interface SagaCompleted {
  readonly eventId: string
  readonly eventType: 'saga.completed'
  readonly eventVersion: string
  readonly timestamp: string
  readonly source: string
  readonly aggregateId: string
  readonly aggregateVersion: number
  readonly data: {
    readonly orderId: string
    readonly workflow: 'order'
    readonly outcome: string
    readonly reason?: string
  }
  readonly metadata: Metadata
}
export interface ShipmentCreated {
  readonly eventId: string
  readonly eventType: 'shipment.created'
  readonly eventVersion: string
  readonly timestamp: string
  readonly source: string
  readonly aggregateId: string
  readonly aggregateVersion: number
  readonly data: {
    readonly shipmentId: string
    readonly orderId: string
    readonly carrier: string
    readonly trackingNumber: string
    readonly estimatedDelivery: string
    readonly shipmentNumber?: number
    readonly items?: readonly {
      readonly productId: string
      readonly quantity: number
    }[]
  }
  readonly metadata: Metadata
}
export interface ShipmentStatusUpdated {
  readonly eventId: string
  readonly eventType: 'shipment.status-updated'
  readonly eventVersion: string
  readonly timestamp: string
  readonly source: string
  readonly aggregateId: string
  readonly aggregateVersion: number
  readonly data: {
    readonly shipmentId: string
    readonly orderId: string
    readonly status:
      | 'CREATED'
      | 'SHIPPED'
      | 'IN_TRANSIT'
      | 'OUT_FOR_DELIVERY'
      | 'DELIVERY_FAILED'
      | 'DELIVERED'
    readonly carrier: string
    readonly location?: string
  }
  readonly metadata: Metadata
}
export interface StockBackordered {
  readonly eventId: string
  readonly eventType: 'stock.backordered'
  readonly eventVersion: string
  readonly timestamp: string
  readonly source: string
  readonly aggregateId: string
  readonly aggregateVersion: number
  readonly data: {
    readonly productId: string
    readonly orderId: string
    readonly holdId: string
    readonly line: number
    readonly quantity: number
    readonly onHand: number
    readonly held: number
    readonly reason?: string
  }
  readonly metadata: Metadata
}
export interface StockDeducted {
  readonly eventId: string
  readonly eventType: 'stock.deducted'
  readonly eventVersion: string
  readonly timestamp: string
  readonly source: string
  readonly aggregateId: string
  readonly aggregateVersion: number
  readonly data: {
    readonly productId: string
    readonly orderId: string
    readonly holdId: string
    readonly line: number
    readonly quantity: number
    readonly onHand: number
    readonly held: number
    readonly reason?: string
  }
  readonly metadata: Metadata
}
export interface StockLow {
  readonly eventId: string
  readonly eventType: 'stock.low'
  readonly eventVersion: string
  readonly timestamp: string
  readonly source: string
  readonly aggregateId: string
  readonly aggregateVersion: number
  readonly data: {
    readonly productId: string
    readonly available: number
    readonly threshold: number
  }
  readonly metadata: Metadata
}
export interface StockReleased {
  readonly eventId: string
  readonly eventType: 'stock.released'
  readonly eventVersion: string
  readonly timestamp: string
  readonly source: string
  readonly aggregateId: string
  readonly aggregateVersion: number
  readonly data: {
    readonly productId: string
    readonly orderId: string
    readonly holdId: string
    readonly line: number
    readonly quantity: number
    readonly onHand: number
    readonly held: number
    readonly reason?: string
  }
  readonly metadata: Metadata
}
export interface StockReserved {
  readonly eventId: string
  readonly eventType: 'stock.reserved'
  readonly eventVersion: string
  readonly timestamp: string
  readonly source: string
  readonly aggregateId: string
  readonly aggregateVersion: number
  readonly data: {
    readonly productId: string
    readonly orderId: string
    readonly holdId: string
    readonly line: number
    readonly quantity: number
    readonly onHand: number
    readonly held: number
    readonly reason?: string
  }
  readonly metadata: Metadata
}
export interface WorkflowStarted {
  readonly eventId: string
  readonly eventType: 'workflow.started'
  readonly eventVersion: string
  readonly timestamp: string
  readonly source: string
  readonly aggregateId: string
  readonly aggregateVersion: number
  readonly data: {
    readonly orderId: string
    readonly workflow: 'order'
  }
  readonly metadata: Metadata
}
