/**
 * Goal: over a real provider with every trouble a network has, each order ends as it should, the
 * money there is what the shop booked, and no payment moves twice.
 *
 * Method: the whole shop under the TopologyDriver with the HTTP gateway, against a server of
 * `provider-server.ts`. Time in the shop, in breaker and bucket is moved by hand, and only while no
 * call is on its way; only the time-out of a request is real: where nobody is silent it is long.
 */

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { HttpConnections } from '../../src/http-client/http-connections.ts'
import { CircuitBreaker } from '../../topologies/shop/gateway/circuit-breaker.ts'
import { httpGateway } from '../../topologies/shop/gateway/http-gateway.ts'
import type { PaymentGateway } from '../../topologies/shop/gateway/payment-gateway.ts'
import { TokenBucket } from '../../topologies/shop/gateway/token-bucket.ts'
import { isFinal, type OrderRow } from '../../topologies/shop/orders/order-row.ts'
import { paymentStore } from '../../topologies/shop/payments/stores.ts'
import type { ShopSettings } from '../../topologies/shop/shared/config.ts'
import { cancelOrderCommand } from '../../topologies/shop/shared/customer-commands.ts'
import { paymentIdOf } from '../../topologies/shop/shared/ids.ts'
import { orderCommands } from '../../topologies/shop/shared/topics.ts'
import { ProviderServer, type Trouble } from './provider-server.ts'
import { ShopStory } from './shop-story.ts'

let server: ProviderServer
let connections: HttpConnections

const connect = (timeoutMs: number): HttpConnections =>
  new HttpConnections({ timeoutMs, answerBytesMax: 65_536 })

beforeEach(async () => {
  server = new ProviderServer()
  await server.open()
  connections = connect(5_000)
})

afterEach(async () => {
  connections.close()
  await server.close()
})

/** Of the gateway: those on their way, and requests made. */
interface Calls {
  open: number
  asked: number
}

class ProviderStory extends ShopStory {
  readonly #calls: Calls
  readonly breaker: CircuitBreaker

  private constructor(
    provider: PaymentGateway,
    settings: Omit<ShopSettings, 'gateway'>,
    parts: { calls: Calls; breaker: CircuitBreaker },
  ) {
    super({ provider, settings })
    this.#calls = parts.calls
    this.breaker = parts.breaker
  }

  static open(perSec = Infinity, settings: Omit<ShopSettings, 'gateway'> = {}): ProviderStory {
    const calls = { open: 0, asked: 0 }
    const nowMs = (): number => story.driver.clock.monotonicMs()
    const breaker = new CircuitBreaker({ failuresMax: 5, openMs: 1_000, openMaxMs: 60_000, nowMs })
    const gateway = httpGateway({
      url: server.url,
      ask: (request) => {
        calls.asked += 1
        return connections.ask(request)
      },
      auth: () => ({ kind: 'bearer', token: 'secret' }),
      breaker,
      bucket: new TokenBucket({ perSec, burst: 5, nowMs }),
      nowMs: () => story.nowMs,
    })
    const counted: PaymentGateway = async (request, call) => {
      calls.open += 1
      try {
        return await gateway(request, call)
      } finally {
        calls.open -= 1
      }
    }
    const story = new ProviderStory(counted, settings, { calls, breaker })
    return story
  }

  get asked(): number {
    return this.#calls.asked
  }

  /** Until nobody waits for the provider. */
  async answered(): Promise<void> {
    do {
      await this.driver.settleEffects()
      if (this.#calls.open > 0) await new Promise((resolve) => setTimeout(resolve, 2))
    } while (this.#calls.open > 0)
    await this.driver.settleEffects()
  }

  async passTime(ms: number, stepMs = 500): Promise<void> {
    for (const endMs = this.nowMs + ms; this.nowMs < endMs;) {
      await this.answered()
      this.driver.advanceWallClock(Math.min(stepMs, endMs - this.nowMs))
    }
    await this.answered()
  }

  /** Until every order is final. */
  async finish(): Promise<void> {
    for (let round = 0; round < 400; round++) {
      await this.passTime(1_000, 1_000)
      if (this.openOrders() === 0) return
    }
    throw new Error(`${this.openOrders()} orders are open`)
  }

  openOrders(): number {
    return this.summary(false).open
  }

  /** Money at the provider, by what it did; must be what the shop has booked. */
  expectMoneyToAgree(): void {
    let [providerMinor, bookedMinor] = [0, 0]
    for (const [paymentId, row] of this.driver.query(paymentStore).range()) {
      const refundedMinor = (row.refunds ?? [])
        .filter(({ state }) => state === 'done')
        .reduce((sum, { amountMinor }) => sum + amountMinor, 0)
      expect(server.keptMinor(paymentId)).toBe(row.capturedMinor - refundedMinor)
      providerMinor += server.keptMinor(paymentId)
      bookedMinor += row.capturedMinor - refundedMinor
    }
    expect(providerMinor).toBe(bookedMinor)
    expect([...server.moves.values()].filter((moves) => moves !== 1)).toEqual([])
    expect(this.summary().invariants.violations).toEqual([])
    expect(this.driver.deadLetters()).toEqual([])
  }

  cancel(orderId: string): void {
    const origin = { commandId: `${orderId}:cancel`, nowMs: this.nowMs, source: 'test' }
    const command = cancelOrderCommand(orderId, { reason: 'customer' }, origin)
    this.driver.pipe(orderCommands, orderId, command)
  }

  rows(ids: readonly string[]): readonly OrderRow[] {
    return ids.map((orderId) => this.row(orderId))
  }
}

const idsOf = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `o-${index}`)

/** Which order a request is about, by the order id in its body. */
const numberOf = (body: Readonly<Record<string, unknown>>): number =>
  Number(String(body['orderId']).slice(2))

describe('a provider with troubles', { timeout: 30_000 }, () => {
  beforeEach(() => {
    connections.close()
    connections = connect(200) // whoever is slow, is silent
  })

  const outcomes: Readonly<Record<Trouble, string>> = {
    none: 'completed',
    declines: 'cancelled',
    short: 'cancelled',
    silent: 'completed',
    'resets-before': 'completed',
    'resets-after': 'completed',
    cut: 'completed',
    twice: 'completed',
    'mixed-up': 'completed',
    'fails-after': 'completed',
    pending: 'completed',
    away: 'completed',
    'too-many': 'completed',
  }
  const troubles = Object.keys(outcomes) as readonly Trouble[]

  it('moves each payment once, and each order ends right', async () => {
    const ids = idsOf(troubles.length * 3)
    // refunds of short captures meet the same troubles
    const refundTroubles: readonly Trouble[] = ['silent', 'resets-before', 'cut']
    server.troubleOf = (_, body) => {
      const at = numberOf(body)
      if (body['refundId'] === undefined) return troubles[at % troubles.length]!
      return refundTroubles[Math.floor(at / troubles.length) % refundTroubles.length]!
    }
    const story = ProviderStory.open()
    story.stock('tea', 1_000)
    ids.forEach((orderId, index) => story.order(orderId, { tea: (index % 3) + 1 }))
    await story.finish()
    story.rows(ids).forEach(({ status }, index) => {
      expect([ids[index], status]).toEqual([
        ids[index],
        outcomes[troubles[index % troubles.length]!],
      ])
    })
    story.expectMoneyToAgree()
    const refunds = [...server.ledger.values()].filter(({ movedMinor }) => movedMinor < 0)
    expect(refunds).toHaveLength(3)
    expect(new Set(server.asked.map(({ authorization }) => authorization))).toEqual(
      new Set(['Bearer secret']),
    )
    const questions = server.asked.filter(({ method }) => method === 'GET')
    expect(questions.length).toBeGreaterThan(10)
  })

  it('that charged and never said so, over a restart of the shop: charged once', async () => {
    const ids = idsOf(4)
    server.troubleOf = () => 'silent'
    const story = ProviderStory.open()
    story.stock('tea', 10)
    for (const orderId of ids) story.order(orderId, { tea: 1 })
    await story.answered()
    expect([server.ledger.size, story.openOrders()]).toEqual([4, 4])
    story.driver.restart()
    await story.finish()
    expect(story.summary().outcomes).toMatchObject({ completed: 4 })
    story.expectMoneyToAgree()
  })
})

describe('a provider that is away', { timeout: 30_000 }, () => {
  it('is hardly called; no order expires or is charged twice at any deadline', async () => {
    const ids = idsOf(20)
    const story = ProviderStory.open(Infinity, {
      gatewayCalls: { backoffJitter: 0.5 },
      inventory: { holdMs: 600_000 },
      carrier: { checkEveryMs: 5_000 },
    })
    story.stock('tea', 100)
    await server.close()
    for (const orderId of ids) story.order(orderId, { tea: 1 })
    await story.answered()
    story.cancel('o-7')
    const askedBefore = story.asked
    await story.passTime(2_400_000, 5_000) // beyond the payment deadline twice, the hold four times
    expect(story.breaker.state).not.toBe('closed')
    expect(story.asked - askedBefore).toBeLessThan(80) // about one a minute, not twenty times that
    const { effectsPostponed, effectRetries } = story.driver.counters
    expect(effectsPostponed).toBeGreaterThan(story.asked)
    expect(effectRetries).toBe(0) // nothing was sent, so nothing is unknown
    for (const { orderId, status, alarms = 0 } of story.rows(ids)) {
      expect([orderId, alarms > 0]).toEqual([orderId, true])
      if (orderId === 'o-7') expect(status).toBe('closing')
      else expect(status).toBe('paying')
    }
    expect(story.driver.deadLetters()).toEqual([])
    await server.open()
    await story.finish()
    expect(story.summary().outcomes).toMatchObject({ completed: 19, cancelled: 1, expired: 0 })
    story.expectMoneyToAgree()
    expect(server.keptMinor(paymentIdOf('o-7', 1))).toBe(0)
    expect(story.rows(ids).every(isFinal)).toBe(true)
  })

  it('or broken for long: orders are in review until the outcome is known', async () => {
    const ids = idsOf(4)
    const story = ProviderStory.open()
    story.stock('tea', 10)
    server.isBroken = true
    for (const orderId of ids) story.order(orderId, { tea: 1 })
    await story.passTime(1_500_000, 5_000)
    story.cancel('o-0')
    await story.passTime(60_000, 5_000)
    expect(story.rows(ids).map(({ status }) => status)).toEqual(Array(4).fill('review'))
    expect(server.ledger.size).toBe(4) // it did its work, and could not say so
    server.isBroken = false
    await story.finish()
    expect(story.summary().outcomes).toMatchObject({ completed: 3, cancelled: 1 })
    expect(server.keptMinor(paymentIdOf('o-0', 1))).toBe(0)
    story.expectMoneyToAgree()
  })

  it('or refuses our credentials: orders wait, none is declined', async () => {
    const story = ProviderStory.open()
    story.stock('tea', 10)
    const { ask } = connections
    connections.ask = async () => ({ status: 401, headers: {}, body: '' })
    for (const orderId of idsOf(3)) story.order(orderId, { tea: 1 })
    await story.passTime(1_200_000, 5_000)
    expect(story.rows(idsOf(3)).map(({ status }) => status)).toEqual(['paying', 'paying', 'paying'])
    connections.ask = ask.bind(connections)
    await story.finish()
    expect(story.summary().outcomes).toMatchObject({ completed: 3 })
    story.expectMoneyToAgree()
  })
})

it('the rate is kept, first come first served', { timeout: 30_000 }, async () => {
  const ids = idsOf(40)
  const story = ProviderStory.open(10)
  const startedMs = story.nowMs
  const cameAtMs: number[] = []
  server.troubleOf = () => {
    cameAtMs.push(story.nowMs - startedMs)
    return 'none'
  }
  story.stock('tea', 100)
  for (const orderId of ids) story.order(orderId, { tea: 1 })
  await story.passTime(4_000, 20)
  expect(cameAtMs).toHaveLength(40)
  expect(cameAtMs.filter((ms) => ms === 0)).toHaveLength(5)
  cameAtMs.forEach((ms, index) => expect(index + 1).toBeLessThanOrEqual(5 + ms / 100))
  expect(cameAtMs.at(-1)).toBeLessThan(3_700)
  expect(story.summary().outcomes).toMatchObject({ completed: 40 })
  story.expectMoneyToAgree()
})
