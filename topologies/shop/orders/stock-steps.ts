/**
 * What an order does about the answers of the inventory, line by line.
 *
 * Steps answer whether they changed anything; `false` means a repetition, to be dropped.
 */

import type { StockReply } from '../shared/events.ts'
import { ShopError } from '../shared/shop-error.ts'
import { tryEndReturn } from './delivery-steps.ts'
import { enterPaying } from './money-steps.ts'
import type { OrderDraft } from './order-draft.ts'
import { hasChargeInFlight, type LineState } from './order-row.ts'
import { beginWindDown, tryFinish } from './wind-down.ts'

export const lineHeld = (draft: OrderDraft, reply: StockReply): boolean => {
  if (!advance(draft, reply, 'asked', 'held')) return false
  if (draft.row.lines.every(({ state }) => state === 'held')) enterPaying(draft)
  return true
}

export const lineRefused = (draft: OrderDraft, reply: StockReply): boolean => {
  if (!advance(draft, reply, 'asked', 'failed')) return false
  beginWindDown(draft, { outcome: 'rejected', reason: 'out-of-stock' })
  return true
}

/**
 * A hold ran out or was broken before its deduction.
 *
 * With a charge in flight it is only noted: should the money come, the deduction holds the stock
 * again or fails. Without one nothing is lost by ending the order now.
 */
export const lineExpired = (draft: OrderDraft, reply: StockReply): boolean => {
  if (!advance(draft, reply, 'held', 'expired')) return false
  const isBroken = reply.data.reason === 'broken'
  const reason = isBroken ? 'stock-withdrawn' : 'hold-expired'
  if (draft.row.status === 'reserving') {
    beginWindDown(draft, { outcome: 'rejected', reason })
  } else if (draft.row.status === 'paying' && !hasChargeInFlight(draft.row)) {
    beginWindDown(draft, { outcome: isBroken ? 'cancelled' : 'expired', reason })
  }
  return true
}

export const lineDeducted = (draft: OrderDraft, reply: StockReply): boolean => {
  if (!advance(draft, reply, 'deducting', 'deducted')) return false
  const { row } = draft
  if (!row.lines.every(({ state }) => state === 'deducted')) return true
  const { orderId, customerId, currency, totalMinor, charges } = row
  draft.moveTo('confirmed')
  const capturedMinor = charges.reduce((sum, each) => sum + each.capturedMinor, 0)
  draft.orderEvent('order.confirmed', {
    orderId,
    customerId,
    currency,
    totalMinor,
    capturedMinor,
  })
  draft.ship()
  return true
}

export const lineLost = (draft: OrderDraft, reply: StockReply): boolean => {
  if (!advance(draft, reply, 'deducting', 'lost')) return false
  beginWindDown(draft, { outcome: 'cancelled', reason: 'stock-lost' })
  return true
}

export const lineReleased = (draft: OrderDraft, reply: StockReply): boolean => {
  if (!advance(draft, reply, 'releasing', 'released')) return false
  tryFinish(draft)
  return true
}

export const lineReturned = (draft: OrderDraft, reply: StockReply): boolean => {
  if (!advance(draft, reply, 'returning', 'returned')) return false
  tryEndReturn(draft)
  return true
}

/** Stock was reserved for an order that has ended: give it back, if it was never known of. */
export const lateHold = (draft: OrderDraft, { data: { line } }: StockReply): boolean => {
  const state = draft.row.lines[line]?.state
  if (state !== 'failed' && state !== 'released') return false
  draft.release(line, 'late')
  return true
}

/** @throws {ShopError} BAD_MESSAGE for a line the order lacks: dead letter */
const advance = (
  draft: OrderDraft,
  { data: { line, productId, orderId } }: StockReply,
  from: LineState,
  to: LineState,
): boolean => {
  const known = draft.row.lines[line]
  if (known === undefined || known.productId !== productId) {
    throw new ShopError('BAD_MESSAGE', `order ${orderId} has no line ${line} of ${productId}`)
  }
  if (known.state !== from) return false
  draft.setLine(line, to)
  return true
}
