/**
 * The orders flow: the only place that decides about an order, the only writer of its events.
 *
 * Glue only: reads rows, asks `model.ts`, writes row, index and counters, sends the messages.
 * Part of `shop.ts`; all its inputs are keyed by orderId and co-partitioned.
 */

import {
  type KeyValueState,
  mapValues,
  merge,
  type Observable,
  ofKind,
  process,
  type ProcessContext,
  stream,
  type StreamRecord,
  to,
} from '../../../src/index.ts'
import { checkKey } from '../shared/check-key.ts'
import type { ShopConfig } from '../shared/config.ts'
import { type DueRows, dueRows, type DueTimes, withRowsRead } from '../shared/due-rows.ts'
import { count, type Counters, duplicatesCounter } from '../shared/counters.ts'
import type { OrderEvent, StockReply } from '../shared/events.ts'
import { restOf, timeKey } from '../shared/time-index.ts'
import {
  inventoryCommands,
  orderCommands,
  orders,
  paymentCommands,
  payments,
  platform,
  shipmentCommands,
  shipments,
} from '../shared/topics.ts'
import {
  decideClockSetBack,
  decideOrder,
  decideOrderDeadline,
  type OrderDecision,
} from './model.ts'
import type { OrderContext, OrderEmission } from './order-draft.ts'
import type { OrderRow } from './order-row.ts'
import { orderDeadlines, orderStore, orderTotals } from './stores.ts'
import { countDecision } from './totals.ts'
import type { OrderInput } from './transitions.ts'

/** Deadlines looked at in one punctuation; more wait for the next one. */
const deadlinesMax = 1000

interface OrderStores {
  readonly rows: KeyValueState<string, OrderRow>
  readonly deadlines: KeyValueState<string, 1>
  readonly totals: Counters
}

export interface OrdersFlow {
  /** As they are written, for flows that follow. */
  readonly events$: Observable<StreamRecord<string, OrderEvent>>
  readonly sinks: readonly Observable<unknown>[]
}

/** @param replies$  what the inventory answers, keyed by orderId */
export const ordersFlow = (
  config: ShopConfig,
  replies$: Observable<StreamRecord<string, StockReply>>,
): OrdersFlow => {
  const inputs$ = merge(stream(orderCommands), stream(payments), stream(shipments), replies$)
  const decided$ = inputs$.pipe(decider(config))
  const events$ = decided$.pipe(
    ofKind('orderEvent'),
    mapValues(({ message }) => message),
  )
  const sinks = [
    events$.pipe(to(orders)),
    decided$.pipe(
      ofKind('platformEvent'),
      mapValues(({ message }) => message),
      to(platform),
    ),
    decided$.pipe(
      ofKind('paymentCommand'),
      mapValues(({ message }) => message),
      to(paymentCommands),
    ),
    decided$.pipe(
      ofKind('shipmentCommand'),
      mapValues(({ message }) => message),
      to(shipmentCommands),
    ),
    decided$.pipe(
      ofKind('inventoryCommand'),
      mapValues(({ message }) => message),
      to(inventoryCommands, ({ value }) => value.data.productId),
    ),
  ]
  return { events$, sinks }
}

const decider = (config: ShopConfig) => {
  const stores = { rows: orderStore, deadlines: orderDeadlines, totals: orderTotals }
  const contextOf = (nowMs: number): OrderContext => ({
    nowMs,
    deadlines: config.deadlines,
    chargesMax: config.chargesMax,
  })
  const due = dueRows(deadlinesMax)
  return process<string, OrderInput, typeof stores, OrderEmission>('orders', stores, {
    onRecord: ({ key, value }, opened, context) => {
      checkKey(key, value.data.orderId, 'orderId')
      const row = opened.rows.get(key)
      const decision = decideOrder(row, value, contextOf(context.nowMs()))
      if (decision === undefined) {
        count(opened.totals, duplicatesCounter)
        return []
      }
      return store(opened, row, decision)
    },
    prefetchKeys: ({ key }) => ({ rows: [key] }),
    punctuators: {
      deadlines: {
        everyMs: config.deadlines.checkEveryMs,
        on: 'wallClock',
        run: (nowMs, opened, context) =>
          passDeadlines(opened, { due, times: timesOf(nowMs, context) }, contextOf(nowMs)),
      },
    },
  })
}

/** Up to when deadlines have passed: an answer that waits in our queues must be seen first. */
const timesOf = (nowMs: number, context: ProcessContext): DueTimes => ({
  dueMs: Math.min(nowMs, context.caughtUpToMs()),
  nowMs,
  latestNowMs: context.latestNowMs(),
})

const passDeadlines = (
  opened: OrderStores,
  { due, times }: { readonly due: DueRows; readonly times: DueTimes },
  context: OrderContext,
): readonly (readonly [string, OrderEmission])[] => {
  const sent: (readonly [string, OrderEmission])[] = []
  for (const indexKey of withRowsRead(due.next(opened.deadlines, times), opened.rows)) {
    opened.deadlines.delete(indexKey)
    const orderId = restOf(indexKey)
    const row = opened.rows.get(orderId)
    const decision = row && decideOrderDeadline(row, times.dueMs, context)
    if (decision === undefined) continue
    for (const emission of store(opened, row, decision)) sent.push([orderId, emission])
  }
  for (const indexKey of due.ahead(opened.deadlines, times)) {
    const row = opened.rows.get(restOf(indexKey))
    const decision = row && decideClockSetBack(row, context.nowMs)
    if (decision !== undefined) store(opened, row, decision)
  }
  return sent
}

const store = (
  { rows, deadlines, totals }: OrderStores,
  before: OrderRow | undefined,
  { row, emissions, index }: OrderDecision,
): readonly OrderEmission[] => {
  rows.put(row.orderId, row)
  if (index.deleteMs !== undefined) deadlines.delete(timeKey(index.deleteMs, row.orderId))
  if (index.putMs !== undefined) deadlines.put(timeKey(index.putMs, row.orderId), 1)
  countDecision(totals, before, row)
  return emissions
}
