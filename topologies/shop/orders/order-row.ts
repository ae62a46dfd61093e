/**
 * The state of one order: everything the decider knows, in one row.
 *
 * Written about eight times per order, so it holds no derived ids: hold, shipment and first
 * payment ids follow from the order id (`shared/ids.ts`). Optional fields exist only when needed.
 */

import { columns } from '../../../src/index.ts'
import type { OrderItem, PaymentMethod, ShipmentStatus } from '../shared/commands.ts'
import type { ReturnState } from '../shared/events.ts'
import type { SeenCommand } from '../shared/seen-commands.ts'

export type OrderStatus =
  | 'reserving'
  | 'paying'
  | 'review'
  | 'deducting'
  | 'backordered'
  | 'confirmed'
  | 'compensating'
  | 'closing'
  | 'completed'
  | 'rejected'
  | 'cancelled'
  | 'expired'

/** How an order ends that is not delivered. */
export type OrderOutcome = 'rejected' | 'cancelled' | 'expired'

export const finalStatuses: ReadonlySet<OrderStatus> = new Set<OrderStatus>([
  'completed',
  'rejected',
  'cancelled',
  'expired',
])

/** Ended without delivering anything. */
export const undelivered: ReadonlySet<OrderStatus> = new Set<OrderStatus>([
  'rejected',
  'cancelled',
  'expired',
])

/**
 * Where a line's stock stands.
 * ```
 *   asked ─► held ─► deducting ─► deducted ─► returning ─► returned
 *     │       ├─► expired ─► deducting            │
 *     ▼       ▼           │        ▼              ▼
 *   failed  releasing ─► released  lost       releasing
 *   asked ─► waiting ─► held | failed | releasing
 * ```
 * `failed`, `expired`, `lost`, `released`, `returned`: nothing is held or taken for this line.
 */
export type LineState =
  | 'asked'
  | 'waiting'
  | 'held'
  | 'failed'
  | 'expired'
  | 'releasing'
  | 'released'
  | 'deducting'
  | 'deducted'
  | 'lost'
  | 'returning'
  | 'returned'

export interface OrderLine extends OrderItem {
  readonly state: LineState
  /** Number of the shipment that it is in, from 1, where the order ships in parts. */
  readonly parcel?: number
}

export interface OrderRefund {
  readonly refundId: string
  readonly amountMinor: number
  readonly state: 'asked' | 'done' | 'failed'
}

export interface OrderCharge {
  readonly paymentId: string
  readonly state: 'asked' | 'unknown' | 'captured' | 'declined'
  readonly capturedMinor: number
  readonly refunds?: readonly OrderRefund[]
}

export interface OrderShipment {
  readonly status: ShipmentStatus
  /** Version of the shipment it is known to have; older reports are duplicates. */
  readonly version: number
  readonly carrier: string
  readonly trackingNumber: string
}

/** The second and later ones of an order that ships in parts. */
export interface LaterShipment extends OrderShipment {
  readonly number: number
}

export interface OrderRow {
  readonly orderId: string
  /** Rises with each change of the row. */
  readonly version: number
  readonly status: OrderStatus
  readonly customerId: string
  readonly currency: string
  readonly paymentMethod: PaymentMethod
  readonly totalMinor: number
  readonly lines: readonly OrderLine[]
  readonly charges: readonly OrderCharge[]
  /** Paid back on purpose (RefundOrder) of what the shop would otherwise keep. */
  readonly waivedMinor?: number
  /** The first, as a rule the only one. */
  readonly shipment?: OrderShipment
  readonly laterShipments?: readonly LaterShipment[]
  readonly returnState?: ReturnState
  /** Where `closing` and `compensating` lead, and why. */
  readonly outcome?: OrderOutcome
  readonly reason?: string
  /** A CancelOrder that waits for the outcome of a charge in `review`. */
  readonly cancelReason?: string
  readonly shippingAddress?: string
  readonly notes?: string
  readonly placedAtMs: number
  readonly createdAtMs: number
  /** Processing time at which an alarm or an expiry is due; absent when final. */
  readonly deadlineMs?: number
  /** Processing time at which `deadlineMs` was set: tells whether the clock was set back since. */
  readonly deadlineSetMs?: number
  /** Where the deadline index has its one row of this order; never after `deadlineMs`. */
  readonly indexedDeadlineMs?: number
  /** How often a deadline passed without the answer waited for. */
  readonly alarms?: number
  readonly createHash: string
  readonly correlationId: string
  readonly seen?: readonly SeenCommand[]
}

export const isFinal = ({ status }: OrderRow): boolean => finalStatuses.has(status)

/** Money that was taken, over all charges. */
export const capturedMinorOf = ({ charges }: OrderRow): number =>
  charges.reduce((sum, { capturedMinor }) => sum + capturedMinor, 0)

/** Money paid back, or asked to be: everything but failed refunds. */
export const refundingMinorOf = ({ charges }: OrderRow): number =>
  charges.reduce((sum, charge) => sum + chargeRefundingMinorOf(charge), 0)

export const refundedMinorOf = ({ charges }: OrderRow): number =>
  charges.reduce((sum, charge) => sum + sumRefunds(charge, ({ state }) => state === 'done'), 0)

export const chargeRefundingMinorOf = (charge: OrderCharge): number =>
  sumRefunds(charge, ({ state }) => state !== 'failed')

/** Lines that will not be delivered, whatever becomes of the others of their order. */
export const isCancelledLine = ({ state }: OrderLine): boolean =>
  state === 'failed' || state === 'lost' || state === 'releasing' || state === 'released'

/** What the order costs as things stand: all lines but those that were cancelled. */
export const dueMinorOf = ({ totalMinor, lines }: Pick<OrderRow, 'totalMinor' | 'lines'>): number =>
  lines.reduce(
    (due, line) => (isCancelledLine(line) ? due - line.quantity * line.priceMinor : due),
    totalMinor,
  )

/** Whether the outcome of a charge is still to come. */
export const hasChargeInFlight = ({ charges }: OrderRow): boolean =>
  charges.some(({ state }) => state === 'asked' || state === 'unknown')

const sumRefunds = ({ refunds }: OrderCharge, counts: (refund: OrderRefund) => boolean): number => {
  let sum = 0
  for (const refund of refunds ?? []) if (counts(refund)) sum += refund.amountMinor
  return sum
}

/** Columns may be added at the end. */
export const orderRows = columns<OrderRow>('order/1', {
  orderId: 'json',
  version: 'json',
  status: 'json',
  customerId: 'json',
  currency: 'json',
  paymentMethod: 'json',
  totalMinor: 'json',
  lines: [
    { productId: 'json', quantity: 'json', priceMinor: 'json', state: 'json', parcel: 'json' },
  ],
  charges: [
    {
      paymentId: 'json',
      state: 'json',
      capturedMinor: 'json',
      refunds: [{ refundId: 'json', amountMinor: 'json', state: 'json' }],
    },
  ],
  placedAtMs: 'json',
  createdAtMs: 'json',
  createHash: 'json',
  correlationId: 'json',
  deadlineMs: 'json',
  deadlineSetMs: 'json',
  indexedDeadlineMs: 'json',
  shipment: { status: 'json', version: 'json', carrier: 'json', trackingNumber: 'json' },
  alarms: 'json',
  waivedMinor: 'json',
  returnState: 'json',
  outcome: 'json',
  reason: 'json',
  cancelReason: 'json',
  shippingAddress: 'json',
  notes: 'json',
  seen: [{ commandId: 'json', hash: 'json', atMs: 'json', refusal: 'json' }],
  laterShipments: [
    { status: 'json', version: 'json', carrier: 'json', trackingNumber: 'json', number: 'json' },
  ],
})
