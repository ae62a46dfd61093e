/**
 * The payment provider of the shop, out of its settings: the fake one, or one behind HTTP.
 *
 * Used by what opens an instance. 1. A password or token is no flag, since a process list shows
 * flags: it comes from MILLRACE_PAYMENT_PASSWORD, the settings file, or a file of its own, which is
 * read for every request, so that whoever renews it needs no restart. 2. What does not fit together
 * is refused before anything is opened. 3. Breaker and rate are those of this process.
 */

import { readFileSync } from 'node:fs'
import { type BreakerState, CircuitBreaker } from '../../topologies/shop/gateway/circuit-breaker.ts'
import { fakeGateway } from '../../topologies/shop/gateway/fake-gateway.ts'
import { httpGateway } from '../../topologies/shop/gateway/http-gateway.ts'
import type { PaymentGateway } from '../../topologies/shop/gateway/payment-gateway.ts'
import { TokenBucket } from '../../topologies/shop/gateway/token-bucket.ts'
import type { GatewayCallConfig } from '../../topologies/shop/shared/config.ts'
import { systemClock } from '../clock.ts'
import type { Settings } from '../config/settings.ts'
import { UsageError } from '../config/usage-error.ts'
import type { HttpAuth } from '../http-client/http-auth.ts'
import { HttpConnections } from '../http-client/http-connections.ts'
import type { Logger } from '../logger.ts'
import { flagFile } from './flag-file.ts'

export interface PaymentProvider {
  readonly gateway: PaymentGateway
  /** How the payments flow calls it, where that differs from the defaults. */
  readonly calls: Partial<GatewayCallConfig>
  /** Of a provider that may be away. */
  readonly breakerState?: () => BreakerState
  close(): void
}

const answerBytesMax = 65_536
const breakerLimits = { failuresMax: 5, openMs: 1_000, openMaxMs: 60_000 }

/** For plans and tests of settings, which call nobody. */
export const fakeProvider = (settings: Settings): PaymentProvider => {
  const { seed, declineRate, shortRate, timeoutRate } = settings
  const gateway = fakeGateway({ seed, declineRate, shortRate, timeoutRate })
  return { gateway, calls: {}, close: () => {} }
}

/** @throws {UsageError} no address, credentials that are half there, a file that cannot be read */
export const openPaymentProvider = (settings: Settings, logger: Logger): PaymentProvider => {
  if (settings.payments === 'fake') return fakeProvider(settings)
  const { paymentUrl, paymentCa, paymentTimeoutMs: timeoutMs, paymentRate } = settings
  if (paymentUrl === undefined) {
    throw new UsageError('--payments http needs the address of the provider: --payment-url')
  }
  const auth = authOf(settings)
  const ca = paymentCa === undefined ? undefined : flagFile('--payment-ca', paymentCa)
  const connections = new HttpConnections({ timeoutMs, ca, answerBytesMax })
  const nowMs = systemClock.monotonicMs
  const breaker = new CircuitBreaker({
    ...breakerLimits,
    nowMs,
    onChange: (state) =>
      logger.warn({ state }, 'the circuit breaker of the payment provider changed'),
  })
  const perSec = paymentRate ?? Number.POSITIVE_INFINITY
  const burst = paymentRate === undefined ? 1 : Math.max(1, Math.floor(paymentRate))
  const gateway = httpGateway({
    url: paymentUrl.replace(/\/+$/, ''),
    ask: (request) => connections.ask(request),
    auth,
    breaker,
    bucket: new TokenBucket({ perSec, burst, nowMs }),
    nowMs: systemClock.nowMs,
  })
  return {
    gateway,
    // a question and a request, each with its own time-out
    calls: { timeoutMs: 2 * timeoutMs + 1_000, backoffJitter: 0.5 },
    breakerState: () => breaker.state,
    close: () => connections.close(),
  }
}

const authOf = (settings: Settings): (() => HttpAuth | undefined) => {
  const { paymentUsername: username, paymentPassword, paymentPasswordFile: file } = settings
  const secret = file === undefined ? () => paymentPassword : secretIn(file)
  if (secret() === undefined) {
    if (username === undefined) return () => undefined
    throw new UsageError(
      '--payment-username needs a password: MILLRACE_PAYMENT_PASSWORD or --payment-password-file',
    )
  }
  return () => {
    const password = secret() ?? ''
    return username === undefined
      ? { kind: 'bearer', token: password }
      : { kind: 'basic', username, password }
  }
}

/** While the file is being replaced, what was in it before. */
const secretIn = (path: string): (() => string) => {
  let last = flagFile('--payment-password-file', path).toString().trim()
  return () => {
    try {
      last = readFileSync(path, 'utf8').trim()
    } catch {
      // the provider says whether the old one still counts
    }
    return last
  }
}
