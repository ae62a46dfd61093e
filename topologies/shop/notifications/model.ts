/**
 * What a customer is to be told: a pure function of an order's row before and after a decision.
 *
 * Called by the orders flow, which has both rows at hand, for each decision. 1. A fact is told when
 * the row takes it up; a repetition changes no row, so it is told once. 2. A notification's id
 * follows from the id of the event that states the fact, which is also its cause. 3. Says nothing
 * of addresses and notes.
 */

import {
  capturedMinorOf,
  type OrderCharge,
  type OrderRefund,
  type OrderRow,
  refundedMinorOf,
} from '../orders/order-row.ts'
import { shipmentsOf } from '../orders/parcels.ts'
import { impersonalReason } from '../personal/personal-fields.ts'
import type { ShipmentStatus } from '../shared/commands.ts'
import type { NotificationData, NotificationKind, NotificationRequested } from '../shared/events.ts'
import { uuidV5 } from '../shared/ids.ts'
import { newEvent } from '../shared/new-event.ts'

/** A fact, and the id of the event that states it. */
interface Fact extends Omit<NotificationData, 'customerId' | 'orderId' | 'currency'> {
  readonly eventId: string
}

const none: readonly NotificationRequested[] = []

/** @param before  undefined when the order is created: nothing to tell yet */
export const notificationsOf = (
  before: OrderRow | undefined,
  after: OrderRow,
  nowMs: number,
): readonly NotificationRequested[] => {
  if (before === undefined) return none
  const facts: Fact[] = []
  if (before.charges !== after.charges) facts.push(...moneyFacts(before, after))
  if (before.status !== after.status) facts.push(...statusFacts(before, after))
  if (before.shipment !== after.shipment || before.laterShipments !== after.laterShipments) {
    facts.push(...shipmentFacts(before, after))
  }
  return facts.length === 0 ? none : facts.map((fact) => notificationOf(after, fact, nowMs))
}

const notificationOf = (
  { orderId, version, customerId, currency, correlationId }: OrderRow,
  { eventId, kind, ...details }: Fact,
  nowMs: number,
): NotificationRequested =>
  newEvent(
    'notification.requested',
    { customerId, orderId, kind, currency, ...details },
    {
      source: 'notifications',
      aggregateId: orderId,
      aggregateVersion: version,
      correlationId,
      causationId: eventId,
      nowMs,
    },
    `notification:${eventId}`,
  )

const ends = {
  rejected: 'ORDER_REJECTED',
  cancelled: 'ORDER_CANCELLED',
  expired: 'ORDER_EXPIRED',
} as const

const statusFacts = (before: OrderRow, row: OrderRow): readonly Fact[] => {
  const { orderId, status, version, reason } = row
  const eventId = uuidV5(orderId, `order.${status}:${version}`)
  if (status === 'confirmed' || (status === 'completed' && before.status !== 'confirmed')) {
    const confirmedId = uuidV5(orderId, `order.confirmed:${version}`)
    return [{ eventId: confirmedId, kind: 'ORDER_CONFIRMED', amountMinor: capturedMinorOf(row) }]
  }
  if (status !== 'rejected' && status !== 'cancelled' && status !== 'expired') return []
  const amountMinor = refundedMinorOf(row)
  return [
    {
      eventId,
      kind: ends[status],
      amountMinor,
      ...(reason !== undefined && { reason: impersonalReason(reason) }),
    },
  ]
}

const toldStatuses: Readonly<Partial<Record<ShipmentStatus, NotificationKind>>> = {
  SHIPPED: 'ORDER_SHIPPED',
  DELIVERED: 'ORDER_DELIVERED',
}

const shipmentFacts = (before: OrderRow, after: OrderRow): readonly Fact[] => {
  const known = shipmentsOf(before)
  return [...shipmentsOf(after)].flatMap(([shipmentId, shipment]) => {
    const { status, version, carrier, trackingNumber } = shipment
    const kind = toldStatuses[status]
    if (kind === undefined || known.get(shipmentId)?.version === version) return []
    const eventId = uuidV5(shipmentId, `shipment.status-updated:${version}`)
    return [{ eventId, kind, carrier, trackingNumber }]
  })
}

const moneyFacts = (before: OrderRow, after: OrderRow): readonly Fact[] =>
  after.charges.flatMap((charge) => {
    const known = before.charges.find(({ paymentId }) => paymentId === charge.paymentId)
    return known === charge ? [] : chargeFacts(known, charge, after.totalMinor)
  })

const chargeFacts = (
  known: OrderCharge | undefined,
  charge: OrderCharge,
  totalMinor: number,
): readonly Fact[] => {
  const { paymentId, refunds = [] } = charge
  const isDeclined = charge.state === 'declined' && known?.state !== 'declined'
  const eventId = isDeclined ? uuidV5(paymentId, 'payment.processed') : ''
  const refunded = refunds.filter((refund) => isNewlyDone(known, refund))
  return [
    ...(isDeclined ? [{ eventId, kind: 'PAYMENT_FAILED', amountMinor: totalMinor } as const] : []),
    ...refunded.map(({ refundId, amountMinor }): Fact => ({
      eventId: uuidV5(paymentId, `payment.refunded:${refundId}`),
      kind: 'REFUND_DONE',
      amountMinor,
    })),
  ]
}

const isNewlyDone = (known: OrderCharge | undefined, { refundId, state }: OrderRefund): boolean =>
  state === 'done' && known?.refunds?.find((each) => each.refundId === refundId)?.state !== 'done'
