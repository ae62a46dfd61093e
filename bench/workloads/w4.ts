/**
 * W4 of the peer benchmark: orders that wait for their payment, reserve stock and ship.
 *
 * ```
 *   orders, payments ─► paid ─► commands (by product) ─► stock ─► answers (by order) ─► outcome
 *                                   ▲                                                     │
 *                                   └──────────── deduct or release each line ────────────┘
 * ```
 */

import {
  columns,
  filter,
  flatMap,
  joinStore,
  joinWithin,
  json,
  keyValueStore,
  mapValues,
  minutes,
  ofKind,
  process,
  repartitionTopic,
  stream,
  to,
  topic,
  topology,
  type Topology,
  utf8,
} from '../../src/index.ts'

interface Line {
  readonly p: string
  readonly q: number
}

interface Order {
  readonly orderId: string
  readonly lines: readonly Line[]
  readonly total: number
}

interface Payment {
  readonly amount: number
}

interface PaidOrder {
  readonly order: Order
  readonly isPaid: boolean
}

/** What is asked of a product's stock for one line of an order. */
interface Command {
  readonly op: 'reserve' | 'deduct' | 'release'
  readonly orderId: string
  readonly lineCount: number
  readonly p: string
  readonly q: number
}

interface Answer {
  readonly kind: 'answer'
  readonly orderId: string
  readonly lineCount: number
  readonly p: string
  readonly q: number
  readonly isReserved: boolean
}

interface Stock {
  readonly remaining: number
  readonly reserved: number
  readonly deducted: number
}

interface StockChange {
  readonly kind: 'change'
  readonly stock: Stock & { readonly p: string }
}

interface Outcome {
  readonly orderId: string
  readonly status: 'shipped' | 'failed'
  readonly reason?: 'short' | 'stock'
}

type Decision =
  | { readonly kind: 'outcome'; readonly outcome: Outcome }
  | { readonly kind: 'command'; readonly command: Command }

const awaitingPayment = joinStore('awaiting-payment', {
  key: utf8,
  left: columns<Order>('order/1', {
    orderId: 'json',
    lines: [{ p: 'json', q: 'json' }],
    total: 'json',
  }),
  right: columns<Payment>('payment/1', { amount: 'json' }),
  withinMs: minutes(15),
  graceMs: minutes(1),
})
const inventory = keyValueStore('inventory', {
  key: utf8,
  value: columns<Stock>('stock/1', { remaining: 'json', reserved: 'json', deducted: 'json' }),
})
const pending = keyValueStore('pending', { key: utf8, value: json<readonly Answer[]>() })

const commands = repartitionTopic('commands', { key: utf8, value: json<Command>() })
const answers = repartitionTopic('answers', { key: utf8, value: json<Answer>() })

const initialStock: Stock = { remaining: 75, reserved: 0, deducted: 0 }

const reservations = ({ orderId, lines }: Order): readonly (readonly [string, Command])[] =>
  lines.map(({ p, q }) => [p, { op: 'reserve', orderId, lineCount: lines.length, p, q }])

/** The stock after the command; the same object if it cannot reserve what is asked. */
const moved = (stock: Stock, { op, q }: Command): Stock => {
  const { remaining, reserved, deducted } = stock
  if (op === 'deduct') return { remaining, reserved: reserved - q, deducted: deducted + q }
  if (op === 'release') return { remaining: remaining + q, reserved: reserved - q, deducted }
  return remaining < q ? stock : { remaining: remaining - q, reserved: reserved + q, deducted }
}

const stockKeeper = () =>
  process<string, Command, { inventory: typeof inventory }, Answer | StockChange>(
    'stock',
    { inventory },
    {
      onRecord({ key: p, value: command }, stores) {
        const stock = stores.inventory.get(p) ?? initialStock
        const next = moved(stock, command)
        const hasMoved = next !== stock
        if (hasMoved) stores.inventory.put(p, next)
        const emitted: (Answer | StockChange)[] = []
        if (command.op === 'reserve') {
          const { orderId, lineCount, q } = command
          emitted.push({ kind: 'answer', orderId, lineCount, p, q, isReserved: hasMoved })
        }
        if (hasMoved) emitted.push({ kind: 'change', stock: { p, ...next } })
        return emitted
      },
      prefetchKeys: ({ key }) => ({ inventory: [key] }),
    },
  )

const decisionsOf = (orderId: string, answered: readonly Answer[]): readonly Decision[] => {
  const isShipped = answered.every(({ isReserved }) => isReserved)
  const outcome: Outcome = isShipped
    ? { orderId, status: 'shipped' }
    : { orderId, status: 'failed', reason: 'stock' }
  const op = isShipped ? 'deduct' : 'release'
  const held = answered.filter(({ isReserved }) => isReserved)
  return [
    { kind: 'outcome', outcome },
    ...held.map(({ lineCount, p, q }): Decision => {
      return { kind: 'command', command: { op, orderId, lineCount, p, q } }
    }),
  ]
}

const decider = () =>
  process<string, Answer, { pending: typeof pending }, Decision>(
    'decide',
    { pending },
    {
      onRecord({ key: orderId, value: answer }, stores) {
        const { lineCount } = answer
        if (lineCount === 1) return decisionsOf(orderId, [answer])
        const earlier = stores.pending.get(orderId) ?? []
        const answered = [...earlier, answer]
        if (answered.length < lineCount) {
          stores.pending.put(orderId, answered)
          return []
        }
        stores.pending.delete(orderId)
        return decisionsOf(orderId, answered)
      },
      prefetchKeys: ({ key, value: { lineCount } }) => ({
        pending: lineCount === 1 ? [] : [key],
      }),
    },
  )

export const w4 = (inputs: readonly string[], outputs: readonly string[]): Topology => {
  const orders = topic(inputs[0]!, { key: utf8, value: json<Order>() })
  const payments = topic(inputs[1]!, { key: utf8, value: json<Payment>() })
  const outcomes = topic(outputs[0]!, { key: utf8, value: json<Outcome>() })
  const stocks = topic(outputs[1]!, { key: utf8, value: json<StockChange['stock']>() })
  return topology('w4', () => {
    const paid$ = stream(orders).pipe(
      joinWithin(stream(payments), awaitingPayment, (order, { amount }): PaidOrder => {
        return { order, isPaid: amount >= order.total }
      }),
    )
    const changes$ = stream(commands).pipe(stockKeeper())
    const decided$ = stream(answers).pipe(decider())
    return [
      paid$.pipe(
        filter(({ value }) => !value.isPaid),
        mapValues(({ order }): Outcome => {
          return { orderId: order.orderId, status: 'failed', reason: 'short' }
        }),
        to(outcomes),
      ),
      paid$.pipe(
        filter(({ value }) => value.isPaid),
        flatMap(({ value }) => reservations(value.order)),
        to(commands),
      ),
      changes$.pipe(
        ofKind('answer'),
        to(answers, ({ value }) => value.orderId),
      ),
      changes$.pipe(
        ofKind('change'),
        mapValues(({ stock }) => stock),
        to(stocks),
      ),
      decided$.pipe(
        ofKind('outcome'),
        mapValues(({ outcome }) => outcome),
        to(outcomes),
      ),
      decided$.pipe(
        ofKind('command'),
        mapValues(({ command }) => command),
        to(commands, ({ value }) => value.p),
      ),
    ]
  })
}
