/**
 * The port to a payment provider: what the payments flow asks for, and the definite answers.
 *
 * 1. The same idempotency key is the same request: a provider that has done it answers as before.
 * 2. A decline is an answer. Only when it cannot be known whether money moved does the call reject;
 * it is then asked again under the same key, for as long as it takes.
 */

import type { PaymentMethod } from '../shared/commands.ts'

export interface ChargeRequest {
  readonly kind: 'charge'
  readonly paymentId: string
  readonly orderId: string
  readonly amountMinor: number
  readonly currency: string
  readonly method: PaymentMethod
}

export interface RefundRequest {
  readonly kind: 'refund'
  readonly refundId: string
  readonly paymentId: string
  readonly orderId: string
  readonly amountMinor: number
  readonly currency: string
}

export type GatewayRequest = ChargeRequest | RefundRequest

export type GatewayAnswer =
  /** `capturedMinor` may be less than asked for, never more. */
  | { readonly kind: 'captured'; readonly capturedMinor: number; readonly transactionId: string }
  | { readonly kind: 'declined'; readonly reason: string }
  | { readonly kind: 'refunded'; readonly transactionId: string }
  | { readonly kind: 'refused'; readonly reason: string }

export interface GatewayCall {
  readonly idempotencyKey: string
  /** 1 for the first attempt. */
  readonly attempt: number
  /** Aborts at the time-out of the call; the provider client must stop. */
  readonly signal: AbortSignal
}

/** @throws anything: the outcome is unknown, the caller asks again under the same key */
export type PaymentGateway = (request: GatewayRequest, call: GatewayCall) => Promise<GatewayAnswer>

/** The key under which the provider knows a request: the same over retries and restarts. */
export const gatewayKeyOf = (request: GatewayRequest): string =>
  request.kind === 'charge' ? request.paymentId : request.refundId
