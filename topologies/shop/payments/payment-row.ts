/**
 * One payment: a charge, what was captured of it, and its refunds.
 *
 * Refunds that are asked, unknown or done together never exceed what was captured.
 */

import { columns } from '../../../src/index.ts'
import type { PaymentMethod } from '../shared/commands.ts'

export type PaymentState = 'asked' | 'unknown' | 'captured' | 'declined'

export interface PaymentRefund {
  readonly refundId: string
  readonly amountMinor: number
  readonly state: 'asked' | 'unknown' | 'done' | 'failed'
  readonly reason: string
}

export interface PaymentRow {
  readonly paymentId: string
  readonly orderId: string
  /** Rises with each change. */
  readonly version: number
  readonly state: PaymentState
  readonly amountMinor: number
  readonly capturedMinor: number
  readonly currency: string
  readonly method: PaymentMethod
  readonly transactionId?: string
  /** Why it was declined. */
  readonly reason?: string
  readonly refunds?: readonly PaymentRefund[]
  readonly commandId: string
  readonly correlationId: string
  readonly bodyHash: string
}

/** Captured, and neither refunded nor being refunded. */
export const refundableMinorOf = ({ capturedMinor, refunds }: PaymentRow): number => {
  let leftMinor = capturedMinor
  for (const { state, amountMinor } of refunds ?? []) {
    if (state !== 'failed') leftMinor -= amountMinor
  }
  return leftMinor
}

/** Columns may be added at the end. */
export const paymentRows = columns<PaymentRow>('payment/1', {
  paymentId: 'json',
  orderId: 'json',
  version: 'json',
  state: 'json',
  amountMinor: 'json',
  capturedMinor: 'json',
  currency: 'json',
  method: 'json',
  commandId: 'json',
  correlationId: 'json',
  bodyHash: 'json',
  transactionId: 'json',
  reason: 'json',
  refunds: [{ refundId: 'json', amountMinor: 'json', state: 'json', reason: 'json' }],
})
