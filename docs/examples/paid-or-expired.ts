/** Orders meet their payments within 15 minutes, or expire: one windowed left join. */

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

export const orders = topic('orders', { key: utf8, value: json<number>() })
export const payments = topic('payments', { key: utf8, value: json<number>() })
export const outcomes = topic('outcomes', { key: utf8, value: utf8 })

const awaitingPayment = joinStore('awaiting-payment', {
  key: utf8,
  left: json<number>(),
  right: json<number>(),
  withinMs: minutes(15),
  graceMs: minutes(1),
})

export const paidOrExpired = topology('paid-or-expired', () => [
  stream(orders).pipe(
    leftJoinWithin(stream(payments), awaitingPayment, (_cents, paid) =>
      paid === undefined ? 'expired' : 'paid',
    ),
    to(outcomes),
  ),
])
