/**
 * W3's records: orders that are paid within a minute, short, twice or never.
 *
 * Each order's outcome is drawn before it is sent. Ticks an hour later, at the end of every
 * partition of both inputs, let the windows of unpaid orders close; nothing comes of them.
 */

import type { RawRecord } from '../../../src/broker/port.ts'
import { hours, Prng } from '../../../src/index.ts'
import type { InputRecord, WorkloadData } from '../../load/workload-data.ts'
import { AnswerPlaces, answerOf } from './answers.ts'
import {
  drawPayment,
  firstOrderMs,
  inputOf,
  type MadePayment,
  orderTimeMs,
  paidOrderInputs,
  paymentIdOf,
  sentIndexOf,
} from './paid-orders.ts'

const [unpaidShare, twiceShare, tickRounds] = [0.05, 0.005, 2]
const paymentOdds = { shortShare: 0.05, delayMinMs: 1_000, delayMaxMs: 60_000 }

interface Settlement {
  readonly orderId: string
  readonly status: string
  readonly due: number
  readonly paid: number
  readonly paymentId?: string
}

/** How an order goes, and how many of its settlements were seen. */
interface OrderState {
  readonly due: number
  readonly customer: string
  readonly payments: readonly MadePayment[]
  seen: number
}

export class W3Data implements WorkloadData {
  readonly name = 'w3'
  readonly inputCount = 2
  readonly outputCount = 1
  readonly records: number
  readonly #partitions: number
  readonly #places: AnswerPlaces
  readonly #orders: readonly OrderState[]
  readonly #firstMs: number
  /** Settlements that are still to come. */
  #open: number

  constructor(orders: number, partitions: number) {
    const prng = new Prng(3)
    this.#partitions = partitions
    this.#places = new AnswerPlaces(this.name, partitions)
    this.#firstMs = firstOrderMs(orders)
    this.#orders = Array.from({ length: orders }, () => drawOrder(prng))
    this.#open = this.#orders.reduce((sum, order) => sum + settlementsOf(order), 0)
    this.records = this.#orders.reduce((sum, { payments }) => sum + payments.length, orders)
  }

  *inputs(): Iterable<InputRecord> {
    yield* paidOrderInputs({
      orders: this.#orders.length,
      firstMs: this.#firstMs,
      orderOf: (index) => {
        const { due: amount, customer } = this.#orders[index]!
        return { customer, amount, items: 2 }
      },
      paymentsOf: (index) => this.#orders[index]!.payments,
    })
    yield* this.#ticks()
  }

  see(_output: number, partition: number, record: RawRecord): void {
    const found = answerOf<Settlement>(record)
    const index = sentIndexOf(this.name, this.#orders.length, found.orderId)
    const order = this.#orders[index]!
    if (!isRight(found, index, order)) {
      throw new Error(`w3: ${JSON.stringify(found)} is not right for ${JSON.stringify(order)}`)
    }
    this.#places.check(found.orderId, partition, record)
    order.seen += 1
    if (order.seen > settlementsOf(order)) throw new Error(`w3: ${found.orderId} is settled twice`)
    this.#open -= 1
  }

  missing(): string {
    return this.#open === 0 ? '' : `w3: ${this.#open} settlements are missing`
  }

  *#ticks(): Generator<InputRecord> {
    const ts = orderTimeMs(this.#firstMs, this.#orders.length) + hours(1)
    for (let round = 0; round < tickRounds; round++) {
      for (let partition = 0; partition < this.#partitions; partition++) {
        const orderId = `~t${round}-${partition}`
        const order = { orderId, customer: '', amount: 0, items: 0, ts }
        const payment = { paymentId: orderId, orderId: `${orderId}!`, amount: 0, method: '', ts }
        yield { ...inputOf(0, orderId, order), partition }
        yield { ...inputOf(1, `${orderId}!`, payment), partition }
      }
    }
  }
}

const drawOrder = (prng: Prng): OrderState => {
  const due = 100 + prng.int(20_000)
  const customer = `c-${prng.int(10_000)}`
  if (prng.chance(unpaidShare)) return { due, customer, payments: [], seen: 0 }
  const payment = drawPayment(prng, due, paymentOdds)
  const payments = prng.chance(twiceShare) ? [payment, payment] : [payment]
  return { due, customer, payments, seen: 0 }
}

/** One for each payment, and one for an order that has none. */
const settlementsOf = ({ payments }: OrderState): number => Math.max(1, payments.length)

const isRight = (found: Settlement, index: number, { due, payments }: OrderState): boolean => {
  const [payment] = payments
  const { status, due: foundDue, paid, paymentId } = found
  if (foundDue !== due) return false
  if (payment === undefined) return status === 'expired' && paid === 0 && paymentId === undefined
  const expected = payment.amount < due ? 'short' : 'settled'
  return status === expected && paid === payment.amount && paymentId === paymentIdOf(index)
}
