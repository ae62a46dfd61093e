/**
 * The bodies of `POST /api/payments` and of its refunds.
 *
 * Amounts stay as they were written: only the order or the payment tells their currency.
 */

import { idLengthMax } from './order-limits.ts'
import { type ParsedBody, parsedBody } from './parsed-body.ts'
import { RequestProblems } from './request-problems.ts'

export interface PaymentRequest {
  readonly orderId: string
  /** What came in; all that is left to pay if absent. */
  readonly amount?: string | number
  /** If given it must be the order's. */
  readonly currency?: string
}

export interface RefundRequest {
  /** All that is left if absent. */
  readonly amount?: string | number
  readonly reason: string
}

/** In UTF-16 code units. */
export const reasonLengthMax = 200

export const parsePaymentRequest = (given: unknown): ParsedBody<PaymentRequest> => {
  const problems = new RequestProblems()
  const body = problems.object(given, '') ?? {}
  const { orderId, amount, currency } = body
  problems.unknownFields(body, ['orderId', 'amount', 'currency'])
  problems.text(orderId, '/orderId', idLengthMax)
  checkAmount(amount, problems)
  if (currency !== undefined) problems.text(currency, '/currency', 3)
  const value = {
    orderId,
    ...(amount !== undefined && { amount }),
    ...(currency !== undefined && { currency }),
  }
  return parsedBody(value, problems)
}

export const parseRefundRequest = (given: unknown): ParsedBody<RefundRequest> => {
  const problems = new RequestProblems()
  const body = problems.object(given, '') ?? {}
  const { amount, reason = 'customer' } = body
  problems.unknownFields(body, ['amount', 'reason'])
  checkAmount(amount, problems)
  problems.text(reason, '/reason', reasonLengthMax)
  return parsedBody({ ...(amount !== undefined && { amount }), reason }, problems)
}

const checkAmount = (amount: unknown, problems: RequestProblems): void => {
  if (amount === undefined || typeof amount === 'string' || typeof amount === 'number') return
  problems.tell('/amount', 'must be a decimal string or number')
}
