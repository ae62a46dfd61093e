/** Made by scripts/schema-types.ts from topologies/shop/schemas: do not edit. */

interface Metadata {
  readonly correlationId: string
  readonly causationId: string
  readonly schemaVersion: number
}

export interface CancelOrder {
  readonly commandId: string
  readonly commandType: 'CancelOrder'
  readonly commandVersion: string
  readonly timestamp: string
  readonly source: string
  readonly data: {
    readonly orderId: string
    readonly reason: string
    readonly ifVersion?: number
  }
  readonly metadata: Metadata
}
export interface CreateOrder {
  readonly commandId: string
  readonly commandType: 'CreateOrder'
  readonly commandVersion: string
  readonly timestamp: string
  readonly source: string
  readonly data: {
    readonly orderId: string
    readonly customerId: string
    readonly currency: string
    readonly items: readonly {
      readonly productId: string
      readonly quantity: number
      readonly priceMinor: number
    }[]
    readonly paymentMethod: 'card' | 'transfer'
    readonly shippingAddress?: string
    readonly notes?: string
    readonly placedAt?: string
  }
  readonly metadata: Metadata
}
export interface CreateShipment {
  readonly commandId: string
  readonly commandType: 'CreateShipment'
  readonly commandVersion: string
  readonly timestamp: string
  readonly source: string
  readonly data: {
    readonly shipmentId: string
    readonly orderId: string
    readonly items: readonly {
      readonly productId: string
      readonly quantity: number
    }[]
    readonly shippingAddress?: string
    readonly totalMinor?: number
    readonly currency?: string
    readonly shipmentNumber?: number
  }
  readonly metadata: Metadata
}
export interface DeductStock {
  readonly commandId: string
  readonly commandType: 'DeductStock'
  readonly commandVersion: string
  readonly timestamp: string
  readonly source: string
  readonly data: {
    readonly productId: string
    readonly orderId: string
    readonly holdId: string
    readonly line: number
    readonly quantity: number
  }
  readonly metadata: Metadata
}
export interface ProcessPayment {
  readonly commandId: string
  readonly commandType: 'ProcessPayment'
  readonly commandVersion: string
  readonly timestamp: string
  readonly source: string
  readonly data: {
    readonly paymentId: string
    readonly orderId: string
    readonly customerId: string
    readonly amountMinor: number
    readonly currency: string
    readonly method: 'card' | 'transfer'
  }
  readonly metadata: Metadata
}
export interface RefundOrder {
  readonly commandId: string
  readonly commandType: 'RefundOrder'
  readonly commandVersion: string
  readonly timestamp: string
  readonly source: string
  readonly data: {
    readonly orderId: string
    readonly amountMinor?: number
    readonly reason: string
  }
  readonly metadata: Metadata
}
export interface RefundPayment {
  readonly commandId: string
  readonly commandType: 'RefundPayment'
  readonly commandVersion: string
  readonly timestamp: string
  readonly source: string
  readonly data: {
    readonly refundId: string
    readonly amountMinor: number
    readonly paymentId: string
    readonly orderId: string
    readonly reason: string
    readonly ifVersion?: number
  }
  readonly metadata: Metadata
}
export interface ReleaseStock {
  readonly commandId: string
  readonly commandType: 'ReleaseStock'
  readonly commandVersion: string
  readonly timestamp: string
  readonly source: string
  readonly data: {
    readonly productId: string
    readonly orderId: string
    readonly holdId: string
    readonly line: number
    readonly quantity: number
    readonly reason: 'closing' | 'late' | 'compensation' | 'return'
  }
  readonly metadata: Metadata
}
export interface ReserveStock {
  readonly commandId: string
  readonly commandType: 'ReserveStock'
  readonly commandVersion: string
  readonly timestamp: string
  readonly source: string
  readonly data: {
    readonly productId: string
    readonly orderId: string
    readonly holdId: string
    readonly line: number
    readonly quantity: number
    readonly waitMs?: number
  }
  readonly metadata: Metadata
}
export interface UpdateOrder {
  readonly commandId: string
  readonly commandType: 'UpdateOrder'
  readonly commandVersion: string
  readonly timestamp: string
  readonly source: string
  readonly data: {
    readonly orderId: string
    readonly shippingAddress?: string
    readonly notes?: string
    readonly ifVersion?: number
  }
  readonly metadata: Metadata
}
export interface UpdateShipmentStatus {
  readonly commandId: string
  readonly commandType: 'UpdateShipmentStatus'
  readonly commandVersion: string
  readonly timestamp: string
  readonly source: string
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
    readonly location?: string
    readonly ifVersion?: number
  }
  readonly metadata: Metadata
}
export interface UpdateStock {
  readonly commandId: string
  readonly commandType: 'UpdateStock'
  readonly commandVersion: string
  readonly timestamp: string
  readonly source: string
  readonly data: {
    readonly productId: string
    readonly operation: 'ADD' | 'SUBTRACT'
    readonly quantity: number
    readonly reason: 'ORDER' | 'RESTOCK' | 'ADJUSTMENT'
    readonly force?: boolean
    readonly safetyStock?: number
    readonly ifVersion?: number
  }
  readonly metadata: Metadata
}
