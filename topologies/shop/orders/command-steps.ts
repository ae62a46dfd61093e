/**
 * What an order does about the customer's later commands: update, cancel, refund.
 */

import { ownReason } from '../personal/personal-fields.ts'
import { checkCount } from '../shared/checks.ts'
import type { CancelOrder, RefundOrder, UpdateOrder } from '../shared/commands.ts'
import { ShopError } from '../shared/shop-error.ts'
import type { OrderDraft } from './order-draft.ts'
import { tellLines } from './fulfilment.ts'
import { isCancelledLine } from './order-row.ts'
import { parcelsOf } from './parcels.ts'
import { keptMinorOf, refundSurplus } from './refunds.ts'
import { beginWindDown } from './wind-down.ts'

export const update = (draft: OrderDraft, { data }: UpdateOrder): boolean => {
  const { orderId, shippingAddress, notes } = data
  const changes = {
    ...(typeof shippingAddress === 'string' && { shippingAddress }),
    ...(typeof notes === 'string' && { notes }),
  }
  Object.assign(draft.row, changes)
  draft.orderEvent('order.updated', { orderId, ...changes })
  return true
}

export const cancel = (draft: OrderDraft, { data: { reason } }: CancelOrder): boolean => {
  beginWindDown(draft, { outcome: 'cancelled', reason: asReason(reason) })
  return true
}

/**
 * CancelOrder while lines wait: what was not shipped is cancelled and paid back, and the order goes
 * on with what was; without that it ends.
 */
export const cancelUnshipped = (draft: OrderDraft, command: CancelOrder): boolean => {
  const { row } = draft
  if (parcelsOf(row) === 0) return cancel(draft, command)
  const { lines } = row
  draft.mapLines((state, line) => {
    if (isCancelledLine(lines[line]!) || lines[line]!.parcel !== undefined) return undefined
    draft.release(line, state === 'deducting' || state === 'deducted' ? 'compensation' : 'closing')
    return 'releasing'
  })
  if (row.lines.every(({ state }, line) => state === lines[line]!.state)) return false
  tellLines(draft)
  refundSurplus(draft)
  return true
}

/** The outcome of the charge decides first; the wish is kept until then. */
export const cancelAfterReview = (
  draft: OrderDraft,
  { data: { reason } }: CancelOrder,
): boolean => {
  if (draft.row.cancelReason !== undefined) return false
  draft.row.cancelReason = asReason(reason)
  return true
}

/**
 * A refund on purpose of what the shop keeps; where it keeps nothing, asks again for refunds that
 * were refused.
 *
 * @throws {ShopError} REFUND_TOO_LARGE: dead letter
 */
export const refund = (draft: OrderDraft, { data }: RefundOrder): boolean => {
  const { row } = draft
  const keptMinor = keptMinorOf(row)
  if (keptMinor > 0) {
    const amountMinor = data.amountMinor ?? keptMinor
    checkCount(amountMinor, 'amountMinor', 1)
    if (amountMinor > keptMinor) {
      throw new ShopError(
        'REFUND_TOO_LARGE',
        `${amountMinor} of order ${row.orderId}, of which ` + `${keptMinor} are left`,
      )
    }
    row.waivedMinor = (row.waivedMinor ?? 0) + amountMinor
  }
  refundSurplus(draft)
  return true
}

const asReason = (reason: unknown): string =>
  typeof reason === 'string' && reason !== '' ? reason : ownReason
