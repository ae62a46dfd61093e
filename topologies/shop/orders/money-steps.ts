/**
 * What an order does about money: charge, settle, review, refund.
 *
 * Steps answer whether they changed anything; `false` means a repetition, to be dropped. 1. A
 * capture is recorded in every status, whatever else follows. 2. A charge is tried again under a
 * new number only after a definite decline. 3. While an outcome is unknown the order is neither
 * released nor ended.
 */

import { checkCount } from '../shared/checks.ts'
import type { PaymentProcessed, PaymentRefunded, PaymentUnknown } from '../shared/events.ts'
import { refundRefusals } from '../payments/payment-row.ts'
import { paymentIdOf } from '../shared/ids.ts'
import { ShopError } from '../shared/shop-error.ts'
import type { OrderDraft } from './order-draft.ts'
import {
  capturedMinorOf,
  dueMinorOf,
  hasChargeInFlight,
  isCancelledLine,
  type OrderCharge,
  type OrderRefund,
  refundingMinorOf,
} from './order-row.ts'
import { refundSurplus } from './refunds.ts'
import { tryEndReturn } from './delivery-steps.ts'
import { waitOver } from '../inventory/model.ts'
import { advanceFulfilment, tellLines } from './fulfilment.ts'
import { beginWindDown, tryFinish } from './wind-down.ts'

/**
 * All lines are held or wait for stock: ask for the money, unless it is here already or none is
 * due.
 */
export const enterPaying = (draft: OrderDraft): void => {
  const { row } = draft
  draft.moveTo('paying')
  if (row.lines.some(({ state }) => state !== 'held')) tellLines(draft)
  if (row.charges.some(({ state }) => state === 'unknown')) draft.moveTo('review')
  else if (dueMinorOf(row) === 0 || capturedMinorOf(row) > 0) settle(draft)
  else if (row.paymentMethod === 'card') charge(draft)
}

export const paymentProcessed = (draft: OrderDraft, { data }: PaymentProcessed): boolean => {
  const { paymentId, status, capturedMinor } = data
  checkCount(capturedMinor, 'capturedMinor', 0)
  const known = draft.row.charges.find((each) => each.paymentId === paymentId)
  if (known?.state === 'captured') return false
  if (known?.state === 'declined' && status === 'FAILED') return false
  const isCaptured = status === 'COMPLETED'
  setCharge(draft, {
    ...known,
    paymentId,
    state: isCaptured ? 'captured' : 'declined',
    capturedMinor: isCaptured ? capturedMinor : 0,
  })
  const isAwaited = draft.row.status === 'paying' || draft.row.status === 'review'
  if (isAwaited) {
    if (isCaptured) settle(draft)
    else declined(draft)
    return true
  }
  refundSurplus(draft)
  tryFinish(draft)
  return true
}

export const paymentUnknown = (draft: OrderDraft, { data }: PaymentUnknown): boolean => {
  const { paymentId } = data
  const known = draft.row.charges.find((each) => each.paymentId === paymentId)
  if (known !== undefined && known.state !== 'asked') return false
  setCharge(draft, { paymentId, state: 'unknown', capturedMinor: 0 })
  if (draft.row.status === 'paying') draft.moveTo('review')
  return true
}

export const paymentRefunded = (draft: OrderDraft, { data }: PaymentRefunded): boolean => {
  const { refundId, paymentId, amountMinor, status, reason, refundableMinor } = data
  const known = draft.row.charges.find((each) => each.paymentId === paymentId)
  if (known === undefined) {
    throw new ShopError(
      'PAYMENT_UNKNOWN',
      `refund ${refundId} is of the payment ${paymentId}, `
        + `which order ${draft.row.orderId} does not know`,
    )
  }
  const refunds = known.refunds ?? []
  const asked = refunds.find((each) => each.refundId === refundId)
  if (asked !== undefined && asked.state !== 'asked') return false
  const state = status === 'COMPLETED' ? 'done' : 'failed'
  setCharge(draft, { ...known, refunds: withRefund(refunds, { refundId, amountMinor, state }) })
  if (state === 'failed') {
    if (asked !== undefined && reason !== refundRefusals.exceedsCaptured) draft.raiseAlarm()
    else refundSurplus(draft, refundableMinor)
  }
  tryFinish(draft)
  tryEndReturn(draft)
  return true
}

/** The money is here, all or part of it, or none is due. */
export const settle = (draft: OrderDraft): void => {
  const { row } = draft
  const paidMinor = capturedMinorOf(row) - refundingMinorOf(row)
  if (row.cancelReason !== undefined) {
    beginWindDown(draft, { outcome: 'cancelled', reason: row.cancelReason })
  } else if (row.lines.every(isCancelledLine)) {
    beginWindDown(draft, { outcome: 'cancelled', reason: waitOver })
  } else if (paidMinor < dueMinorOf(row)) {
    beginWindDown(draft, { outcome: 'cancelled', reason: 'short-payment' })
  } else {
    draft.moveTo('deducting')
    draft.mapLines((state, line) => {
      if (state !== 'held' && state !== 'expired') return undefined
      draft.deduct(line)
      return 'deducting'
    })
    refundSurplus(draft)
    advanceFulfilment(draft)
  }
}

const declined = (draft: OrderDraft): void => {
  const {
    row,
    context: { chargesMax },
  } = draft
  if (row.cancelReason !== undefined) {
    beginWindDown(draft, { outcome: 'cancelled', reason: row.cancelReason })
    return
  }
  if (hasChargeInFlight(row)) return
  const mayGoOn = row.paymentMethod === 'transfer' || row.charges.length < chargesMax
  if (!mayGoOn) {
    beginWindDown(draft, { outcome: 'cancelled', reason: 'payment-declined' })
    return
  }
  if (row.status === 'review') draft.moveTo('paying')
  if (row.paymentMethod === 'card') charge(draft)
}

const charge = (draft: OrderDraft): void => {
  const { row } = draft
  const paymentId = paymentIdOf(row.orderId, row.charges.length + 1)
  row.charges = [...row.charges, { paymentId, state: 'asked', capturedMinor: 0 }]
  draft.charge(paymentId, dueMinorOf(row))
}

const setCharge = (draft: OrderDraft, next: OrderCharge): void => {
  const { charges } = draft.row
  const index = charges.findIndex(({ paymentId }) => paymentId === next.paymentId)
  draft.row.charges = index < 0 ? [...charges, next] : charges.with(index, next)
}

const withRefund = (refunds: readonly OrderRefund[], next: OrderRefund): readonly OrderRefund[] => {
  const index = refunds.findIndex(({ refundId }) => refundId === next.refundId)
  return index < 0 ? [...refunds, next] : refunds.with(index, next)
}
