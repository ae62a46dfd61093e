/**
 * The way of an order that will not be delivered: release, wait for charges, refund, end.
 *
 * Entered by `beginWindDown` from any step; every answer that comes in then calls `tryFinish`.
 * 1. Stock whose deduction was commanded is released as a compensation, which also takes back
 * what was deducted: no need to wait for that answer first. 2. Every release is answered exactly
 * once. 3. The end comes when nothing is held, no charge is in flight and all money is back.
 */

import type { OrderDraft } from './order-draft.ts'
import {
  capturedMinorOf,
  hasChargeInFlight,
  type LineState,
  type OrderOutcome,
  refundedMinorOf,
} from './order-row.ts'
import { refundSurplus } from './refunds.ts'

/** Lines of these states wait for nothing and hold nothing. */
const settledLines: ReadonlySet<LineState> = new Set<LineState>([
  'failed',
  'expired',
  'lost',
  'released',
])

export const beginWindDown = (
  draft: OrderDraft,
  { outcome, reason }: { readonly outcome: OrderOutcome; readonly reason: string },
): void => {
  draft.row.outcome = outcome
  draft.row.reason = reason
  draft.moveTo(outcome === 'rejected' ? 'compensating' : 'closing')
  draft.mapLines((state, line) => {
    if (settledLines.has(state)) return undefined
    const isDeducted = state === 'deducting' || state === 'deducted'
    draft.release(line, isDeducted ? 'compensation' : 'closing')
    return 'releasing'
  })
  refundSurplus(draft)
  tryFinish(draft)
}

/** Ends the order if it is winding down and nothing is left to wait for. */
export const tryFinish = (draft: OrderDraft): void => {
  const { row } = draft
  const { status, outcome } = row
  if ((status !== 'closing' && status !== 'compensating') || outcome === undefined) return
  if (!row.lines.every(({ state }) => settledLines.has(state)) || hasChargeInFlight(row)) return
  const refundedMinor = refundedMinorOf(row)
  if (refundedMinor !== capturedMinorOf(row)) return
  const { orderId, customerId, currency, reason = '' } = row
  draft.moveTo(outcome)
  draft.orderEvent(`order.${outcome}`, {
    orderId,
    customerId,
    reason,
    refundRequired: refundedMinor > 0,
    refundedMinor,
    currency,
  })
  draft.platformEvent('saga.compensated', { orderId, workflow: 'order', outcome, reason })
}
