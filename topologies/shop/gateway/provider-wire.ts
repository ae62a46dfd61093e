/**
 * What is said to a payment provider over HTTP, and what its answers mean: the wire contract.
 *
 * Pure; used by `http-gateway.ts`, told to providers by `docs/payments.md`. 1. Money is taken as
 * moved, or as not moved, only if the answer says so about this very request. 2. Everything that is
 * not understood leaves the outcome unknown.
 */

import type { HttpAnswer } from '../../../src/index.ts'
import type { GatewayAnswer, GatewayRequest } from './payment-gateway.ts'

export interface Submission {
  readonly path: string
  readonly body: string
}

export type Verdict =
  | { readonly kind: 'answer'; readonly answer: GatewayAnswer }
  /** To a question only: the provider does not know the request, or takes no questions. */
  | { readonly kind: 'absent' }
  /** Sent away before anything was done. `afterMs` if the provider said when to come back. */
  | {
      readonly kind: 'later'
      readonly isAway: boolean
      readonly afterMs: number | undefined
      readonly why: string
    }
  /** `isFault`: of the provider, and others will meet it too. */
  | { readonly kind: 'unknown'; readonly isFault: boolean; readonly why: string }

/** A provider that asks for more is asked again after this. */
const afterMsMax = 3_600_000
const reasonLengthMax = 200

export const submissionOf = (request: GatewayRequest): Submission => {
  const { orderId, paymentId, amountMinor, currency } = request
  if (request.kind === 'charge') {
    const { method } = request
    const body = { paymentId, orderId, amountMinor, currency, method }
    return { path: '/payments', body: JSON.stringify(body) }
  }
  const { refundId } = request
  const body = { refundId, paymentId, orderId, amountMinor, currency }
  return { path: `${paymentPath(paymentId)}/refunds`, body: JSON.stringify(body) }
}

/** Where to ask what became of it. */
export const questionPathOf = (request: GatewayRequest): string => {
  const path = paymentPath(request.paymentId)
  return request.kind === 'charge'
    ? path
    : `${path}/refunds/${encodeURIComponent(request.refundId)}`
}

/** @param nowMs  wall clock, for a Retry-After that is a date */
export const verdictOf = (
  request: GatewayRequest,
  { status, headers, body }: HttpAnswer,
  { isQuestion, nowMs }: { readonly isQuestion: boolean; readonly nowMs: number },
): Verdict => {
  if (status === 200 || status === 201 || status === 402) return meaningOf(request, body)
  if (isQuestion && (status === 404 || status === 405 || status === 501)) return { kind: 'absent' }
  const afterMs = retryAfterMs(headers['retry-after'], nowMs)
  const why = `the provider answered ${status}`
  if (status === 401 || status === 403) {
    return { kind: 'later', isAway: true, afterMs, why: `${why}: credentials or rights` }
  }
  if (status === 429 || (status === 503 && afterMs !== undefined)) {
    return { kind: 'later', isAway: status === 503, afterMs, why }
  }
  return { kind: 'unknown', isFault: status >= 500 || status === 408, why }
}

const paymentPath = (paymentId: string): string => `/payments/${encodeURIComponent(paymentId)}`

type Said = Readonly<Record<string, unknown>>

const meaningOf = (request: GatewayRequest, body: string): Verdict => {
  const said = objectOf(body)
  if (said === undefined) return notUnderstood('no JSON object')
  const [field, id] =
    request.kind === 'charge' ? ['paymentId', request.paymentId] : ['refundId', request.refundId]
  if (said[field!] !== id) return notUnderstood(`not about ${field} ${id}`)
  const { status } = said
  if (status === 'pending') {
    return { kind: 'unknown', isFault: false, why: 'the provider has not decided yet' }
  }
  const answer = request.kind === 'charge' ? chargeAnswer(request, said) : refundAnswer(said)
  return answer === undefined
    ? notUnderstood(`status ${JSON.stringify(status)} with these fields`)
    : { kind: 'answer', answer }
}

const chargeAnswer = ({ amountMinor, currency }: GatewayRequest, said: Said) => {
  const { status, capturedMinor, transactionId } = said
  if (status === 'declined') return { kind: 'declined', reason: reasonOf(said) } as const
  const isWhole =
    Number.isSafeInteger(capturedMinor)
    && (capturedMinor as number) > 0
    && (capturedMinor as number) <= amountMinor
  if (status !== 'captured' || !isWhole || said['currency'] !== currency) return undefined
  if (!isId(transactionId)) return undefined
  return { kind: 'captured', capturedMinor: capturedMinor as number, transactionId } as const
}

const refundAnswer = (said: Said): GatewayAnswer | undefined => {
  const { status, transactionId } = said
  if (status === 'refused') return { kind: 'refused', reason: reasonOf(said) }
  if (status !== 'refunded' || !isId(transactionId)) return undefined
  return { kind: 'refunded', transactionId }
}

const isId = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= reasonLengthMax

const reasonOf = ({ reason }: Said): string =>
  typeof reason === 'string' && reason !== '' ? reason.slice(0, reasonLengthMax) : 'not-said'

const notUnderstood = (what: string): Verdict => ({
  kind: 'unknown',
  isFault: false,
  why: `the provider's answer is not understood: ${what}`,
})

const objectOf = (body: string): Said | undefined => {
  try {
    const parsed: unknown = JSON.parse(body)
    return typeof parsed === 'object' && parsed !== null ? (parsed as Said) : undefined
  } catch {
    return undefined
  }
}

/** Whole seconds, or a date (RFC 9110, 10.2.3); at least 1 ms. */
const retryAfterMs = (value: string | undefined, nowMs: number): number | undefined => {
  if (value === undefined) return undefined
  const ms = /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - nowMs
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(1, ms), afterMsMax)
}
