/**
 * Paying back what the shop may not keep.
 *
 * One rule for every status: what was captured, less what is refunded or being refunded, less what
 * the order's status lets the shop keep, is asked back. Called after every change of either.
 */

import type { OrderDraft } from './order-draft.ts'
import {
  capturedMinorOf,
  chargeRefundingMinorOf,
  dueMinorOf,
  type OrderCharge,
  type OrderRow,
  type OrderStatus,
  refundingMinorOf,
} from './order-row.ts'
import { refundIdOf } from '../shared/ids.ts'

const keepsNothing: ReadonlySet<OrderStatus> = new Set<OrderStatus>([
  'closing',
  'compensating',
  'rejected',
  'cancelled',
  'expired',
])

/** What the shop is owed as things stand. */
export const keptMinorOf = (row: OrderRow): number => {
  const { status, returnState, waivedMinor } = row
  if (keepsNothing.has(status) || returnState === 'started' || returnState === 'done') return 0
  return Math.max(0, dueMinorOf(row) - (waivedMinor ?? 0))
}

/**
 * Asks for every refund that is due.
 *
 * @param maxMinor  at most this much, where the payments flow said what is left to refund
 */
export const refundSurplus = (draft: OrderDraft, maxMinor = Number.POSITIVE_INFINITY): void => {
  const { row } = draft
  if (row.charges.length === 0) return
  const surplusMinor = capturedMinorOf(row) - refundingMinorOf(row) - keptMinorOf(row)
  let leftMinor = Math.min(surplusMinor, maxMinor)
  if (leftMinor <= 0) return
  row.charges = row.charges.map((charge) => {
    const amountMinor = Math.min(leftMinor, charge.capturedMinor - chargeRefundingMinorOf(charge))
    if (amountMinor <= 0) return charge
    leftMinor -= amountMinor
    return withRefund(draft, charge, amountMinor)
  })
}

const withRefund = (draft: OrderDraft, charge: OrderCharge, amountMinor: number): OrderCharge => {
  const { paymentId, refunds = [] } = charge
  const refundId = refundIdOf(paymentId, refunds.length + 1)
  draft.refund(paymentId, { refundId, amountMinor })
  return { ...charge, refunds: [...refunds, { refundId, amountMinor, state: 'asked' }] }
}
