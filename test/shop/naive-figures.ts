/**
 * The shop's figures computed again from its raw topics, in the plainest way: everything in lists.
 *
 * For tests of the analytics, of which it shares nothing but the names. An event that lies in a
 * topic twice (same id) counts once; an answer about a hold that was closed moved no stock.
 */

import type {
  InventoryEvent,
  OrderEvent,
  PaymentEvent,
  ShipmentEvent,
} from '../../topologies/shop/shared/events.ts'

/** A record's value with its own time. */
export interface Dated<E> {
  readonly value: E
  readonly timestampMs: number
}

export interface RawTopics {
  readonly orders: readonly Dated<OrderEvent>[]
  readonly payments: readonly Dated<PaymentEvent>[]
  readonly inventory: readonly Dated<InventoryEvent>[]
  readonly shipments: readonly Dated<ShipmentEvent>[]
}

export interface NaiveFigure {
  readonly sums: Record<string, number>
  readonly durationsMs: Record<string, number[]>
}

/** By `<start in ms> <label>`. */
export type NaiveFigures = Record<string, NaiveFigure>

export class NaiveCount {
  readonly figures: NaiveFigures = {}
  readonly #windowMs: number

  constructor(windowMs: number) {
    this.#windowMs = windowMs
  }

  count(label: string, at: string, sums: Record<string, number>, times: object = {}): void {
    const startMs = Math.floor(Date.parse(at) / this.#windowMs) * this.#windowMs
    const figure = (this.figures[`${startMs} ${label}`] ??= { sums: {}, durationsMs: {} })
    for (const [name, by] of Object.entries(sums)) figure.sums[name] = (figure.sums[name] ?? 0) + by
    for (const [name, ms] of Object.entries(times)) (figure.durationsMs[name] ??= []).push(ms)
  }
}

const once = <E extends { readonly eventId: string }>(records: readonly Dated<E>[]): Dated<E>[] => {
  const seen = new Set<string>()
  return records.filter(({ value: { eventId } }) => !seen.has(eventId) && seen.add(eventId))
}

export const naiveOrders = (raw: RawTopics, windowMs: number): NaiveFigures => {
  const naive = new NaiveCount(windowMs)
  for (const { value: event } of once(raw.orders)) {
    if (event.eventType === 'order.updated' || event.eventType === 'order.update-refused') continue
    if (event.eventType === 'order.create-refused') continue
    const label = `order|${event.data.currency}`
    const at = event.timestamp
    naive.count(label, at, { [event.eventType.slice('order.'.length)]: 1 })
    if (event.eventType === 'order.created') {
      const { items, totalMinor } = event.data
      for (const { quantity } of items) naive.count(label, at, { units: quantity })
      naive.count(label, at, { orderedMinor: totalMinor })
    }
    if (event.eventType === 'order.confirmed') {
      naive.count(label, at, { revenueMinor: event.data.totalMinor })
    }
    if ('refundedMinor' in event.data && event.data.refundedMinor > 0) {
      naive.count(label, at, { refundedMinor: event.data.refundedMinor })
    }
  }
  return naive.figures
}

/** Each order with its first capture, if there is one. */
export const naiveDelays = (raw: RawTopics, windowMs: number): NaiveFigures => {
  const naive = new NaiveCount(windowMs)
  const captures = new Map<string, string>()
  for (const { value } of raw.payments) {
    if (value.eventType !== 'payment.processed' || value.data.status !== 'COMPLETED') continue
    const { orderId } = value.data
    if (!captures.has(orderId)) captures.set(orderId, value.timestamp)
  }
  for (const { value: event } of once(raw.orders)) {
    if (event.eventType !== 'order.created') continue
    const { orderId, paymentMethod, currency } = event.data
    const label = `delay|${paymentMethod}|${currency}`
    naive.count(label, event.timestamp, { awaited: 1 })
    const at = captures.get(orderId)
    if (at === undefined) continue
    const delay = Date.parse(at) - Date.parse(event.timestamp)
    if (delay > 15 * 60_000) naive.count(label, event.timestamp, { paidLate: 1 })
    else naive.count(label, event.timestamp, { paid: 1 }, { delay })
  }
  return naive.figures
}

export const naivePayments = (raw: RawTopics, windowMs: number): NaiveFigures => {
  const naive = new NaiveCount(windowMs)
  const events = once(raw.payments).map(({ value }) => value)
  const methods = new Map<string, string>()
  for (const { data } of events) if ('method' in data) methods.set(data.paymentId, data.method)
  for (const event of events) {
    const { paymentId, currency } = event.data
    const label = `payment|${methods.get(paymentId)}|${currency}`
    if (event.eventType === 'payment.unknown') {
      naive.count(label, event.timestamp, { unknown: 1 })
    } else if (event.eventType === 'payment.processed') {
      const { status, capturedMinor } = event.data
      const isDone = status === 'COMPLETED'
      naive.count(label, event.timestamp, isDone ? { completed: 1, capturedMinor } : { failed: 1 })
    } else {
      const { status, amountMinor: refundedMinor } = event.data
      const isDone = status === 'COMPLETED'
      const sums: Record<string, number> = isDone
        ? { refunds: 1, refundedMinor }
        : { failedRefunds: 1 }
      naive.count(label, event.timestamp, sums)
    }
  }
  return naive.figures
}

export const naiveShipping = (raw: RawTopics, windowMs: number): NaiveFigures => {
  const naive = new NaiveCount(windowMs)
  const events = once(raw.shipments).map(({ value }) => value)
  const timeOf = (shipmentId: string, step: string): number =>
    Date.parse(
      events.find(
        (each) =>
          each.data.shipmentId === shipmentId
          && (each.eventType === 'shipment.created' ? 'CREATED' : each.data.status) === step,
      )!.timestamp,
    )
  for (const event of events) {
    const { shipmentId, carrier } = event.data
    const [label, at] = [`shipment|${carrier}`, event.timestamp]
    const since = (step: string): number => Date.parse(at) - timeOf(shipmentId, step)
    if (event.eventType === 'shipment.created') naive.count(label, at, { created: 1 })
    else if (event.data.status === 'SHIPPED') {
      naive.count(label, at, { shipped: 1 }, { createdToShipped: since('CREATED') })
    } else if (event.data.status === 'DELIVERED') {
      naive.count(label, at, { delivered: 1 }, { shippedToDelivered: since('SHIPPED') })
    } else if (event.data.status === 'DELIVERY_FAILED') {
      naive.count(label, at, { failedAttempts: 1 })
    }
  }
  return naive.figures
}

export const naiveStock = (raw: RawTopics, windowMs: number): NaiveFigures => {
  const naive = new NaiveCount(windowMs)
  for (const { value: event } of once(raw.inventory)) {
    if ('reason' in event.data && event.data.reason === 'closed') continue
    const sums = stockSumsOf(event)
    if (sums !== undefined) naive.count('stock', event.timestamp, sums)
  }
  return naive.figures
}

const stockSumsOf = (event: InventoryEvent): Record<string, number> | undefined => {
  if (event.eventType === 'inventory.updated') {
    const { operation, quantityChange } = event.data
    const change = Math.abs(quantityChange)
    return { updates: 1, [operation === 'ADD' ? 'addedUnits' : 'subtractedUnits']: change }
  }
  if (event.eventType === 'stock.low') return { lowStockWarnings: 1 }
  if (event.eventType === 'inventory.update-refused') return undefined
  if (event.eventType === 'stock.backordered') return undefined
  const { quantity } = event.data
  return {
    'stock.reserved': { reservations: 1, reservedUnits: quantity },
    'reservation.failed': { failedReservations: 1, missedUnits: quantity },
    'stock.deducted': { deductions: 1, deductedUnits: quantity },
    'deduct.failed': { failedDeductions: 1 },
    'stock.released': { releases: 1 },
    'hold.expired': { expiredHolds: 1 },
  }[event.eventType]
}

/** The share of the durations that a quantile stands for, looked up in the sorted list. */
export const naiveQuantile = (durationsMs: readonly number[], share: number): number => {
  const sorted = durationsMs.toSorted((a, b) => a - b)
  return sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1]!
}
