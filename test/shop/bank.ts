/**
 * A payment provider that is a world of its own: what it did outlives every crash of the shop.
 *
 * Declines, captures short, loses answers after the money moved, and cannot be reached at times. It
 * knows its idempotency keys, as a provider must.
 */

import type { Prng } from '../../src/testing/prng.ts'
import type {
  GatewayAnswer,
  GatewayRequest,
  PaymentGateway,
} from '../../topologies/shop/gateway/payment-gateway.ts'

export interface BankOptions {
  /** A fault to plant: it does what it is asked each time it is asked. */
  readonly forgetsKeys?: boolean
}

interface Movement {
  readonly orderId: string
  /** Out of the shop's account if negative. */
  readonly amountMinor: number
}

export class Bank {
  readonly #prng: Prng
  readonly #options: BankOptions
  readonly #answers = new Map<string, GatewayAnswer>()
  readonly #movements: Movement[] = []
  #isHealthy = false

  constructor(prng: Prng, options: BankOptions = {}) {
    this.#prng = prng
    this.#options = options
  }

  readonly gateway: PaymentGateway = async (request, { idempotencyKey }) => {
    const lot = this.#isHealthy ? 0 : this.#prng.int(10)
    if (lot === 9) throw new Error('the provider cannot be reached')
    const known = this.#answers.get(idempotencyKey)
    const isKnown = known !== undefined && this.#options.forgetsKeys !== true
    const answer = isKnown ? known : this.#answer(request, idempotencyKey, lot)
    this.#answers.set(idempotencyKey, answer)
    if (lot >= 7) throw new Error('the answer is lost')
    return answer
  }

  /** From now on it answers at once, and takes whatever it is asked to. */
  heal(): void {
    this.#isHealthy = true
  }

  /** Money it has for this order, refunds taken off. */
  keptMinor(orderId: string): number {
    return this.#movements
      .filter((movement) => movement.orderId === orderId)
      .reduce((sum, { amountMinor }) => sum + amountMinor, 0)
  }

  #answer(request: GatewayRequest, key: string, lot: number): GatewayAnswer {
    const { orderId, amountMinor } = request
    if (request.kind === 'refund') {
      this.#movements.push({ orderId, amountMinor: -amountMinor })
      return { kind: 'refunded', transactionId: key }
    }
    if (request.method === 'card' && lot === 1) return { kind: 'declined', reason: 'card-declined' }
    const isShort = request.method === 'card' && lot === 2
    const capturedMinor = isShort ? Math.floor(amountMinor / 2) : amountMinor
    this.#movements.push({ orderId, amountMinor: capturedMinor })
    return { kind: 'captured', capturedMinor, transactionId: key }
  }
}
