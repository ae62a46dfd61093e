/**
 * A payment provider behind HTTP; `docs/payments.md` tells providers what is expected of them.
 *
 * Called by the payments flow through `effect`, which repeats what rejects. 1. A request carries
 * its id as `Idempotency-Key`, the same over retries, restarts and instances. 2. Only what the
 * provider says about this request is an outcome; a lost connection, a time-out, any 5xx rejects as
 * unknown. 3. A repetition first asks what became of the request, and sends it again only if the
 * provider does not know it. 4. What need not be sent now is put off, which is no attempt: the
 * breaker is open, the rate is used up, the provider said when to come back; so is what never left.
 */

import {
  authorization,
  EffectPostponed,
  type HttpAnswer,
  type HttpAuth,
  type HttpRequest,
  NotSentError,
} from '../../../src/index.ts'
import type { CircuitBreaker, Permit } from './circuit-breaker.ts'
import type {
  GatewayAnswer,
  GatewayCall,
  GatewayRequest,
  PaymentGateway,
} from './payment-gateway.ts'
import { questionPathOf, submissionOf, type Verdict, verdictOf } from './provider-wire.ts'
import type { TokenBucket } from './token-bucket.ts'

export interface HttpGatewayOptions {
  /** Without a slash at its end. */
  readonly url: string
  /** Rejects at its own time-out; two in turn must end before that of the effect. */
  readonly ask: (request: HttpRequest) => Promise<HttpAnswer>
  /** Asked for every request, so that a token may be renewed. */
  readonly auth?: () => HttpAuth | undefined
  readonly breaker: CircuitBreaker
  readonly bucket: TokenBucket
  /** Wall clock. */
  readonly nowMs: () => number
}

/** Where the provider did not say when to come back. */
const laterMs = 1_000

export const httpGateway =
  (options: HttpGatewayOptions): PaymentGateway =>
  async (request, call) => {
    const { breaker } = options
    const permit = enter(options, call.idempotencyKey)
    let verdict: Verdict
    try {
      verdict = await exchange(options, request, call)
    } catch (error) {
      if (call.signal.aborted) breaker.abandoned(permit)
      else breaker.failed(permit)
      if (error instanceof NotSentError) throw new EffectPostponed(laterMs, error.message)
      throw error
    }
    return conclude(options, permit, verdict)
  }

/** @throws {EffectPostponed} not now */
const enter = ({ breaker, bucket }: HttpGatewayOptions, idempotencyKey: string): Permit => {
  const downMs = breaker.waitMs()
  if (downMs > 0) throw new EffectPostponed(downMs, 'the payment provider is not called for now')
  const turnMs = bucket.take(idempotencyKey)
  if (turnMs > 0) throw new EffectPostponed(turnMs, 'the rate to the payment provider is used up')
  return breaker.permit()
}

const exchange = async (
  options: HttpGatewayOptions,
  request: GatewayRequest,
  { idempotencyKey, attempt, signal }: GatewayCall,
): Promise<Verdict> => {
  const { url, ask, auth, nowMs } = options
  const headers = {
    accept: 'application/json',
    'idempotency-key': idempotencyKey,
    ...authorization(auth?.()),
  }
  if (attempt > 1) {
    const asked = new URL(url + questionPathOf(request))
    const answer = await ask({ method: 'GET', url: asked, headers, body: undefined, signal })
    const verdict = verdictOf(request, answer, { isQuestion: true, nowMs: nowMs() })
    if (verdict.kind !== 'absent') return verdict
  }
  const { path, body } = submissionOf(request)
  const answer = await ask({
    method: 'POST',
    url: new URL(url + path),
    headers: { ...headers, 'content-type': 'application/json' },
    body,
    signal,
  })
  return verdictOf(request, answer, { isQuestion: false, nowMs: nowMs() })
}

const conclude = (
  { breaker, bucket }: HttpGatewayOptions,
  permit: Permit,
  verdict: Verdict,
): GatewayAnswer => {
  switch (verdict.kind) {
    case 'answer':
      breaker.succeeded(permit)
      return verdict.answer
    case 'later': {
      const { afterMs = laterMs, isAway, why } = verdict
      if (!isAway) {
        breaker.succeeded(permit)
        bucket.pause(afterMs)
      } else if (verdict.afterMs === undefined) breaker.failed(permit)
      else breaker.openFor(permit, afterMs)
      throw new EffectPostponed(afterMs, why)
    }
    case 'unknown':
      if (verdict.isFault) breaker.failed(permit)
      else breaker.succeeded(permit)
      throw new Error(verdict.why)
    case 'absent':
      throw new Error('only a question is answered so')
  }
}
