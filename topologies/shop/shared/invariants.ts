/**
 * What must always be true of the shop (spec: shop.md §5), over snapshots of its rows.
 *
 * Pure; shared by tests, the summary and, row by row, the running system's alarms
 * (`local-invariants.ts`). 1. `checkShop` wants rows of one moment: all read between two commits.
 * 2. A message between two flows is part of the truth: each rule across flows allows exactly what
 * can be on its way. 3. With `isSettled` nothing is on its way, and the rules become equations.
 */

import type { HoldRow, ProductRow } from '../inventory/stock-row.ts'
import {
  capturedMinorOf,
  dueMinorOf,
  isCancelledLine,
  isFinal,
  type LineState,
  type OrderLine,
  type OrderRow,
  refundedMinorOf,
  refundingMinorOf,
  undelivered,
} from '../orders/order-row.ts'
import { parcelsOf, shipmentsOf } from '../orders/parcels.ts'
import { type PaymentRow, refundableMinorOf } from '../payments/payment-row.ts'
import type { InvariantName, Violation } from './violation.ts'

export interface ShopSnapshot {
  readonly orders: Iterable<OrderRow>
  readonly products: Iterable<ProductRow>
  readonly holds: Iterable<HoldRow>
  readonly payments: Iterable<PaymentRow>
  /**
   * No message is on its way and no timer is pending, but for the returns and refunds that orders
   * know to be. Default: something may be.
   */
  readonly isSettled?: boolean
}

export interface ShopCheck {
  /** Rows looked at. */
  readonly checked: number
  readonly violations: readonly Violation[]
}

/** Enough to see what is wrong; the rest is not collected. */
const violationsMax = 100

const takesNothing: ReadonlySet<LineState> = new Set<LineState>([
  'failed',
  'expired',
  'lost',
  'released',
  'returned',
])
/** Lines whose deduction, or its reversal, may be on its way. */
const mayBeDeducted: ReadonlySet<LineState> = new Set<LineState>([
  'deducting',
  'releasing',
  'returning',
])

const isSent: ReadonlySet<LineState> = new Set<LineState>(['deducted', 'returning', 'returned'])

export const checkOrder = (row: OrderRow): readonly Violation[] => {
  const { orderId, status, lines, totalMinor } = row
  const capturedMinor = capturedMinorOf(row)
  const refundingMinor = refundingMinorOf(row)
  const states = lines.map(({ state }) => state)
  const isShipped = status === 'confirmed' || status === 'completed'
  const sum = lines.reduce((total, each) => total + each.quantity * each.priceMinor, 0)
  return broken(orderId, [
    ['total', sum === totalMinor, () => `lines are ${sum}, the total is ${totalMinor}`],
    [
      'refunded-within-captured',
      refundingMinor <= capturedMinor,
      () => `${refundingMinor} of ${capturedMinor} refunded`,
    ],
    [
      'ended-holds-nothing',
      !undelivered.has(status) || states.every((s) => takesNothing.has(s)),
      () => `${status} with lines ${states.join()}`,
    ],
    [
      'ended-refunds-all',
      !undelivered.has(status)
        || hasNoFailedRefund(row) === false
        || refundingMinor === capturedMinor,
      () => `${status}, ${refundingMinor} of ${capturedMinor} back`,
    ],
    [
      'shipped-within-deducted',
      !isShipped || (states.some((s) => isSent.has(s)) && lines.every(isSentOrCancelled)),
      () => `${status} with lines ${states.join()}`,
    ],
    [
      'parcels-within-deducted',
      lines.every(({ state, parcel }) => parcel === undefined || isSent.has(state)),
      () => `in shipments, with lines ${states.join()}`,
    ],
    [
      'completed-delivered',
      status !== 'completed' || undeliveredParcels(row) <= 0,
      () => `${undeliveredParcels(row)} shipments not delivered`,
    ],
    [
      'paid-before-deducted',
      !(isShipped || status === 'backordered') || capturedMinor >= dueMinorOf(row),
      () => `${capturedMinor} of ${dueMinorOf(row)} captured`,
    ],
    [
      'open-has-deadline',
      isFinal(row) || row.deadlineMs !== undefined,
      () => `${status}, no deadline`,
    ],
  ])
}

const undeliveredParcels = (row: OrderRow): number => {
  const delivered = [...shipmentsOf(row).values()].filter((s) => s.status === 'DELIVERED').length
  return Math.max(1, parcelsOf(row)) - delivered
}

const isSentOrCancelled = (line: OrderLine): boolean =>
  isSent.has(line.state) || isCancelledLine(line)

const hasNoFailedRefund = ({ charges }: OrderRow): boolean =>
  charges.every(({ refunds = [] }) => refunds.every(({ state }) => state !== 'failed'))

/** What a product's row tells by itself. */
export const checkStock = (row: ProductRow): readonly Violation[] => {
  const { productId, onHand, held, addedTotal, subtractedTotal, deductedTotal, returnedTotal } = row
  const booked = addedTotal - subtractedTotal
  const found = onHand + deductedTotal - returnedTotal
  return broken(productId, [
    ['on-hand-not-negative', onHand >= 0, () => `${onHand} on hand`],
    ['held-within-on-hand', held >= 0 && held <= onHand, () => `${held} held of ${onHand}`],
    ['stock-conserved', booked === found, () => `${booked} booked, ${found} found`],
  ])
}

/**
 * @param liveHeld  sum of the product's holds in state `held`
 * @param waiting   sum of those in state `waiting`
 */
export const checkProduct = (
  row: ProductRow,
  liveHeld: number,
  waiting = 0,
): readonly Violation[] => [
  ...checkStock(row),
  ...broken(row.productId, [
    [
      'held-is-sum-of-holds',
      row.held === liveHeld,
      () => `${row.held} held, holds add up to ${liveHeld}`,
    ],
    [
      'waiting-is-sum-of-holds',
      (row.waiting?.units ?? 0) === waiting,
      () => `${row.waiting?.units} wait, holds add up to ${waiting}`,
    ],
  ]),
]

export const checkPayment = (row: PaymentRow): readonly Violation[] => {
  const { paymentId, capturedMinor, amountMinor, state } = row
  return broken(paymentId, [
    [
      'captured-within-authorised',
      capturedMinor >= 0 && capturedMinor <= amountMinor,
      () => `${capturedMinor} of ${amountMinor} captured`,
    ],
    [
      'only-captured-has-money',
      state === 'captured' || capturedMinor === 0,
      () => `${state} with ${capturedMinor}`,
    ],
    [
      'refunded-within-captured',
      refundableMinorOf(row) >= 0,
      () => `${-refundableMinorOf(row)} too much refunded`,
    ],
  ])
}

/** Every invariant of the four flows, each by itself and across them. */
export const checkShop = (snapshot: ShopSnapshot): ShopCheck => {
  const violations: Violation[] = []
  const tell = (found: readonly Violation[]): void => {
    for (const each of found) if (violations.length < violationsMax) violations.push(each)
  }
  const { isSettled = false } = snapshot
  const holds = tallyHolds(snapshot.holds)
  const payments = tallyPayments(snapshot.payments, tell)
  const lines = new Map<string, LineTally>()
  let checked = holds.rows + payments.rows
  for (const order of snapshot.orders) {
    checked += 1
    tell(checkOrder(order))
    tell(checkHoldsOfOrder(order, holds.byOrder.get(order.orderId)))
    const money = payments.byOrder.get(order.orderId) ?? noMoney
    tell(checkMoneyOfOrder(order, money, isSettled && !isReturning(order)))
    tallyLines(order, lines)
  }
  for (const product of snapshot.products) {
    checked += 1
    const { productId } = product
    const waiting = holds.waitingByProduct.get(productId)
    tell(checkProduct(product, holds.heldByProduct.get(productId) ?? 0, waiting))
    const tally = lines.get(productId) ?? noLines
    tell(checkConservation(product, tally, isSettled && !tally.isReturning))
  }
  return { checked, violations }
}

interface LineTally {
  deducted: number
  perhaps: number
  isReturning: boolean
}
interface MoneyTally {
  capturedMinor: number
  refundedMinor: number
  refundingMinor: number
}
interface HoldTally {
  /** Held, or waiting for stock. */
  readonly live: number
  readonly deducted: number
}

const noLines: LineTally = { deducted: 0, perhaps: 0, isReturning: false }
const noMoney: MoneyTally = { capturedMinor: 0, refundedMinor: 0, refundingMinor: 0 }

const tallyHolds = (holds: Iterable<HoldRow>) => {
  const heldByProduct = new Map<string, number>()
  const waitingByProduct = new Map<string, number>()
  const byOrder = new Map<string, HoldTally>()
  let rows = 0
  for (const { state, productId, orderId, quantity } of holds) {
    rows += 1
    if (state !== 'held' && state !== 'waiting' && state !== 'deducted') continue
    const { live, deducted } = byOrder.get(orderId) ?? { live: 0, deducted: 0 }
    const isLive = state !== 'deducted'
    byOrder.set(orderId, {
      live: live + (isLive ? quantity : 0),
      deducted: deducted + (isLive ? 0 : quantity),
    })
    if (!isLive) continue
    const sums = state === 'held' ? heldByProduct : waitingByProduct
    sums.set(productId, (sums.get(productId) ?? 0) + quantity)
  }
  return { heldByProduct, waitingByProduct, byOrder, rows }
}

const tallyPayments = (
  payments: Iterable<PaymentRow>,
  tell: (found: readonly Violation[]) => void,
) => {
  const byOrder = new Map<string, MoneyTally>()
  let rows = 0
  for (const payment of payments) {
    rows += 1
    tell(checkPayment(payment))
    const { orderId, capturedMinor, refunds = [] } = payment
    const tally = byOrder.get(orderId) ?? { ...noMoney }
    tally.capturedMinor += capturedMinor
    tally.refundingMinor += capturedMinor - refundableMinorOf(payment)
    for (const { state, amountMinor } of refunds) {
      if (state === 'done') tally.refundedMinor += amountMinor
    }
    byOrder.set(orderId, tally)
  }
  return { byOrder, rows }
}

/** A completed order whose goods or money are on their way back: it is final all the same. */
const isReturning = ({ returnState, charges }: OrderRow): boolean =>
  returnState === 'requested'
  || returnState === 'started'
  || charges.some(({ refunds }) => refunds?.some(({ state }) => state === 'asked') === true)

const tallyLines = (order: OrderRow, tallies: Map<string, LineTally>): void => {
  const isMoving = isReturning(order)
  for (const { productId, quantity, state } of order.lines) {
    const tally = tallies.get(productId) ?? { ...noLines }
    if (state === 'deducted') tally.deducted += quantity
    else if (mayBeDeducted.has(state)) tally.perhaps += quantity
    tally.isReturning ||= isMoving
    tallies.set(productId, tally)
  }
}

/** The inventory acts before the order learns of it, so an ended order has nothing in stock. */
const checkHoldsOfOrder = (
  { orderId, status }: OrderRow,
  tally: HoldTally | undefined,
): readonly Violation[] =>
  broken(orderId, [
    [
      'ended-holds-nothing',
      tally === undefined || !undelivered.has(status) || (tally.live === 0 && tally.deducted === 0),
      () => `${status}, yet ${tally?.live} held and ${tally?.deducted} deducted`,
    ],
    [
      'delivered-holds-nothing',
      tally === undefined || status !== 'completed' || tally.live === 0,
      () => `completed, yet ${tally?.live} held`,
    ],
  ])

/** The payments act before the order learns of it. */
const checkMoneyOfOrder = (
  order: OrderRow,
  money: MoneyTally,
  isSettled: boolean,
): readonly Violation[] => {
  const capturedMinor = capturedMinorOf(order)
  const refundedMinor = refundedMinorOf(order)
  const isEnded = undelivered.has(order.status)
  const keptMinor = money.capturedMinor - money.refundedMinor
  return broken(order.orderId, [
    [
      'order-money-is-captured',
      capturedMinor <= money.capturedMinor,
      () => `the order knows ${capturedMinor}, payments have ${money.capturedMinor}`,
    ],
    [
      'order-refunds-are-refunded',
      refundedMinor <= money.refundedMinor,
      () => `the order knows ${refundedMinor}, payments refunded ${money.refundedMinor}`,
    ],
    [
      'settled-money-agrees',
      !isSettled
        || (capturedMinor === money.capturedMinor && refundedMinor === money.refundedMinor),
      () =>
        `order ${capturedMinor}/${refundedMinor}, `
        + `payments ${money.capturedMinor}/${money.refundedMinor}`,
    ],
    [
      'ended-keeps-nothing',
      !isSettled || !isEnded || keptMinor === 0,
      () => `${order.status}, yet ${keptMinor} kept`,
    ],
  ])
}

/** Deducted lines of all orders = what the inventory deducted, give or take what is on its way. */
const checkConservation = (
  { productId, deductedTotal, returnedTotal }: ProductRow,
  { deducted, perhaps }: LineTally,
  isSettled: boolean,
): readonly Violation[] => {
  const taken = deductedTotal - returnedTotal
  const most = isSettled ? deducted : deducted + perhaps
  return broken(productId, [
    [
      'deducted-for-orders',
      taken >= deducted && taken <= most,
      () => `${taken} taken from stock, orders have ${deducted} to ${most}`,
    ],
  ])
}

/** The detail is made only of what is broken: rows are checked at each change too. */
export type Rule = readonly [rule: InvariantName, holds: boolean, detail: () => string]

export const broken = (subject: string, rules: readonly Rule[]): readonly Violation[] => {
  if (rules.every(([, holds]) => holds)) return []
  return rules.flatMap(([rule, holds, detail]) =>
    holds ? [] : [{ rule, subject, detail: detail() }],
  )
}
