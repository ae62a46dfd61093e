/**
 * What the join of orders and captures adds to the figures, under method and currency.
 *
 * Counted in the window in which the order was created, so that what is not paid in time and what
 * is can be compared.
 */

import { figureKey } from './figure-key.ts'
import type { Fact } from './figure-row.ts'
import type { AwaitedPayment } from './stores.ts'

/** One order and one of its captures; or an order alone. */
export interface PaymentDelay extends AwaitedPayment {
  /** Event time of the capture; absent if none came in time. */
  readonly paidAtMs?: number
}

export const delayFact = ({ createdAtMs, method, currency, paidAtMs }: PaymentDelay): Fact => ({
  key: figureKey('delay', method, currency),
  atMs: createdAtMs,
  ...(paidAtMs === undefined
    ? { sums: { unpaid: 1 } }
    : { sums: { paid: 1 }, durationsMs: { delay: paidAtMs - createdAtMs } }),
})

/** An order that came too late for the join: neither paid nor unpaid, as far as it can tell. */
export const tooLateFact = ({ createdAtMs, method, currency }: AwaitedPayment): Fact => ({
  key: figureKey('delay', method, currency),
  atMs: createdAtMs,
  sums: { tooLate: 1 },
})
