/**
 * One shipment, and the state machine of its status as data.
 * ```
 *   CREATED ─► SHIPPED ─► IN_TRANSIT ─► OUT_FOR_DELIVERY ─► DELIVERED
 *                 └────────────┴──► DELIVERED   ▲   ▼
 *                                          DELIVERY_FAILED ─► DELIVERED
 * ```
 */

import { columns } from '../../../src/index.ts'
import type { ShipmentStatus } from '../shared/commands.ts'

export interface ShipmentRow {
  readonly shipmentId: string
  readonly orderId: string
  /** Rises with each change. */
  readonly version: number
  readonly status: ShipmentStatus
  readonly carrier: string
  readonly trackingNumber: string
  readonly estimatedDeliveryMs: number
  readonly location?: string
  readonly shippingAddress?: string
  /** When the automatic carrier moves it next, in ms; absent when delivered or moved by hand. */
  readonly dueMs?: number
  /** Wall clock at which `dueMs` was set: tells whether the clock was set back since. */
  readonly dueSetMs?: number
  readonly correlationId: string
  readonly bodyHash: string
}

export const nextShipmentStatuses: Readonly<Record<ShipmentStatus, readonly ShipmentStatus[]>> = {
  CREATED: ['SHIPPED'],
  SHIPPED: ['IN_TRANSIT', 'OUT_FOR_DELIVERY', 'DELIVERED'],
  IN_TRANSIT: ['OUT_FOR_DELIVERY', 'DELIVERED'],
  OUT_FOR_DELIVERY: ['DELIVERY_FAILED', 'DELIVERED'],
  DELIVERY_FAILED: ['OUT_FOR_DELIVERY', 'DELIVERED'],
  DELIVERED: [],
}

/** Columns may be added at the end. */
export const shipmentRows = columns<ShipmentRow>('shipment/1', {
  shipmentId: 'json',
  orderId: 'json',
  version: 'json',
  status: 'json',
  carrier: 'json',
  trackingNumber: 'json',
  estimatedDeliveryMs: 'json',
  correlationId: 'json',
  bodyHash: 'json',
  dueMs: 'json',
  dueSetMs: 'json',
  location: 'json',
  shippingAddress: 'json',
})
