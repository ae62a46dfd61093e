/**
 * The payments' decisions: pure functions from a row and a command or answer to row and messages.
 *
 * ```
 *   (none) ─ProcessPayment─► asked ─► captured | declined
 *                              └─► unknown ─► captured | declined
 *   refund of a captured one:  asked ─► done | failed      asked ─► unknown ─► done | failed
 * ```
 * Called by `topology.ts` with rows of the store, and by tests without any. 1. One paymentId is
 * charged at most once, however often it is commanded. 2. What is refunded or being refunded never
 * exceeds what was captured. 3. An unknown outcome is neither a capture nor a decline.
 */

import type { GatewayAnswer, GatewayRequest } from '../gateway/payment-gateway.ts'
import { bodyHash } from '../shared/body-hash.ts'
import { checkCount, checkId, checkOneOf } from '../shared/checks.ts'
import type { PaymentCommand, ProcessPayment, RefundPayment } from '../shared/commands.ts'
import type { PaymentEvent } from '../shared/events.ts'
import { isCurrency } from '../shared/money.ts'
import { ShopError } from '../shared/shop-error.ts'
import { processedEvent, refundedEvent, unknownEvent } from './payment-events.ts'
import { type PaymentRefund, type PaymentRow, refundableMinorOf } from './payment-row.ts'

export type PaymentEmission =
  | { readonly kind: 'gatewayCall'; readonly request: GatewayRequest }
  | { readonly kind: 'paymentEvent'; readonly event: PaymentEvent }

export interface PaymentDecision {
  readonly row: PaymentRow
  readonly emissions: readonly PaymentEmission[]
}

/** What became of a gateway call; the result of the `effect` operator has this shape. */
export type GatewayResult =
  | { readonly kind: 'done'; readonly request: GatewayRequest; readonly value: GatewayAnswer }
  | { readonly kind: 'unknown'; readonly request: GatewayRequest; readonly error: string }

/**
 * @param row  of the paymentId in the command
 * @returns    `undefined` for a repetition, to be dropped and counted; its answer was given
 * @throws {ShopError} dead letter; nothing changes
 */
export const decidePayment = (
  row: PaymentRow | undefined,
  command: PaymentCommand,
  nowMs: number,
): PaymentDecision | undefined =>
  command.commandType === 'ProcessPayment' ? charge(row, command) : refund(row, command, nowMs)

/** @returns `undefined` if the outcome was known before */
export const decideAnswer = (
  row: PaymentRow,
  result: GatewayResult,
  nowMs: number,
): PaymentDecision | undefined =>
  result.request.kind === 'charge'
    ? chargeAnswered(row, result, nowMs)
    : refundAnswered(row, { refundId: result.request.refundId, result }, nowMs)

const charge = (
  row: PaymentRow | undefined,
  command: ProcessPayment,
): PaymentDecision | undefined => {
  const {
    data,
    commandId,
    metadata: { correlationId },
  } = command
  const hash = bodyHash(data)
  if (row !== undefined) {
    if (row.bodyHash === hash) return undefined
    throw new ShopError('PAYMENT_ID_REUSED', `another charge came under the id ${row.paymentId}`)
  }
  checkCharge(command)
  const { paymentId, orderId, amountMinor, currency, method } = data
  return {
    row: {
      paymentId,
      orderId,
      version: 1,
      state: 'asked',
      amountMinor,
      capturedMinor: 0,
      currency,
      method,
      commandId,
      correlationId,
      bodyHash: hash,
    },
    emissions: [
      {
        kind: 'gatewayCall',
        request: { kind: 'charge', paymentId, orderId, amountMinor, currency, method },
      },
    ],
  }
}

const refund = (
  row: PaymentRow | undefined,
  { data }: RefundPayment,
  nowMs: number,
): PaymentDecision | undefined => {
  const { refundId, paymentId, orderId, amountMinor } = data
  checkId(refundId, 'refundId')
  checkCount(amountMinor, 'amountMinor', 1)
  if (row === undefined || row.orderId !== orderId) {
    throw new ShopError('PAYMENT_UNKNOWN', `order ${orderId} has no payment ${paymentId}`)
  }
  const known = row.refunds?.find((each) => each.refundId === refundId)
  if (known !== undefined) {
    if (known.amountMinor === amountMinor) return undefined
    throw new ShopError('COMMAND_ID_REUSED', `another refund came under the id ${refundId}`)
  }
  const isPossible = amountMinor <= refundableMinorOf(row)
  const reason = isPossible ? String(data.reason) : 'exceeds-captured'
  const asked: PaymentRefund = {
    refundId,
    amountMinor,
    state: isPossible ? 'asked' : 'failed',
    reason,
  }
  const next = { ...row, version: row.version + 1, refunds: [...(row.refunds ?? []), asked] }
  if (!isPossible) return { row: next, emissions: [told(refundedEvent(next, asked, nowMs))] }
  const { currency } = row
  const request = { kind: 'refund', refundId, paymentId, orderId, amountMinor, currency } as const
  return { row: next, emissions: [{ kind: 'gatewayCall', request }] }
}

const chargeAnswered = (
  row: PaymentRow,
  result: GatewayResult,
  nowMs: number,
): PaymentDecision | undefined => {
  if (row.state === 'captured' || row.state === 'declined') return undefined
  const version = row.version + 1
  if (result.kind === 'unknown') {
    if (row.state === 'unknown') return undefined
    const next: PaymentRow = { ...row, version, state: 'unknown' }
    return { row: next, emissions: [told(unknownEvent(next, result.error, nowMs))] }
  }
  const { value } = result
  if (value.kind === 'captured') {
    const { capturedMinor, transactionId } = value
    const next: PaymentRow = { ...row, version, state: 'captured', capturedMinor, transactionId }
    return { row: next, emissions: [told(processedEvent(next, nowMs))] }
  }
  if (value.kind !== 'declined') throw new Error(`the gateway answered a charge: ${value.kind}`)
  const next: PaymentRow = { ...row, version, state: 'declined', reason: value.reason }
  return { row: next, emissions: [told(processedEvent(next, nowMs))] }
}

const refundAnswered = (
  row: PaymentRow,
  { refundId, result }: { readonly refundId: string; readonly result: GatewayResult },
  nowMs: number,
): PaymentDecision | undefined => {
  const refunds = row.refunds ?? []
  const index = refunds.findIndex((each) => each.refundId === refundId)
  const known = refunds[index]
  if (known === undefined || known.state === 'done' || known.state === 'failed') return undefined
  if (result.kind === 'unknown' && known.state === 'unknown') return undefined
  const changed = refundAfter(known, result)
  const next = { ...row, version: row.version + 1, refunds: refunds.with(index, changed) }
  if (changed.state === 'unknown') return { row: next, emissions: [] }
  return { row: next, emissions: [told(refundedEvent(next, changed, nowMs))] }
}

const refundAfter = (known: PaymentRefund, result: GatewayResult): PaymentRefund => {
  if (result.kind === 'unknown') return { ...known, state: 'unknown' }
  const { value } = result
  if (value.kind === 'refunded') return { ...known, state: 'done' }
  if (value.kind === 'refused') return { ...known, state: 'failed', reason: value.reason }
  throw new Error(`the gateway answered a refund: ${value.kind}`)
}

const told = (event: PaymentEvent): PaymentEmission => ({ kind: 'paymentEvent', event })

const checkCharge = ({ data }: ProcessPayment): void => {
  checkId(data.paymentId, 'paymentId')
  checkId(data.orderId, 'orderId')
  checkCount(data.amountMinor, 'amountMinor', 1)
  checkOneOf(data.method, 'method', ['card', 'transfer'])
  if (!isCurrency(data.currency)) {
    throw new ShopError('BAD_COMMAND', `${JSON.stringify(data.currency)} is no currency code`)
  }
}
