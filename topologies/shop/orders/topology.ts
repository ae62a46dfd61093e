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
import { notificationsOf } from '../notifications/model.ts'
import { checkKey } from '../shared/check-key.ts'
import type { ShopConfig } from '../shared/config.ts'
import { type DueRows, dueRows, type DueTimes, withRowsRead } from '../shared/due-rows.ts'
import { count, type Counters, duplicatesCounter } from '../shared/counters.ts'
import type {
  NotificationRequested,
  OrderEvent,
  PaymentProcessed,
  PlatformEvent,
  StockReply,
} from '../shared/events.ts'
import type { Flow } from '../shared/flow.ts'
import { tellOrder } from '../shared/local-invariants.ts'
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
import type { OrderCharge, OrderRow } from './order-row.ts'
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

/** The first money of an order, as the order takes note of it: once in its life. */
export interface FirstCapture {
  readonly kind: 'firstCapture'
  readonly message: PaymentProcessed
  /** Of the order, after it. */
  readonly row: OrderRow
}

export interface OrdersFlow extends Flow<OrderEvent> {
  readonly platformEvents$: Observable<StreamRecord<string, PlatformEvent>>
  /** Everything that is decided, for flows that follow. */
  readonly decided$: Observable<StreamRecord<string, OrderOutput>>
}

export type OrderOutput =
  | OrderEmission
  | FirstCapture
  /** None if the configuration leaves them out. */
  | { readonly kind: 'notification'; readonly message: NotificationRequested }

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
  const platformEvents$ = decided$.pipe(
    ofKind('platformEvent'),
    mapValues(({ message }) => message),
  )
  const sinks = [
    events$.pipe(to(orders)),
    platformEvents$.pipe(to(platform)),
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
  return { events$, platformEvents$, decided$, sinks }
}

const decider = (config: ShopConfig) => {
  const stores = { rows: orderStore, deadlines: orderDeadlines, totals: orderTotals }
  const contextOf = (nowMs: number): OrderContext => ({
    nowMs,
    deadlines: config.deadlines,
    chargesMax: config.chargesMax,
    backorders: config.backorders,
  })
  const due = dueRows(deadlinesMax)
  const store = storer(config)
  return process<string, OrderInput, typeof stores, OrderOutput>('orders', stores, {
    onRecord: ({ key, value }, opened, context) => {
      checkKey(key, value.data.orderId, 'orderId')
      const row = opened.rows.get(key)
      const nowMs = context.nowMs()
      const decision = decideOrder(row, value, contextOf(nowMs))
      if (decision === undefined) {
        count(opened.totals, duplicatesCounter)
        return []
      }
      const emissions = store(opened, { before: row, decision, nowMs })
      return isFirstCapture(value, row, decision.row)
        ? [...emissions, { kind: 'firstCapture', message: value, row: decision.row }]
        : emissions
    },
    prefetchKeys: ({ key }) => ({ rows: [key] }),
    punctuators: {
      deadlines: {
        everyMs: config.deadlines.checkEveryMs,
        on: 'wallClock',
        run: (nowMs, opened, context) =>
          passDeadlines(opened, {
            due,
            times: timesOf(nowMs, context),
            context: contextOf(nowMs),
            store,
          }),
      },
    },
  })
}

const isFirstCapture = (
  input: OrderInput,
  before: OrderRow | undefined,
  after: OrderRow,
): input is PaymentProcessed =>
  'eventType' in input
  && input.eventType === 'payment.processed'
  && input.data.status === 'COMPLETED'
  && before?.charges.some(isCaptured) !== true
  && after.charges.some(isCaptured)

const isCaptured = ({ state }: OrderCharge): boolean => state === 'captured'

/** Up to when deadlines have passed: an answer that waits in our queues must be seen first. */
const timesOf = (nowMs: number, context: ProcessContext): DueTimes => ({
  dueMs: Math.min(nowMs, context.caughtUpToMs()),
  nowMs,
  latestNowMs: context.latestNowMs(),
})

interface Passing {
  readonly due: DueRows
  readonly times: DueTimes
  readonly context: OrderContext
  readonly store: StoreDecision
}

const passDeadlines = (
  opened: OrderStores,
  { due, times, context, store }: Passing,
): readonly (readonly [string, OrderOutput])[] => {
  const { nowMs } = context
  const sent: (readonly [string, OrderOutput])[] = []
  for (const indexKey of withRowsRead(due.next(opened.deadlines, times), opened.rows)) {
    opened.deadlines.delete(indexKey)
    const orderId = restOf(indexKey)
    const row = opened.rows.get(orderId)
    const decision = row && decideOrderDeadline(row, times.dueMs, context)
    if (decision === undefined) continue
    for (const each of store(opened, { before: row, decision, nowMs })) sent.push([orderId, each])
  }
  for (const indexKey of due.ahead(opened.deadlines, times)) {
    const row = opened.rows.get(restOf(indexKey))
    const decision = row && decideClockSetBack(row, nowMs)
    if (decision !== undefined) store(opened, { before: row, decision, nowMs })
  }
  return sent
}

interface Decided {
  readonly before: OrderRow | undefined
  readonly decision: OrderDecision
  readonly nowMs: number
}

type StoreDecision = (stores: OrderStores, decided: Decided) => readonly OrderOutput[]

/** @returns  writes what was decided, and says what is to be sent */
const storer =
  ({ notifications, onViolation }: ShopConfig): StoreDecision =>
  ({ rows, deadlines, totals }, { before, decision, nowMs }) => {
    const { row, emissions, index } = decision
    rows.put(row.orderId, row)
    tellOrder(onViolation, before, row)
    if (index.deleteMs !== undefined) deadlines.delete(timeKey(index.deleteMs, row.orderId))
    if (index.putMs !== undefined) deadlines.put(timeKey(index.putMs, row.orderId), 1)
    countDecision(totals, before, row)
    const told = notifications ? notificationsOf(before, row, nowMs) : []
    if (told.length === 0) return emissions
    return [...emissions, ...told.map((message) => ({ kind: 'notification', message }) as const)]
  }
