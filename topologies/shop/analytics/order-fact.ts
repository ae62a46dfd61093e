/** What an event of an order adds to the figures, under its currency. */

import type { OrderEvent } from '../shared/events.ts'
import { figureKey } from './figure-key.ts'
import type { Fact } from './figure-row.ts'

type Statuses = Readonly<Partial<Record<OrderEvent['eventType'], string>>>

/** The status an order has from this event on, as the API names it. */
export const statusOfEvent = {
  'order.created': 'created',
  'order.confirmed': 'confirmed',
  'order.completed': 'completed',
  'order.cancelled': 'cancelled',
  'order.rejected': 'rejected',
  'order.expired': 'expired',
} as const satisfies Statuses

/** @returns  undefined: changes no status */
export const orderFact = (event: OrderEvent, atMs: number): Fact | undefined => {
  if (!hasStatus(event)) return undefined
  const key = figureKey('order', event.data.currency)
  return { key, atMs, sums: { [statusOfEvent[event.eventType]]: 1, ...amountsOf(event) } }
}

type StatusEvent = Extract<OrderEvent, { readonly eventType: keyof typeof statusOfEvent }>

const hasStatus = (event: OrderEvent): event is StatusEvent => event.eventType in statusOfEvent

const amountsOf = (event: OrderEvent): Readonly<Record<string, number>> => {
  switch (event.eventType) {
    case 'order.created': {
      const { items, totalMinor } = event.data
      const units = items.reduce((sum, { quantity }) => sum + quantity, 0)
      return { units, orderedMinor: totalMinor }
    }
    case 'order.confirmed':
      return { revenueMinor: event.data.totalMinor }
    case 'order.cancelled':
    case 'order.rejected':
    case 'order.expired':
      return event.data.refundedMinor > 0 ? { refundedMinor: event.data.refundedMinor } : {}
    default:
      return {}
  }
}
