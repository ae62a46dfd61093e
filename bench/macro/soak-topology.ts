/**
 * What the soak runs: every kind of state that must give back what it no longer needs.
 *
 * ```
 *   orders ─► distinct ─► left join ─► by customer ─┬─► total per customer ─► totals
 *   payments ──────────────┘                        └─► count per 10 s, on close ─► counts
 * ```
 * 1. Customers are a fixed set; all else ends by its time within a minute. 2. Changelogs forget
 * tombstones after 20 s instead of a day: a day of them would be growth that is no leak.
 */

import {
  aggregate,
  count,
  distinctBy,
  distinctStore,
  joinStore,
  json,
  keyValueStore,
  leftJoinWithin,
  repartitionBy,
  repartitionTopic,
  seconds,
  type Store,
  stream,
  to,
  topic,
  topology,
  tumbling,
  utf8,
  windowed,
  windowedStore,
} from '../../src/index.ts'

export interface Order {
  readonly customerId: string
  readonly cents: number
  readonly note: string
}

export interface Payment {
  readonly cents: number
}

interface Settlement extends Order {
  readonly isPaid: boolean
}

interface CustomerTotal {
  readonly orders: number
  readonly paidCents: number
  readonly lastNote: string
}

const forgetful = <S extends Store>(store: S): S => ({
  ...store,
  changelog: { ...store.changelog, deleteRetentionMs: seconds(20) },
})

export const orders = topic('soak.orders', { key: utf8, value: json<Order>() })
export const payments = topic('soak.payments', { key: utf8, value: json<Payment>() })
export const totals = topic('soak.totals', { key: utf8, value: json<CustomerTotal>() })
export const counts = topic('soak.counts', { key: windowed(utf8), value: json<number>() })
const byCustomer = repartitionTopic('by-customer', { key: utf8, value: json<Settlement>() })

const seenOrders = forgetful(
  distinctStore('seen-orders', { id: utf8, withinMs: seconds(10), graceMs: seconds(2) }),
)
const awaitingPayment = forgetful(
  joinStore('awaiting-payment', {
    key: utf8,
    left: json<Order>(),
    right: json<Payment>(),
    withinMs: seconds(5),
    graceMs: seconds(1),
  }),
)
const customerTotals = keyValueStore('customer-totals', {
  key: utf8,
  value: json<CustomerTotal>(),
})
const perWindow = forgetful(
  windowedStore('per-window', {
    key: utf8,
    value: json<number>(),
    windows: tumbling({ sizeMs: seconds(10), graceMs: seconds(2) }),
  }),
)

const settle = (order: Order, payment: Payment | undefined): Settlement => ({
  ...order,
  isPaid: payment !== undefined,
})

const noTotal: CustomerTotal = { orders: 0, paidCents: 0, lastNote: '' }

export const soakTopology = topology('soak', () => {
  const settled$ = stream(orders).pipe(
    distinctBy(seenOrders, ({ key }) => key),
    leftJoinWithin(stream(payments), awaitingPayment, settle),
    repartitionBy(byCustomer, ({ value }) => value.customerId),
  )
  return [
    settled$.pipe(
      aggregate(
        customerTotals,
        () => noTotal,
        (total, { cents, isPaid, note }) => ({
          orders: total.orders + 1,
          paidCents: total.paidCents + (isPaid ? cents : 0),
          lastNote: note,
        }),
      ),
      to(totals),
    ),
    settled$.pipe(count(perWindow, { emit: 'onClose' }), to(counts)),
  ]
})
