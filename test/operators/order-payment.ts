/** The example of the house style, shared by several tests; note that nothing is annotated. */

import {
  aggregate,
  filter,
  joinStore,
  json,
  keyValueStore,
  leftJoinWithin,
  mapValues,
  minutes,
  ofKind,
  stream,
  to,
  topic,
  topology,
  utf8,
} from '../../src/index.ts'

export interface Order {
  readonly status: 'PLACED' | 'DRAFT'
  readonly totalCents: number
}

export interface Payment {
  readonly paymentId: string
  readonly amountCents: number
}

export type Settlement =
  | { readonly kind: 'expired' }
  | { readonly kind: 'short'; readonly missingCents: number }
  | { readonly kind: 'settled'; readonly paymentId: string; readonly amountCents: number }

export const orders = topic('orders', { key: utf8, value: json<Order>() })
export const payments = topic('payments', { key: utf8, value: json<Payment>() })
export const settlements = topic('settlements', { key: utf8, value: json<Settlement>() })
export const cancellations = topic('cancellations', {
  key: utf8,
  value: json<{ readonly reason: 'expired' | 'short' }>(),
})

/** Orders and payments waiting for each other: 15 minutes apart at most. */
export const awaitingPayment = joinStore('awaiting-payment', {
  key: utf8,
  left: json<Order>(),
  right: json<Payment>(),
  withinMs: minutes(15),
  graceMs: minutes(1),
})

/** Cents settled per order id. */
export const settledTotals = keyValueStore('settled-totals', { key: utf8, value: json<number>() })

export const settle = (order: Order, payment: Payment | undefined): Settlement => {
  if (payment === undefined) return { kind: 'expired' }
  const missingCents = order.totalCents - payment.amountCents
  if (missingCents > 0) return { kind: 'short', missingCents }
  return { kind: 'settled', paymentId: payment.paymentId, amountCents: payment.amountCents }
}

export const orderPayment = topology('order-payment', () => {
  const payments$ = stream(payments)
  const settlements$ = stream(orders).pipe(
    filter(({ value }) => value.status === 'PLACED'),
    leftJoinWithin(payments$, awaitingPayment, settle),
  )
  const totals$ = settlements$.pipe(
    ofKind('settled'),
    aggregate(
      settledTotals,
      () => 0,
      (total, { amountCents }) => total + amountCents,
    ),
  )
  const cancelled$ = settlements$.pipe(
    ofKind('expired', 'short'),
    mapValues(({ kind }) => ({ reason: kind })),
  )
  return [settlements$.pipe(to(settlements)), cancelled$.pipe(to(cancellations)), totals$]
})
