/**
 * What the routes of the analytics say of themselves. What each figure counts is in
 * `docs/analytics.md`.
 */

import { type TSchema, Type } from 'typebox'
import type { RouteDoc } from '../../../../src/index.ts'
import { statusOfEvent } from '../../analytics/order-fact.ts'
import { stockSums } from '../../analytics/stock-fact.ts'
import { delaySums, orderSums, outcomeSums, paymentSums, shipmentSums } from '../figure-sums.ts'
import { problemKinds } from '../problem-kinds.ts'
import { paymentMethods } from './order-schemas.ts'
import { count, cursor, exactly, id, oneOf, source, time } from './shared-schemas.ts'

const tag = 'analytics'
const { noSuchStore } = problemKinds

const counts = (names: readonly string[]): Record<string, TSchema> =>
  Object.fromEntries(names.map((name) => [name, count]))

const successRate = Type.Optional(
  Type.Number({ minimum: 0, maximum: 1, description: 'Of definite outcomes; absent without any.' }),
)

const ms = ['count', 'sumMs', 'minMs', 'maxMs', 'meanMs', 'p50Ms', 'p95Ms', 'p99Ms']
const duration = Type.Optional(exactly(counts(ms), 'Durations'))

/** Rows of windows, and their sums. */
const windowsOf = (row: Record<string, TSchema>): Record<string, TSchema> => ({
  windows: Type.Array(exactly({ start: time, end: time, ...row })),
  totals: Type.Array(exactly(row)),
})

const sources = Type.Array(source, { description: 'Who answered, a partition each.' })
const span = { granularity: oneOf(['minute', 'hour']), from: time, to: time }
const freshness = { late: count, sources }

const orderRow = {
  currency: Type.String(),
  statuses: exactly(counts(Object.values(statusOfEvent))),
  ...counts(orderSums),
}
const paymentKey = { method: oneOf(paymentMethods), currency: Type.String() }
const paymentRow = { ...paymentKey, ...counts(paymentSums), successRate }
const delayRow = { ...paymentKey, ...counts([...delaySums, 'unpaid']), delay: duration }
const methodRow = exactly({
  method: paymentKey.method,
  ...counts(outcomeSums),
  successRate,
})
const shipmentRow = {
  carrier: Type.String(),
  ...counts(shipmentSums),
  createdToShipped: duration,
  shippedToDelivered: duration,
}
const level = exactly(
  {
    productId: id(),
    ...counts(['onHand', 'held', 'safetyStock', 'available']),
    isLow: Type.Boolean(),
    lowSince: Type.Optional(time),
  },
  'StockLevel',
)

const figuresDoc = (summary: string, body: TSchema): RouteDoc => ({
  tag,
  summary,
  description: 'Counted as events are decided, by their time. Amounts are minor units.',
  answers: { 200: { description: 'Over all partitions, as of their last commits.', body } },
  problems: [noSuchStore],
})

export const orderFiguresDoc = figuresDoc(
  'Orders and revenue by minute or hour.',
  exactly({ ...span, ...windowsOf(orderRow), ...freshness }, 'OrderFigures'),
)

export const paymentFiguresDoc = figuresDoc(
  'Payments, how often they succeed, and how long they take, by minute or hour.',
  exactly(
    {
      ...span,
      ...windowsOf(paymentRow),
      methods: Type.Array(methodRow),
      delays: exactly({ ...windowsOf(delayRow), ...freshness }),
      ...freshness,
    },
    'PaymentFigures',
  ),
)

export const shippingFiguresDoc = figuresDoc(
  'Shipments and their times by minute or hour.',
  exactly({ ...span, ...windowsOf(shipmentRow), ...freshness }, 'ShippingFigures'),
)

export const inventoryFiguresDoc = figuresDoc(
  'Movements of stock by minute or hour, and a page of the products as they are now.',
  exactly(
    {
      ...span,
      ...windowsOf(counts(stockSums)),
      ...freshness,
      products: Type.Array(level),
      cursor,
      productSources: sources,
    },
    'InventoryFigures',
  ),
)
