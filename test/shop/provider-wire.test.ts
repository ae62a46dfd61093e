/** What each answer of a provider means: money moves by no guess. */

import { describe, expect, it } from 'vitest'
import type { GatewayRequest } from '../../topologies/shop/gateway/payment-gateway.ts'
import {
  questionPathOf,
  submissionOf,
  verdictOf,
} from '../../topologies/shop/gateway/provider-wire.ts'

const nowMs = Date.UTC(2026, 0, 1)
const charge: GatewayRequest = {
  kind: 'charge',
  paymentId: 'p-1',
  orderId: 'o',
  amountMinor: 500,
  currency: 'EUR',
  method: 'card',
}
const refund: GatewayRequest = {
  kind: 'refund',
  refundId: 'r/1',
  paymentId: 'p-1',
  orderId: 'o',
  amountMinor: 200,
  currency: 'EUR',
}
const captured = {
  paymentId: 'p-1',
  status: 'captured',
  capturedMinor: 500,
  currency: 'EUR',
  transactionId: 't',
}

interface Case {
  readonly request?: GatewayRequest
  readonly body?: unknown
  readonly retryAfter?: string
  readonly isQuestion?: boolean
}

const verdict = (status: number, { request = charge, body, retryAfter, isQuestion }: Case = {}) =>
  verdictOf(
    request,
    {
      status,
      headers: retryAfter === undefined ? {} : { 'retry-after': retryAfter },
      body: typeof body === 'string' ? body : JSON.stringify(body ?? {}),
    },
    { isQuestion: isQuestion ?? false, nowMs },
  )

describe('what is sent', () => {
  it('names the payment, and a refund within it', () => {
    expect(submissionOf(charge).path).toBe('/payments')
    expect(JSON.parse(submissionOf(charge).body)).toEqual({
      paymentId: 'p-1',
      orderId: 'o',
      amountMinor: 500,
      currency: 'EUR',
      method: 'card',
    })
    expect(submissionOf(refund).path).toBe('/payments/p-1/refunds')
    expect(JSON.parse(submissionOf(refund).body)).toMatchObject({ refundId: 'r/1' })
    expect([charge, refund].map(questionPathOf)).toEqual([
      '/payments/p-1',
      '/payments/p-1/refunds/r%2F1',
    ])
  })
})

describe('an answer about the request', () => {
  it.each([200, 201, 402])('is taken with status %i', (status) => {
    const answer = { kind: 'captured', capturedMinor: 500, transactionId: 't' }
    expect(verdict(status, { body: captured })).toEqual({ kind: 'answer', answer })
    const declined = { paymentId: 'p-1', status: 'declined', reason: 'no funds' }
    expect(verdict(status, { body: declined })).toEqual({
      kind: 'answer',
      answer: { kind: 'declined', reason: 'no funds' },
    })
  })

  it('may capture less than was asked for, and end refunds', () => {
    const short = verdict(200, { body: { ...captured, capturedMinor: 1 } })
    expect(short).toMatchObject({ kind: 'answer', answer: { capturedMinor: 1 } })
    const done = { refundId: 'r/1', status: 'refunded', transactionId: 'x' }
    expect(verdict(200, { request: refund, body: done })).toEqual({
      kind: 'answer',
      answer: { kind: 'refunded', transactionId: 'x' },
    })
    const refused = { refundId: 'r/1', status: 'refused' }
    expect(verdict(200, { request: refund, body: refused })).toEqual({
      kind: 'answer',
      answer: { kind: 'refused', reason: 'not-said' },
    })
  })

  it.each([
    ['more than was asked for', { ...captured, capturedMinor: 501 }],
    ['nothing', { ...captured, capturedMinor: 0 }],
    ['a fraction', { ...captured, capturedMinor: 1.5 }],
    ['an amount as text', { ...captured, capturedMinor: '500' }],
    ['another currency', { ...captured, currency: 'JPY' }],
    ['no transaction', { ...captured, transactionId: undefined }],
    ['another payment', { ...captured, paymentId: 'p-2' }],
    ['no payment', { ...captured, paymentId: undefined }],
    ['another word', { ...captured, status: 'CAPTURED' }],
    ['the end of a refund', { paymentId: 'p-1', status: 'refunded', transactionId: 't' }],
    ['not decided', { paymentId: 'p-1', status: 'pending' }],
    ['no object', 'null'],
    ['no JSON', '<html>'],
    ['half of it', '{"paymentId":"p-1","status":"decl'],
  ])('with %s decides nothing', (_, body) => {
    expect(verdict(200, { body })).toMatchObject({ kind: 'unknown', isFault: false })
  })
})

describe('a status', () => {
  it.each([
    [500, { kind: 'unknown', isFault: true }],
    [502, { kind: 'unknown', isFault: true }],
    [503, { kind: 'unknown', isFault: true }],
    [504, { kind: 'unknown', isFault: true }],
    [408, { kind: 'unknown', isFault: true }],
    [202, { kind: 'unknown', isFault: false }],
    [204, { kind: 'unknown', isFault: false }],
    [302, { kind: 'unknown', isFault: false }],
    [400, { kind: 'unknown', isFault: false }],
    [404, { kind: 'unknown', isFault: false }],
    [409, { kind: 'unknown', isFault: false }],
    [422, { kind: 'unknown', isFault: false }],
    [401, { kind: 'later', isAway: true }],
    [403, { kind: 'later', isAway: true }],
    [429, { kind: 'later', isAway: false }],
  ])('%i is never an outcome, whatever its body says', (status, expected) => {
    expect(verdict(status, { body: captured })).toMatchObject(expected)
  })

  it('of a question may say that the request is not there', () => {
    for (const status of [404, 405, 501]) {
      expect(verdict(status, { isQuestion: true })).toEqual({ kind: 'absent' })
    }
  })

  it('with Retry-After says when, in seconds or as a date, within an hour', () => {
    const after = (retryAfter: string, status = 503): unknown => {
      const found = verdict(status, { retryAfter })
      return found.kind === 'later' ? found.afterMs : found.kind
    }
    expect(after('7')).toBe(7_000)
    expect(after('0')).toBe(1)
    expect(after('86400', 429)).toBe(3_600_000)
    expect(after(new Date(nowMs + 90_000).toUTCString())).toBe(90_000)
    expect(after(new Date(nowMs - 90_000).toUTCString())).toBe(1)
    expect(after('soon')).toBe('unknown')
  })
})
