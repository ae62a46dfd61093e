/**
 * Goal: the workloads of the peer benchmark do what its contract asks. Method: a small run of each
 * in the driver; W4 against the rules of stock, over random orders. The harness itself checks them
 * at full size, on Kafka and over crashes.
 */

import { expect, test } from 'vitest'
import { bytes, json, minutes, Prng, topic, utf8 } from '../../src/index.ts'
import { TopologyDriver } from '../../src/testing/index.ts'
import { w2r } from '../../bench/workloads/w2r.ts'
import { w3 } from '../../bench/workloads/w3.ts'
import { w4 } from '../../bench/workloads/w4.ts'

type Json = Readonly<Record<string, unknown>>

/** Handles as the harness sees them: plain JSON. */
const jsonTopic = (name: string) => topic(name, { key: utf8, value: json<Json>() })
const [orders, payments] = [jsonTopic('orders'), jsonTopic('payments')]
const [out, stock] = [jsonTopic('out'), jsonTopic('stock')]

test('w2r keeps and forwards values, and answers probes with what it keeps', () => {
  const values = topic('values', { key: utf8, value: bytes })
  const copies = topic('copies', { key: utf8, value: bytes })
  const driver = new TopologyDriver(w2r(['values'], ['copies']))
  const sent = [
    ['user-1', 'one'],
    ['user-1', 'two'],
    ['~probe-0-1', 'user-1'],
    ['~probe-0-2', 'user-2'],
  ] as const
  for (const [key, value] of sent) driver.pipe(values, key, Buffer.from(value))
  const read = driver.read(copies).map(({ key, value }) => [key, Buffer.from(value).toString()])
  expect(read).toEqual([
    ['user-1', 'one'],
    ['user-1', 'two'],
    ['~probe-0-1', 'two'],
    ['~probe-0-2', ''],
  ])
})

test('w3 settles each pair, tells short payments, and expires what stays unpaid', () => {
  const driver = new TopologyDriver(w3(['orders', 'payments'], ['out']))
  const order = (orderId: string, amount: number, ts: number): void =>
    driver.pipe(
      orders,
      orderId,
      { orderId, amount, customer: 'c-1', items: 1, ts },
      { timestampMs: ts },
    )
  const pay = (orderId: string, paymentId: string, amount: number, ts: number): void =>
    driver.pipe(
      payments,
      orderId,
      { paymentId, orderId, amount, method: 'card', ts },
      { timestampMs: ts },
    )
  order('o-1', 100, 0)
  order('o-2', 100, 10)
  order('o-3', 100, 20)
  pay('o-1', 'p-1', 100, 1_000)
  pay('o-2', 'p-2', 99, 2_000)
  pay('o-1', 'p-1', 100, 3_000)
  order('~t0-0', 0, minutes(20))
  const settled = { orderId: 'o-1', status: 'settled', due: 100, paid: 100, paymentId: 'p-1' }
  expect(driver.values(out)).toEqual([
    settled,
    { orderId: 'o-2', status: 'short', due: 100, paid: 99, paymentId: 'p-2' },
    settled,
    { orderId: 'o-3', status: 'expired', due: 100, paid: 0 },
  ])
})

const initialStock = 75
const products = 5

test('w4 ships or refuses each order once, and every hold is deducted or released', () => {
  const driver = new TopologyDriver(w4(['orders', 'payments'], ['out', 'stock']), { partitions: 3 })
  const prng = new Prng(4)
  const lines = new Map<string, readonly { readonly p: string; readonly q: number }[]>()
  const short = new Set<string>()
  for (let i = 0; i < 250; i++) {
    const orderId = `o-${i}`
    const first = prng.int(products)
    const own = Array.from({ length: 1 + prng.int(3) }, (_, line) => {
      return { p: `P${(first + line) % products}`, q: 1 + prng.int(3) }
    })
    lines.set(orderId, own)
    const total = 100 * own.reduce((sum, { q }) => sum + q, 0)
    const isShort = prng.chance(0.1)
    if (isShort) short.add(orderId)
    driver.pipe(orders, orderId, { orderId, lines: own, total, ts: i }, { timestampMs: i * 20 })
    const amount = isShort ? total - 1 : total
    driver.pipe(
      payments,
      orderId,
      { paymentId: `p-${i}`, orderId, amount, ts: i },
      { timestampMs: i * 20 + 5 },
    )
  }
  const outcomes = new Map(driver.read(out).map(({ key, value }) => [key, value]))
  expect(outcomes.size).toBe(250)
  const shipped = [...lines].filter(([orderId]) => outcomes.get(orderId)!['status'] === 'shipped')
  for (const [orderId, { status, reason }] of outcomes) {
    const expected = short.has(orderId) ? 'short' : status === 'shipped' ? undefined : 'stock'
    expect(reason).toBe(expected)
  }
  const last = new Map(driver.read(stock).map(({ key, value }) => [key, value]))
  for (let product = 0; product < products; product++) {
    const p = `P${product}`
    const sold = shipped.flatMap(([, own]) => own.filter((line) => line.p === p))
    const deducted = sold.reduce((sum, { q }) => sum + q, 0)
    expect(last.get(p)).toEqual({ p, remaining: initialStock - deducted, reserved: 0, deducted })
    expect(deducted).toBeGreaterThan(initialStock - 6) // the stock did run low
  }
})
