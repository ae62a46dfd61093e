/**
 * One shipment, and the state machine of its status as data.
 * ```
 *   CREATED ─► SHIPPED ─► IN_TRANSIT ─► OUT_FOR_DELIVERY ─► DELIVERED
 *                 └────────────┴──► DELIVERED   ▲   ▼
 *                                          DELIVERY_FAILED ─► DELIVERED
 * ```
 */

import { columns } from '../../../src/index.ts'
import type { ShipmentStatus, ShippedItem } from '../shared/commands.ts'
import type { SeenCommand } from '../shared/seen-commands.ts'

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
  /** Where the order ships in parts: which part this is, from 1, and what is in it. */
  readonly shipmentNumber?: number
  readonly items?: readonly ShippedItem[]
  /** When the automatic carrier moves it next, in ms; absent when delivered or moved by hand. */
  readonly dueMs?: number
  /** Wall clock at which `dueMs` was set: tells whether the clock was set back since. */
  readonly dueSetMs?: number
  /** Wall clock; absent in rows of earlier releases. */
  readonly createdAtMs?: number
  /** Wall clock; absent before, and in rows of earlier releases. */
  readonly shippedAtMs?: number
  readonly correlationId: string
  readonly bodyHash: string
  /** From leaving to arrival, where it is not that of the settings. */
  readonly deliverAfterMs?: number
  /** Status updates, followed or refused. */
  readonly seen?: readonly SeenCommand[]
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
  deliverAfterMs: 'json',
  seen: [{ commandId: 'json', hash: 'json', atMs: 'json', refusal: 'json' }],
  createdAtMs: 'json',
  shippedAtMs: 'json',
  shipmentNumber: 'json',
  items: [{ productId: 'json', quantity: 'json' }],
})
