/** A payment as the API shows it: amounts as decimal strings. */

import { type PaymentRow, refundableMinorOf } from '../payments/payment-row.ts'
import { formatMinor } from '../shared/money.ts'

export const paymentView = (row: PaymentRow): object => {
  const money = (amountMinor: number): string => formatMinor(amountMinor, row.currency)
  const refunds = row.refunds ?? []
  const refundedMinor = refunds
    .filter(({ state }) => state === 'done')
    .reduce((sum, { amountMinor }) => sum + amountMinor, 0)
  return {
    paymentId: row.paymentId,
    orderId: row.orderId,
    version: row.version,
    status: row.state,
    reason: row.reason,
    method: row.method,
    currency: row.currency,
    amount: money(row.amountMinor),
    captured: money(row.capturedMinor),
    refunded: money(refundedMinor),
    refundable: money(refundableMinorOf(row)),
    transactionId: row.transactionId,
    refunds: refunds.map(({ refundId, amountMinor, state, reason }) => ({
      refundId,
      amount: money(amountMinor),
      status: state,
      reason,
    })),
  }
}
