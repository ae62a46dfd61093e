/** Goal: the example works as a whole: join, narrowing, totals, expiry by stream time. */

import { expect, test } from 'vitest'
import { minutes, seconds } from '../../src/index.ts'
import { TopologyRunner } from '../topology/run-topology.ts'
import {
  cancellations,
  orderPayment,
  orders,
  payments,
  settledTotals,
  settlements,
} from './order-payment.ts'

const order = { status: 'PLACED', totalCents: 500 } as const

test('an order meets its payment: settled, totalled, not cancelled', () => {
  const runner = new TopologyRunner(orderPayment)
  runner.pipe(orders, 'o1', order, minutes(0))
  runner.pipe(payments, 'o1', { paymentId: 'p1', amountCents: 500 }, minutes(5))
  expect(runner.values(settlements)).toEqual([
    { kind: 'settled', paymentId: 'p1', amountCents: 500 },
  ])
  expect(runner.store(settledTotals).get('o1')).toBe(500)
  expect(runner.values(cancellations)).toEqual([])
})

test('an unpaid order expires once, by stream time, and keeps its key and time', () => {
  const runner = new TopologyRunner(orderPayment)
  runner.pipe(orders, 'o1', order, minutes(0))
  runner.pipe(orders, 'o2', order, minutes(16)) // within + grace are reached, not passed
  expect(runner.values(settlements)).toEqual([])
  runner.pipe(orders, 'o3', order, minutes(16) + seconds(1)) // one step further: o1 is over
  runner.pipe(orders, 'o4', order, minutes(19))
  expect(runner.read(cancellations)).toMatchObject([
    { key: 'o1', value: { reason: 'expired' }, timestampMs: 0 },
  ])
})

test('a payment after the expiry does not revive the order', () => {
  const runner = new TopologyRunner(orderPayment)
  runner.pipe(orders, 'o1', order, minutes(0))
  runner.pipe(orders, 'o2', order, minutes(17))
  expect(runner.values(settlements)).toEqual([{ kind: 'expired' }])
  runner.pipe(payments, 'o1', { paymentId: 'p1', amountCents: 500 }, minutes(14)) // not late
  expect(runner.dropped).toEqual([])
  expect(runner.values(settlements)).toEqual([])
})

test('a late record joins nothing and is counted; a draft never enters', () => {
  const runner = new TopologyRunner(orderPayment)
  runner.pipe(orders, 'o1', order, minutes(60))
  runner.pipe(payments, 'o1', { paymentId: 'p1', amountCents: 500 }, minutes(1))
  runner.pipe(orders, 'o2', { status: 'DRAFT', totalCents: 1 }, minutes(60))
  runner.pipe(payments, 'o2', { paymentId: 'p2', amountCents: 1 }, minutes(60))
  expect(runner.values(settlements)).toEqual([])
  expect(runner.dropped).toEqual(['awaiting-payment late'])
})
