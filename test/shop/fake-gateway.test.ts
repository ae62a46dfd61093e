import { describe, expect, it } from 'vitest'
import { fakeGateway, type FakeGatewayOptions } from '../../topologies/shop/gateway/fake-gateway.ts'
import type {
  GatewayAnswer,
  GatewayRequest,
} from '../../topologies/shop/gateway/payment-gateway.ts'

const charge = (paymentId: string, method: 'card' | 'transfer' = 'card'): GatewayRequest => ({
  kind: 'charge',
  paymentId,
  orderId: 'o',
  amountMinor: 1001,
  currency: 'USD',
  method,
})

const { signal } = new AbortController()

const ask = async (
  options: FakeGatewayOptions,
  request: GatewayRequest,
  attempt = 1,
): Promise<GatewayAnswer | 'unknown'> => {
  const idempotencyKey = request.kind === 'charge' ? request.paymentId : request.refundId
  try {
    return await fakeGateway(options)(request, { idempotencyKey, attempt, signal })
  } catch {
    return 'unknown'
  }
}

const kindsOf = async (options: FakeGatewayOptions): Promise<Record<string, number>> => {
  const counts: Record<string, number> = {}
  for (let index = 0; index < 2000; index++) {
    const answer = await ask(options, charge(`p-${index}`))
    const kind =
      answer === 'unknown'
        ? answer
        : answer.kind === 'captured' && answer.capturedMinor < 1001
          ? 'short'
          : answer.kind
    counts[kind] = (counts[kind] ?? 0) + 1
  }
  return counts
}

describe('the fake gateway', () => {
  it('gives each key the same answer, whoever asks and how often', async () => {
    const options = { seed: 3, declineRate: 0.3, shortRate: 0.3 }
    for (let index = 0; index < 50; index++) {
      const first = await ask(options, charge(`p-${index}`))
      expect(await ask(options, charge(`p-${index}`), 2)).toEqual(first)
      expect(await ask({ ...options }, charge(`p-${index}`), 9)).toEqual(first)
    }
  })

  it('draws its lots at the given rates, and others for another seed', async () => {
    const options = { seed: 1, declineRate: 0.05, shortRate: 0.03, timeoutRate: 0.1 }
    const counts = await kindsOf(options)
    const near = (kind: string, share: number): boolean =>
      Math.abs((counts[kind] ?? 0) / 2000 - share) < 0.02
    expect([near('declined', 0.045), near('short', 0.027), near('unknown', 0.1)]).toEqual([
      true,
      true,
      true,
    ])
    expect(await kindsOf({ ...options, seed: 2 })).not.toEqual(counts)
  })

  it('answers on the second attempt after a time-out, and late from a dead end', async () => {
    expect(await ask({ timeoutRate: 1 }, charge('p'))).toBe('unknown')
    expect(await ask({ timeoutRate: 1 }, charge('p'), 2)).toMatchObject({ kind: 'captured' })
    const deadEnd = { unknownRate: 1, unknownAttempts: 4 }
    expect(await ask(deadEnd, charge('p'), 3)).toBe('unknown')
    expect(await ask(deadEnd, charge('p'), 4)).toMatchObject({ capturedMinor: 1001 })
  })

  it('never declines a transfer or a refund', async () => {
    const options = { declineRate: 1, shortRate: 1 }
    expect(await ask(options, charge('p', 'transfer'))).toMatchObject({ capturedMinor: 1001 })
    expect(
      await ask(options, {
        kind: 'refund',
        refundId: 'r',
        paymentId: 'p',
        orderId: 'o',
        amountMinor: 5,
        currency: 'USD',
      }),
    ).toMatchObject({ kind: 'refunded' })
  })

  it('waits its latency, and not longer than the caller does', async () => {
    const waited: number[] = []
    const sleep = (ms: number, aborts: AbortSignal): Promise<void> => {
      waited.push(ms)
      return aborts.aborted ? Promise.reject(aborts.reason) : Promise.resolve()
    }
    expect(await ask({ latencyMs: 250, sleep }, charge('p'))).toMatchObject({ kind: 'captured' })
    expect(waited).toEqual([250])
    const ended = AbortSignal.abort(new Error('too late'))
    const call = fakeGateway({ latencyMs: 250, sleep })(charge('p'), {
      idempotencyKey: 'p',
      attempt: 1,
      signal: ended,
    })
    await expect(call).rejects.toThrow('too late')
  })

  it('refuses rates that are none, and a latency it cannot wait for', () => {
    expect(() => fakeGateway({ declineRate: 1.1 })).toThrow(RangeError)
    expect(() => fakeGateway({ timeoutRate: Number.NaN })).toThrow(RangeError)
    expect(() => fakeGateway({ latencyMs: 1 })).toThrow(/sleep/)
  })
})
