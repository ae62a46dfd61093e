/**
 * What an order does about the answers of the inventory, line by line.
 *
 * Steps answer whether they changed anything; `false` means a repetition, to be dropped.
 */

import type { StockReply } from '../shared/events.ts'
import { ShopError } from '../shared/shop-error.ts'
import { tryEndReturn } from './delivery-steps.ts'
import { advanceFulfilment, tellLines } from './fulfilment.ts'
import { enterPaying, settle } from './money-steps.ts'
import type { OrderDraft } from './order-draft.ts'
import { dueMinorOf, hasChargeInFlight, type LineState } from './order-row.ts'
import { refundSurplus } from './refunds.ts'
import { beginWindDown, tryFinish } from './wind-down.ts'

export const lineHeld = (draft: OrderDraft, reply: StockReply): boolean => {
  const isFilled = advance(draft, reply, 'waiting', 'held')
  if (!isFilled && !advance(draft, reply, 'asked', 'held')) return false
  payIfAnswered(draft)
  return true
}

/** There is no stock for the line: it waits until there is, or for too long. */
export const lineBackordered = (draft: OrderDraft, reply: StockReply): boolean => {
  if (!advance(draft, reply, 'asked', 'waiting')) return false
  payIfAnswered(draft)
  return true
}

/** Goes on when every line is held, or waits, or has waited for too long already. */
const payIfAnswered = (draft: OrderDraft): void => {
  if (draft.row.lines.every(({ state }) => state !== 'asked')) enterPaying(draft)
}

export const lineRefused = (draft: OrderDraft, reply: StockReply): boolean => {
  if (advance(draft, reply, 'waiting', 'failed')) {
    payIfAnswered(draft)
    return true
  }
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
  advanceFulfilment(draft)
  return true
}

export const lineLost = (draft: OrderDraft, reply: StockReply): boolean => {
  if (!advance(draft, reply, 'deducting', 'lost')) return false
  if (draft.row.status === 'backordered') {
    goOnWithout(draft)
    return true
  }
  beginWindDown(draft, { outcome: 'cancelled', reason: 'stock-lost' })
  return true
}

export const lineReleased = (draft: OrderDraft, reply: StockReply): boolean => {
  if (!advance(draft, reply, 'releasing', 'released')) return false
  tryFinish(draft)
  return true
}

/** Stock came for a line that waited; once it is paid for, it is taken at once. */
export const lineFilled = (draft: OrderDraft, reply: StockReply): boolean => {
  const { line } = reply.data
  if (!advance(draft, reply, 'waiting', 'held')) return false
  tellLines(draft)
  if (draft.row.status === 'deducting' || draft.row.status === 'backordered') {
    draft.deduct(line)
    draft.setLine(line, 'deducting')
  }
  return true
}

/** No stock came for a line in time: the order goes on without it. */
export const lineWaitedTooLong = (draft: OrderDraft, reply: StockReply): boolean => {
  if (!advance(draft, reply, 'waiting', 'failed')) return false
  goOnWithout(draft)
  return true
}

/** A line that was cancelled with the rest of what was not shipped is given up by the stock. */
export const lineCancelled = (draft: OrderDraft, reply: StockReply): boolean => {
  if (!advance(draft, reply, 'releasing', 'released')) return false
  advanceFulfilment(draft)
  return true
}

/** One line less: less is due, and what was paid for it goes back. */
const goOnWithout = (draft: OrderDraft): void => {
  const { row } = draft
  tellLines(draft)
  if (row.status === 'deducting' || row.status === 'backordered') {
    refundSurplus(draft)
    advanceFulfilment(draft)
  } else if (row.status === 'paying' && !hasChargeInFlight(row) && dueMinorOf(row) === 0) {
    settle(draft)
  } // else the outcome of the charge, or the transfer, decides
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
