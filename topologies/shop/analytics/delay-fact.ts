/**
 * What orders and their first captures add to the figures, under method and currency: how long an
 * order waits for its money.
 *
 * The join of the two, within 15 minutes. Counted in the window in which the order was created, so
 * that what waits and what was paid can be compared; who is in neither `paid` nor `paidLate` is
 * unpaid so far.
 */

import { minutes } from '../../../src/index.ts'
import type { OrderRow } from '../orders/order-row.ts'
import type { OrderCreatedData } from '../shared/events.ts'
import { figureKey } from './figure-key.ts'
import type { Fact } from './figure-row.ts'

const joinedWithinMs = minutes(15)

export const awaitedFact = (
  { paymentMethod, currency }: Pick<OrderCreatedData, 'paymentMethod' | 'currency'>,
  atMs: number,
): Fact => ({ key: figureKey('delay', paymentMethod, currency), atMs, sums: { awaited: 1 } })

/** @param paidAtMs  event time of the order's first capture */
export const paidFact = (
  { paymentMethod, currency, createdAtMs: atMs }: OrderRow,
  paidAtMs: number,
): Fact => {
  const key = figureKey('delay', paymentMethod, currency)
  const delay = paidAtMs - atMs
  return delay <= joinedWithinMs
    ? { key, atMs, sums: { paid: 1 }, durationsMs: { delay } }
    : { key, atMs, sums: { paidLate: 1 } }
}
