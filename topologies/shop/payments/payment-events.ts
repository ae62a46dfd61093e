/**
 * The events of a payment, made from its row after the change. Ids follow from payment and step.
 */

import type { PaymentProcessed, PaymentRefunded, PaymentUnknown } from '../shared/events.ts'
import { paymentProcessedVersion } from '../shared/message-versions.ts'
import { newEvent } from '../shared/new-event.ts'
import { type PaymentRefund, type PaymentRow, refundableMinorOf } from './payment-row.ts'

const originOf = (row: PaymentRow, causationId: string, nowMs: number) => ({
  source: 'payments',
  aggregateId: row.paymentId,
  aggregateVersion: row.version,
  correlationId: row.correlationId,
  causationId,
  nowMs,
})

/** Of a payment that is captured or declined. */
export const processedEvent = (row: PaymentRow, nowMs: number): PaymentProcessed => {
  const { paymentId, orderId, amountMinor, capturedMinor, currency, method } = row
  return newEvent(
    'payment.processed',
    {
      paymentId,
      orderId,
      status: row.state === 'captured' ? 'COMPLETED' : 'FAILED',
      amountMinor,
      capturedMinor,
      currency,
      method,
      ...(row.transactionId !== undefined && { transactionId: row.transactionId }),
      ...(row.reason !== undefined && { reason: row.reason }),
    },
    { ...originOf(row, row.commandId, nowMs), version: paymentProcessedVersion },
    'payment.processed',
  )
}

export const unknownEvent = (row: PaymentRow, error: string, nowMs: number): PaymentUnknown => {
  const { paymentId, orderId, amountMinor, currency, method } = row
  const data = { paymentId, orderId, amountMinor, currency, method, error }
  return newEvent('payment.unknown', data, originOf(row, row.commandId, nowMs), 'payment.unknown')
}

/** Of a refund that is done or failed. */
export const refundedEvent = (
  row: PaymentRow,
  { refundId, amountMinor, state, reason }: PaymentRefund,
  nowMs: number,
): PaymentRefunded => {
  const { paymentId, orderId, currency } = row
  const status = state === 'done' ? 'COMPLETED' : 'FAILED'
  return newEvent(
    'payment.refunded',
    {
      refundId,
      paymentId,
      orderId,
      status,
      amountMinor,
      currency,
      reason,
      refundableMinor: refundableMinorOf(row),
    },
    originOf(row, refundId, nowMs),
    `payment.refunded:${refundId}`,
  )
}
