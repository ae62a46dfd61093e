/**
 * Invariants of one change, checked in the running shop as it is decided.
 *
 * Called by the flows, if `ShopConfig.onViolation` is there, with rows before and after. 1. Costs
 * no read and no scan: what needs more than the rows of one decision is for `checkShop`. 2. It only
 * tells: the decision stands, since stopping would not mend what is written.
 */

import type { HoldRow, ProductRow } from '../inventory/stock-row.ts'
import { isFinal, type OrderRow } from '../orders/order-row.ts'
import type { PaymentRow } from '../payments/payment-row.ts'
import { broken, checkOrder, checkPayment, checkStock } from './invariants.ts'
import type { OnViolation, Violation } from './violation.ts'

/** Asked only of what money, stock or fate of an order hang on; notes and marks are left out. */
export const tellOrder = (
  tell: OnViolation | undefined,
  before: OrderRow | undefined,
  after: OrderRow,
): void => {
  if (tell === undefined) return
  const { status, lines, charges } = after
  if (before?.status === status && before.lines === lines && before.charges === charges) return
  tellAll(tell, checkOrder(after))
  if (before === undefined || !isFinal(before) || before.status === status) return
  const detail = (): string => `${status} after ${before.status}`
  tellAll(tell, broken(after.orderId, [['ends-once', false, detail]]))
}

export const tellPayment = (tell: OnViolation | undefined, row: PaymentRow): void => {
  if (tell !== undefined) tellAll(tell, checkPayment(row))
}

/** A product before and after a decision, with the holds that it changed. */
export interface StockStep {
  readonly before: ProductRow | undefined
  readonly after: ProductRow
  /** Undefined: there is none, before or after. */
  readonly holds: readonly {
    readonly before: HoldRow | undefined
    readonly after: HoldRow | undefined
  }[]
}

export const tellStock = (
  tell: OnViolation | undefined,
  { before, after, holds }: StockStep,
): void => {
  if (tell === undefined) return
  if (before !== after) tellAll(tell, checkStock(after))
  let movedBy = 0
  for (const hold of holds) {
    movedBy += liveOf(hold.after) - liveOf(hold.before)
    if (!isEnded(hold.before) || hold.after?.state !== 'held') continue
    const detail = (): string => `held after ${hold.before?.state}`
    tellAll(tell, broken(hold.after.holdId, [['hold-ends-once', false, detail]]))
  }
  const heldBy = after.held - (before?.held ?? 0)
  if (heldBy === movedBy) return
  const detail = (): string => `held moved by ${heldBy}, its holds by ${movedBy}`
  tellAll(tell, broken(after.productId, [['held-is-sum-of-holds', false, detail]]))
}

const isEnded = (hold: HoldRow | undefined): boolean =>
  hold !== undefined && hold.state !== 'held' && hold.state !== 'waiting'

const liveOf = (hold: HoldRow | undefined): number => (hold?.state === 'held' ? hold.quantity : 0)

const tellAll = (tell: OnViolation, violations: readonly Violation[]): void => {
  for (const violation of violations) tell(violation)
}
