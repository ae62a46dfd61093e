/**
 * What happened to the orders of a customer: one row per event, in the order of event time.
 *
 * Keys sort as `[length of the id][id][time][version][event]`: all rows of a customer are one
 * range, whatever characters the id has, and a replayed event is the same row.
 */

import { columns } from '../../../src/index.ts'
import type { OrderEvent } from '../shared/events.ts'
import { timeKey } from '../shared/time-index.ts'

export interface CustomerRow {
  readonly orderId: string
  readonly eventType: OrderEvent['eventType']
  readonly eventId: string
  /** Event time: when it was decided. */
  readonly atMs: number
  /** Of the order, at this event. */
  readonly version: number
  readonly currency?: string
  readonly totalMinor?: number
  readonly refundedMinor?: number
  readonly reason?: string
}

/** Columns may be added at the end. */
export const customerRows = columns<CustomerRow>('customer-order/1', {
  orderId: 'json',
  eventType: 'json',
  eventId: 'json',
  atMs: 'json',
  version: 'json',
  currency: 'json',
  totalMinor: 'json',
  refundedMinor: 'json',
  reason: 'json',
})

export interface KeyBounds {
  /** Inclusive. */
  readonly from: string
  /** Exclusive. */
  readonly to: string
}

/** Where the rows of a customer are. */
export const customerBounds = (customerId: string): KeyBounds => {
  const start = `${customerId.length}|${customerId}|`
  return { from: start, to: `${start}:` } // the character after the digits
}

const versionDigits = 9

export const customerKey = (
  customerId: string,
  { atMs, version, eventId }: CustomerRow,
): string => {
  const rest = `${String(version).padStart(versionDigits, '0')}|${eventId}`
  return customerBounds(customerId).from + timeKey(atMs, rest)
}

/** Events that name a customer; an update of address or notes, done or refused, does not. */
export type CustomerEvent = Exclude<
  OrderEvent,
  { readonly eventType: 'order.updated' | 'order.update-refused' }
>

export const namesCustomer = (event: OrderEvent): event is CustomerEvent =>
  event.eventType !== 'order.updated' && event.eventType !== 'order.update-refused'

export const customerRowOf = (event: CustomerEvent): CustomerRow => {
  const { eventType, eventId, timestamp, aggregateVersion: version, data } = event
  const atMs = Date.parse(timestamp)
  const base = { orderId: data.orderId, eventType, eventId, atMs, version }
  return {
    ...base,
    ...('currency' in data && { currency: data.currency }),
    ...('totalMinor' in data && { totalMinor: data.totalMinor }),
    ...('refundedMinor' in data && { refundedMinor: data.refundedMinor }),
    ...('reason' in data && { reason: data.reason }),
  }
}
