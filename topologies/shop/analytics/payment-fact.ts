/** What an event of a payment adds to the figures, under its method and currency. */

import type { PaymentEvent } from '../shared/events.ts'
import { figureKey } from './figure-key.ts'
import type { Fact } from './figure-row.ts'

/** @param method  of the payment: a refund's event does not name it */
export const paymentFact = (event: PaymentEvent, method: string, atMs: number): Fact => ({
  key: figureKey('payment', method, event.data.currency),
  atMs,
  sums: sumsOf(event),
})

const sumsOf = (event: PaymentEvent): Readonly<Record<string, number>> => {
  switch (event.eventType) {
    case 'payment.processed':
      return event.data.status === 'COMPLETED'
        ? { completed: 1, capturedMinor: event.data.capturedMinor }
        : { failed: 1 }
    case 'payment.unknown':
      return { unknown: 1 }
    case 'payment.refunded':
      return event.data.status === 'COMPLETED'
        ? { refunds: 1, refundedMinor: event.data.amountMinor }
        : { failedRefunds: 1 }
  }
}
