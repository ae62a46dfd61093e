/**
 * A payment provider for development and tests, with seeded troubles.
 *
 * 1. What becomes of a request is a pure function of (seed, idempotency key): retries, restarts and
 * other instances get the same answer, as from a provider that remembers its keys. 2. A time-out
 * rejects *after* the money moved; the next attempt answers captured. 3. A dead end rejects until
 * attempt `unknownAttempts`, so that the caller reports the outcome as unknown first. 4. Refunds
 * are never refused, but suffer time-outs too. 5. No decline or short capture for transfers: what
 * the customer sent is what there is.
 */

import type { GatewayAnswer, GatewayRequest, PaymentGateway } from './payment-gateway.ts'

export interface FakeGatewayOptions {
  /** Any text; another seed draws other lots. */
  readonly seed?: string | number
  /** Share of card charges declined, 0 to 1. */
  readonly declineRate?: number
  /** Share of card charges that capture less than was asked for. */
  readonly shortRate?: number
  /** Share of requests whose first attempt does its work but loses its answer. */
  readonly timeoutRate?: number
  /** Share of requests without any answer until attempt `unknownAttempts`. */
  readonly unknownRate?: number
  readonly unknownAttempts?: number
  /** Time to every answer; 0 answers at once. */
  readonly latencyMs?: number
  /** Waits; rejects if the signal aborts first. Needed when latencyMs is above 0. */
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>
}

/** @throws {RangeError} a rate outside of 0 to 1, or a latency without `sleep` */
export const fakeGateway = (options: FakeGatewayOptions = {}): PaymentGateway => {
  const {
    seed = 1,
    declineRate = 0,
    shortRate = 0,
    timeoutRate = 0,
    unknownRate = 0,
    unknownAttempts = 7,
    latencyMs = 0,
    sleep,
  } = options
  for (const rate of [declineRate, shortRate, timeoutRate, unknownRate]) {
    if (!(rate >= 0 && rate <= 1)) throw new RangeError(`a rate of ${rate} is not within 0 to 1`)
  }
  if (latencyMs > 0 && sleep === undefined) throw new RangeError('latencyMs needs sleep')
  return async (request, { idempotencyKey, attempt, signal }) => {
    if (latencyMs > 0) await sleep?.(latencyMs, signal)
    const lot = (name: string): number => lotOf(`${seed}/${idempotencyKey}/${name}`)
    if (attempt < unknownAttempts && lot('unknown') < unknownRate) {
      throw new Error('the provider cannot be reached')
    }
    if (attempt === 1 && lot('timeout') < timeoutRate) throw new Error('the answer timed out')
    if (request.kind === 'refund') {
      return { kind: 'refunded', transactionId: `rf-${idempotencyKey}` }
    }
    return chargeAnswer(request, idempotencyKey, {
      isDeclined: request.method === 'card' && lot('decline') < declineRate,
      isShort: request.method === 'card' && lot('short') < shortRate,
    })
  }
}

const chargeAnswer = (
  { amountMinor }: GatewayRequest,
  idempotencyKey: string,
  { isDeclined, isShort }: { readonly isDeclined: boolean; readonly isShort: boolean },
): GatewayAnswer => {
  if (isDeclined) return { kind: 'declined', reason: 'card-declined' }
  const capturedMinor = isShort ? Math.floor(amountMinor / 2) : amountMinor
  return { kind: 'captured', capturedMinor, transactionId: `tx-${idempotencyKey}` }
}

/** FNV-1a with a final mix, as a fraction from 0 to 1: even in its high bits for short texts. */
const lotOf = (text: string): number => {
  let state = 0x811c9dc5
  for (let i = 0; i < text.length; i++) {
    state = Math.imul(state ^ text.charCodeAt(i), 0x01000193)
  }
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b)
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35)
  return ((state ^ (state >>> 16)) >>> 0) / 2 ** 32
}
