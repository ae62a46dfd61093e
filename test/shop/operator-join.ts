/**
 * Orders joined with their captures by the product's own windowed join, over the raw topics.
 *
 * What `leftJoinWithin` says within 15 minutes, with a grace of one: the analytics, which join in
 * the order's own row, must say the same.
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
import { TopologyDriver } from '../../src/testing/topology-driver.ts'
import type { RawTopics } from './naive-figures.ts'

export interface JoinedOrder {
  /** Method and currency. */
  readonly label: string
  readonly createdAtMs: number
  /** Undefined: alone for 15 minutes. */
  readonly delayMs?: number
}

type Created = Omit<JoinedOrder, 'delayMs'>

const created = topic('created', { key: utf8, value: json<Created>() })
const captured = topic('captured', { key: utf8, value: json<number>() })
const joined = topic('joined', { key: utf8, value: json<JoinedOrder>() })
const awaiting = joinStore('awaiting', {
  key: utf8,
  left: created.value,
  right: captured.value,
  withinMs: minutes(15),
  graceMs: minutes(1),
})

const orderPayment = topology('order-payment', () => [
  stream(created).pipe(
    leftJoinWithin(stream(captured), awaiting, (order, paidAtMs): JoinedOrder => {
      return paidAtMs === undefined ? order : { ...order, delayMs: paidAtMs - order.createdAtMs }
    }),
    to(joined),
  ),
])

/** Every order of the topics, with its first capture. */
export const operatorJoin = (raw: RawTopics, nowMs: number): readonly JoinedOrder[] => {
  const driver = new TopologyDriver(orderPayment, { startMs: nowMs })
  const records = [...createdOf(raw), ...capturedOf(raw)]
  for (const { atMs, pipe } of records.toSorted((a, b) => a.atMs - b.atMs)) pipe(driver, atMs)
  const flush = { label: 'flush', createdAtMs: nowMs }
  driver.pipe(created, 'flush', flush, { timestampMs: nowMs + minutes(40) })
  return driver.values(joined)
}

interface Timed {
  readonly atMs: number
  readonly pipe: (driver: TopologyDriver, timestampMs: number) => void
}

const createdOf = ({ orders }: RawTopics): readonly Timed[] =>
  orders.flatMap(({ value: { eventType, timestamp, data } }) => {
    if (eventType !== 'order.created') return []
    const { orderId, paymentMethod, currency } = data
    const atMs = Date.parse(timestamp)
    const order = { label: `${paymentMethod}|${currency}`, createdAtMs: atMs }
    return [
      {
        atMs,
        pipe: (driver, timestampMs) => driver.pipe(created, orderId, order, { timestampMs }),
      },
    ]
  })

const capturedOf = ({ payments }: RawTopics): readonly Timed[] => {
  const seen = new Set<string>()
  return payments.flatMap(({ value: { eventType, timestamp, data } }) => {
    if (eventType !== 'payment.processed' || data.status !== 'COMPLETED') return []
    const { orderId } = data
    if (seen.has(orderId)) return []
    seen.add(orderId)
    const atMs = Date.parse(timestamp)
    return [
      {
        atMs,
        pipe: (driver, timestampMs) => driver.pipe(captured, orderId, atMs, { timestampMs }),
      },
    ]
  })
}
