/**
 * The state machine of an order as data: which status may follow, and what each input does.
 *
 * ```
 *        ┌───────► compensating ─────────────────► rejected
 *   reserving ──► paying ──► deducting ──► confirmed ──► completed
 *        │         │  ▲  │      ▲  │ │         ▲
 *        │         ▼  │  │      │  │ └──► backordered
 *        │        review─┼──────┘  │           │
 *        ▼          ▼    ▼         ▼           ▼
 *        └────────────► closing ◄──────────────┘
 *                          └────────────────────► cancelled, expired
 * ```
 * `backordered`: paid, and lines of it wait for stock, while others may be on their way.
 * Read by `model.ts` only. 1. A status change that `nextStatuses` lacks is a bug and throws. 2. An
 * input without an entry is illegal in that status: the record becomes a dead letter. 3. Money
 * events have an entry in every status: a money record is never dropped.
 */

import type { OrderCommand } from '../shared/commands.ts'
import type { PaymentEvent, ShipmentEvent, StockReply } from '../shared/events.ts'
import type { OrderStatus } from './order-row.ts'

export type OrderInput = OrderCommand | StockReply | PaymentEvent | ShipmentEvent

export type OrderInputType =
  | OrderCommand['commandType']
  | StockReply['eventType']
  | PaymentEvent['eventType']
  | ShipmentEvent['eventType']

export const nextStatuses: Readonly<Record<OrderStatus, readonly OrderStatus[]>> = {
  reserving: ['paying', 'compensating', 'closing'],
  paying: ['review', 'deducting', 'closing'],
  review: ['paying', 'deducting', 'closing'],
  deducting: ['backordered', 'confirmed', 'closing'],
  backordered: ['confirmed', 'closing'],
  confirmed: ['completed'],
  compensating: ['rejected'],
  closing: ['cancelled', 'expired'],
  completed: [],
  rejected: [],
  cancelled: [],
  expired: [],
}

/**
 * `drop`: a repetition, or an answer or a wish that came too late to matter; counted, nothing else.
 */
export type OrderAction =
  | 'drop'
  | 'createAgain'
  | 'update'
  | 'cancel'
  | 'cancelAfterReview'
  | 'returnGoods'
  | 'refund'
  | 'cancelUnshipped'
  | 'lineHeld'
  | 'lineBackordered'
  | 'lineFilled'
  | 'lineWaitedTooLong'
  | 'lineCancelled'
  | 'lineRefused'
  | 'lineDeducted'
  | 'lineLost'
  | 'lineReleased'
  | 'lineReturned'
  | 'lineExpired'
  | 'lateHold'
  | 'paymentProcessed'
  | 'paymentUnknown'
  | 'paymentRefunded'
  | 'shipmentCreated'
  | 'shipmentMoved'

type Row = Readonly<Partial<Record<OrderInputType, OrderAction>>>

const always = {
  CreateOrder: 'createAgain',
  'payment.processed': 'paymentProcessed',
  'payment.unknown': 'paymentUnknown',
  'payment.refunded': 'paymentRefunded',
} as const satisfies Row

/** Stock answers outside of the step that waits for them repeat what is known. */
const stockKnown = {
  'stock.reserved': 'drop',
  'stock.backordered': 'drop',
  'reservation.failed': 'drop',
  'stock.deducted': 'drop',
  'deduct.failed': 'drop',
  'stock.released': 'drop',
  'hold.expired': 'drop',
} as const satisfies Row

/** A line that waits for stock is told of while others go their way. */
const waitingKnown = {
  ...stockKnown,
  'stock.reserved': 'lineFilled',
  'reservation.failed': 'lineWaitedTooLong',
} as const satisfies Row

const windingDown: Row = {
  ...always,
  ...stockKnown,
  UpdateOrder: 'drop',
  CancelOrder: 'drop',
  'stock.released': 'lineReleased',
  RefundOrder: 'refund',
}

const ended: Row = {
  ...always,
  ...stockKnown,
  UpdateOrder: 'drop',
  CancelOrder: 'drop',
  'stock.reserved': 'lateHold',
  RefundOrder: 'refund',
}

const shipped: Row = {
  ...always,
  ...stockKnown,
  UpdateOrder: 'drop',
  CancelOrder: 'returnGoods',
  RefundOrder: 'refund',
  'stock.released': 'lineReturned',
  'shipment.created': 'shipmentCreated',
  'shipment.status-updated': 'shipmentMoved',
}

export const orderActions: Readonly<Record<OrderStatus, Row>> = {
  reserving: {
    ...always,
    ...stockKnown,
    UpdateOrder: 'update',
    CancelOrder: 'cancel',
    'stock.reserved': 'lineHeld',
    'stock.backordered': 'lineBackordered',
    'reservation.failed': 'lineRefused',
    'hold.expired': 'lineExpired',
  },
  paying: {
    ...always,
    ...waitingKnown,
    UpdateOrder: 'update',
    CancelOrder: 'cancel',
    'hold.expired': 'lineExpired',
  },
  review: {
    ...always,
    ...waitingKnown,
    UpdateOrder: 'update',
    CancelOrder: 'cancelAfterReview',
    'hold.expired': 'lineExpired',
  },
  deducting: {
    ...always,
    ...waitingKnown,
    UpdateOrder: 'update',
    CancelOrder: 'cancel',
    'stock.deducted': 'lineDeducted',
    'deduct.failed': 'lineLost',
  },
  backordered: {
    ...shipped,
    ...waitingKnown,
    CancelOrder: 'cancelUnshipped',
    'stock.deducted': 'lineDeducted',
    'deduct.failed': 'lineLost',
    'stock.released': 'lineCancelled',
  },
  confirmed: shipped,
  completed: { ...shipped, 'shipment.created': 'drop', 'stock.reserved': 'lateHold' },
  compensating: windingDown,
  closing: windingDown,
  rejected: ended,
  cancelled: ended,
  expired: ended,
}
