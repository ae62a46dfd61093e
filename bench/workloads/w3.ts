/** W3 of the peer benchmark: orders settled by their payments, or expired without one. */

import {
  columns,
  joinStore,
  json,
  leftJoinWithin,
  minutes,
  stream,
  to,
  topic,
  topology,
  type Topology,
  utf8,
} from '../../src/index.ts'

interface Order {
  readonly orderId: string
  readonly amount: number
}

interface Payment {
  readonly paymentId: string
  readonly amount: number
}

interface Settlement {
  readonly orderId: string
  readonly status: 'settled' | 'short' | 'expired'
  readonly due: number
  readonly paid: number
  readonly paymentId?: string
}

/** Of each side what the settlement tells. */
const waiting = joinStore('waiting', {
  key: utf8,
  left: columns<Order>('order/1', { orderId: 'json', amount: 'json' }),
  right: columns<Payment>('payment/1', { paymentId: 'json', amount: 'json' }),
  withinMs: minutes(15),
  graceMs: minutes(1),
})

const settle = ({ orderId, amount: due }: Order, payment: Payment | undefined): Settlement => {
  if (payment === undefined) return { orderId, status: 'expired', due, paid: 0 }
  const { paymentId, amount: paid } = payment
  return { orderId, status: paid < due ? 'short' : 'settled', due, paid, paymentId }
}

export const w3 = (inputs: readonly string[], [output]: readonly string[]): Topology => {
  const orders = topic(inputs[0]!, { key: utf8, value: json<Order>() })
  const payments = topic(inputs[1]!, { key: utf8, value: json<Payment>() })
  const settlements = topic(output!, { key: utf8, value: json<Settlement>() })
  return topology('w3', () => {
    const payments$ = stream(payments)
    return [stream(orders).pipe(leftJoinWithin(payments$, waiting, settle), to(settlements))]
  })
}
