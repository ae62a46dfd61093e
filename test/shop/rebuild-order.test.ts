/**
 * Goal: an order that is rebuilt from its events is the stored one, whatever happened and whenever
 * it is looked at; and a change of one event is noticed.
 * Method: the property tests' histories, looked at after every step; then every event of a told
 * story is left out, and every field that the story depends on is changed, one at a time.
 */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkOrder, type OrderVerdict } from '../../topologies/shop/audit/check-order.ts'
import type { OrderRow } from '../../topologies/shop/orders/order-row.ts'
import type { ShopEvent } from '../../topologies/shop/shared/events.ts'
import { histories, run } from './shop-histories.ts'
import type { ShopWorld } from './shop-world.ts'

const eventsOf = ({ events }: ShopWorld, orderId: string): readonly ShopEvent[] =>
  events.filter(({ data }) => 'orderId' in data && data.orderId === orderId)

const check = (world: ShopWorld, row: OrderRow) =>
  checkOrder(row, { events: eventsOf(world, row.orderId) })

describe('a rebuilt order', () => {
  it('is never another than the stored one, and the same at rest', { timeout: 60_000 }, () => {
    const seen = new Map<OrderVerdict, number>()
    const note = (world: ShopWorld): void => {
      for (const row of world.orders.values()) {
        const { verdict, differences } = check(world, row)
        seen.set(verdict, (seen.get(verdict) ?? 0) + 1)
        if (verdict === 'same' || verdict === 'behind') continue
        throw new Error(`${verdict}: ${JSON.stringify({ differences, row })}`)
      }
    }
    fc.assert(
      fc.property(histories, (history) => {
        const world = run(history, { afterStep: note })
        for (const row of world.orders.values()) {
          const { verdict, differences } = check(world, row)
          if (verdict !== 'same') throw new Error(`at rest: ${JSON.stringify(differences)}`)
        }
      }),
      { numRuns: 40, seed: 20260102 },
    )
    expect([...seen.keys()].toSorted()).toEqual(['behind', 'same'])
  })
})

interface Told {
  readonly row: OrderRow
  readonly events: readonly ShopEvent[]
}

/** Orders at rest with their events, each once. */
const stories: readonly Told[] = fc
  .sample(histories, { numRuns: 25, seed: 5 })
  .flatMap((history) => {
    const world = run(history)
    return [...world.orders.values()].map((row) => {
      const byId = Map.groupBy(eventsOf(world, row.orderId), ({ eventId }) => eventId)
      return { row, events: [...byId.values()].map(([first]) => first!) }
    })
  })

/** Events without which the others are another story. */
const indispensable =
  /^order.(?!updated|create-refused)|^payment.(?!unknown)|^shipment|^stock.reserved/

/** A line that waited may be given up without having been held: then nobody misses that it was. */
const isIndispensable = (event: ShopEvent, events: readonly ShopEvent[]): boolean => {
  const { eventType, data } = event
  if (eventType !== 'stock.reserved') return indispensable.test(eventType)
  return !events.some(
    (each) => each.eventType === 'stock.backordered' && each.data.holdId === data.holdId,
  )
}

/** Whether nothing told later makes this redundant, and it is no answer that was given again. */
const isLastOfLine = ({ eventType, data }: ShopEvent, events: readonly ShopEvent[]): boolean =>
  'line' in data
  && data.reason !== 'closed'
  && !events.some(
    (each) =>
      'line' in each.data
      && each.data.line === data.line
      && (redundantAfter[eventType] ?? []).includes(each.eventType),
  )

const redundantAfter: Readonly<Record<string, readonly string[]>> = {
  'stock.backordered': ['stock.reserved', 'reservation.failed', 'stock.released'],
  'stock.reserved': ['stock.deducted', 'stock.released', 'hold.expired'],
  'hold.expired': ['stock.deducted', 'stock.released'],
  'reservation.failed': ['deduct.failed'],
  'stock.deducted': ['stock.released'],
  'deduct.failed': ['stock.released'],
}

/** Which fields of each event's data are compared with something. */
const compared: Readonly<Record<string, readonly string[]>> = {
  'order.created': ['customerId', 'currency', 'totalMinor', 'paymentMethod', 'items', 'placedAt'],
  'order.confirmed': ['customerId', 'currency', 'totalMinor'],
  'order.completed': ['customerId', 'currency', 'totalMinor'],
  'order.cancelled': ['customerId', 'currency', 'reason'],
  'order.rejected': ['customerId', 'currency', 'reason'],
  'order.expired': ['customerId', 'currency', 'reason'],
  'stock.reserved': ['line', 'productId', 'quantity', 'holdId'],
  'stock.backordered': ['line', 'productId', 'quantity', 'holdId'],
  'reservation.failed': ['line', 'productId', 'quantity', 'holdId'],
  'stock.deducted': ['line', 'productId', 'quantity', 'holdId'],
  'deduct.failed': ['line', 'productId', 'quantity', 'holdId'],
  'stock.released': ['line', 'productId', 'quantity', 'holdId'],
  'hold.expired': ['line', 'productId', 'quantity', 'holdId'],
  'payment.processed': ['paymentId', 'status'],
  'payment.refunded': ['refundId', 'paymentId', 'status', 'amountMinor'],
  'shipment.created': ['carrier', 'trackingNumber'],
  'shipment.status-updated': ['status', 'carrier'],
  'saga.completed': ['outcome'],
  'saga.compensated': ['outcome', 'reason'],
}

const another = (value: unknown): unknown => {
  if (typeof value === 'number') return value + 1
  if (Array.isArray(value)) return value.map((each: object) => ({ ...each, quantity: 77 }))
  const text = String(value)
  if (/^\d{4}-/.test(text)) return new Date(Date.parse(text) + 1).toISOString()
  const opposite: Readonly<Record<string, string>> = {
    COMPLETED: 'FAILED',
    FAILED: 'COMPLETED',
    card: 'transfer',
    transfer: 'card',
    SHIPPED: 'DELIVERED',
    DELIVERED: 'SHIPPED',
  }
  return opposite[text] ?? `${text}x`
}

/** The same event, with one thing changed. */
function* changedOf(event: ShopEvent): Generator<readonly [string, ShopEvent]> {
  const fields: Readonly<Record<string, unknown>> = { ...event.data }
  for (const name of compared[event.eventType] ?? []) {
    const data = { ...fields, [name]: another(fields[name]) }
    yield [name, { ...event, data } as unknown as ShopEvent]
  }
  for (const name of ['eventId', 'aggregateId'] as const) {
    yield [name, { ...event, [name]: another(event[name]) }]
  }
  yield ['orderId', { ...event, data: { ...fields, orderId: 'x' } } as unknown as ShopEvent]
}

describe('a change of one event is noticed:', () => {
  it('one that is left out', { timeout: 30_000 }, () => {
    const tried = new Set<string>()
    const missed: string[] = []
    for (const { row, events } of stories) {
      expect(checkOrder(row, { events }).verdict).toBe('same')
      for (const left of events) {
        const { eventType } = left
        if (!isIndispensable(left, events) && !isLastOfLine(left, events)) continue
        tried.add(eventType)
        const others = events.filter((event) => event !== left)
        const { verdict } = checkOrder(row, { events: others })
        if (verdict !== 'differs') missed.push(`${eventType}: ${verdict}`)
      }
    }
    expect(missed).toEqual([])
    expect(tried.size).toBeGreaterThan(12)
  })

  it('one that says something else', { timeout: 30_000 }, () => {
    const tried = new Set<string>()
    const missed: string[] = []
    for (const { row, events } of stories) {
      events.forEach((event, index) => {
        for (const [name, changed] of changedOf(event)) {
          if (name === 'orderId' && !isIndispensable(event, events)) continue
          const told = events
            .with(index, changed)
            .filter(({ data }) => 'orderId' in data && data.orderId === row.orderId)
          const { verdict } = checkOrder(row, { events: told })
          const what = `${name} of ${event.eventType}`
          tried.add(what)
          if (verdict !== 'differs') missed.push(`${what}: ${verdict}`)
        }
      })
    }
    const expected = Object.entries(compared).flatMap(([type, names]) =>
      names.map((name) => `${name} of ${type}`),
    )
    expect(missed).toEqual([])
    expect(expected.filter((what) => !tried.has(what))).toEqual([])
  })
})

describe('an order whose events are not all kept', () => {
  const { row, events } = stories[0]!

  it('is not compared beyond what is kept', () => {
    const rest = events.slice(1)
    const sinceMs = row.createdAtMs + 1
    expect(checkOrder(row, { events: rest, sinceMs }).verdict).toBe('incomplete')
    expect(checkOrder(row, { events: rest, sinceMs: row.createdAtMs }).verdict).toBe('differs')
    expect(checkOrder(row, { events, sinceMs }).verdict).toBe('same')
  })
})
