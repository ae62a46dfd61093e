/**
 * Orders meet their payments, or expire: the windowed left join of `docs/joins.md`.
 *
 * Run by `test/docs/join-examples.test.ts`, which shows what comes out and when.
 */

import {
  joinStore,
  json,
  leftJoinWithin,
  minutes,
  stream,
  to,
  topic,
  topology,
  utf8,
} from '../../src/index.ts'

export interface Order {
  readonly totalCents: number
}

export interface Payment {
  readonly amountCents: number
}

export type Outcome =
  | { readonly kind: 'paid' }
  | { readonly kind: 'short'; readonly missingCents: number }
  | { readonly kind: 'expired' }

export const orders = topic('orders', { key: utf8, value: json<Order>() })
export const payments = topic('payments', { key: utf8, value: json<Payment>() })
export const outcomes = topic('outcomes', { key: utf8, value: json<Outcome>() })

/** A payment may come up to 15 minutes after its order (or before it), and one minute late. */
export const awaitingPayment = joinStore('awaiting-payment', {
  key: utf8,
  left: json<Order>(),
  right: json<Payment>(),
  withinMs: minutes(15),
  graceMs: minutes(1),
})

const outcomeOf = (order: Order, payment: Payment | undefined): Outcome => {
  if (payment === undefined) return { kind: 'expired' }
  const missingCents = order.totalCents - payment.amountCents
  return missingCents > 0 ? { kind: 'short', missingCents } : { kind: 'paid' }
}

export const orderPayment = topology('order-payment', () => [
  stream(orders).pipe(leftJoinWithin(stream(payments), awaitingPayment, outcomeOf), to(outcomes)),
])
