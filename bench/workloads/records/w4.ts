/**
 * W4's records: paid orders for products, of which some run out; stock must add up.
 *
 * Which of two orders gets the last piece is not determined, so the rules are checked: one outcome
 * per order with its reason, each change of stock a legal step from the one before it, and in the
 * end nothing reserved, and deducted what the shipped orders had.
 */

import type { RawRecord } from '../../../src/broker/port.ts'
import { Prng } from '../../../src/index.ts'
import type { InputRecord, WorkloadData } from '../../load/workload-data.ts'
import { AnswerPlaces, answerOf } from './answers.ts'
import {
  drawPayment,
  firstOrderMs,
  type MadePayment,
  paidOrderInputs,
  sentIndexOf,
} from './paid-orders.ts'

const [ordersPerProduct, initialStock, linesMax, quantityMax] = [20, 75, 3, 3]
const total = 200
const paymentOdds = { shortShare: 0.01, delayMinMs: 500, delayMaxMs: 5_500 }

interface Line {
  readonly p: string
  readonly q: number
}

interface OrderState {
  readonly lines: readonly Line[]
  readonly payment: MadePayment
  outcome: 'shipped' | 'failed' | undefined
}

interface StockState {
  remaining: number
  reserved: number
  deducted: number
  /** The least that remained at any time. */
  least: number
  /** Pieces of shipped orders. */
  shipped: number
}

interface Outcome {
  readonly orderId: string
  readonly status: 'shipped' | 'failed'
  readonly reason?: string
}

interface StockChange {
  readonly p: string
  readonly remaining: number
  readonly reserved: number
  readonly deducted: number
}

export class W4Data implements WorkloadData {
  readonly name = 'w4'
  readonly inputCount = 2
  readonly outputCount = 2
  readonly records: number
  readonly #places: AnswerPlaces
  readonly #orders: readonly OrderState[]
  readonly #stocks = new Map<string, StockState>()
  /** Orders that failed for want of stock: looked at in the end, when all changes are known. */
  readonly #lacking: OrderState[] = []
  #ended = 0

  constructor(orders: number, partitions: number) {
    const prng = new Prng(4)
    const products = Math.max(linesMax, Math.ceil(orders / ordersPerProduct))
    this.#places = new AnswerPlaces(this.name, partitions)
    this.#orders = Array.from({ length: orders }, () => drawOrder(prng, products))
    this.records = 2 * orders
  }

  inputs(): Iterable<InputRecord> {
    return paidOrderInputs({
      orders: this.#orders.length,
      firstMs: firstOrderMs(this.#orders.length),
      orderOf: (index) => ({ lines: this.#orders[index]!.lines, total }),
      paymentsOf: (index) => [this.#orders[index]!.payment],
    })
  }

  see(output: number, partition: number, record: RawRecord): void {
    const found = answerOf<Outcome | StockChange>(record)
    this.#places.check('orderId' in found ? found.orderId : found.p, partition, record)
    if (output === 0) this.#seeOutcome(found as Outcome)
    else this.#seeChange(found as StockChange)
  }

  missing(): string {
    const open = this.#orders.length - this.#ended
    if (open > 0) return `w4: ${open} of ${this.#orders.length} orders have no outcome`
    const wrong = [...this.#stocks].find(
      ([, { reserved, deducted, shipped }]) => reserved !== 0 || deducted !== shipped,
    )
    if (wrong !== undefined) return `w4: the stock of ${wrong[0]} is ${JSON.stringify(wrong[1])}`
    const enough = this.#lacking.find(({ lines }) =>
      lines.every(({ p, q }) => this.#stock(p).least >= q),
    )
    return enough === undefined
      ? ''
      : `w4: an order failed that had stock: ${JSON.stringify(enough)}`
  }

  #seeOutcome({ orderId, status, reason }: Outcome): void {
    const order = this.#orders[sentIndexOf(this.name, this.#orders.length, orderId)]!
    if (order.outcome !== undefined) throw new Error(`w4: ${orderId} ended twice`)
    const isShort = order.payment.amount < total
    const isPossible = isShort
      ? status === 'failed' && reason === 'short'
      : status === 'shipped' || reason === 'stock'
    if (!isPossible) throw new Error(`w4: ${orderId} ended ${status} ${reason}`)
    order.outcome = status
    this.#ended += 1
    if (reason === 'stock') this.#lacking.push(order)
    if (status === 'shipped') for (const { p, q } of order.lines) this.#stock(p).shipped += q
  }

  #seeChange(change: StockChange): void {
    const stock = this.#stock(change.p)
    if (!isLegalStep(stock, change)) {
      throw new Error(`w4: ${JSON.stringify(change)} after ${JSON.stringify(stock)}`)
    }
    const { remaining, reserved, deducted } = change
    Object.assign(stock, { remaining, reserved, deducted })
    stock.least = Math.min(stock.least, remaining)
  }

  #stock(p: string): StockState {
    let stock = this.#stocks.get(p)
    if (stock === undefined) {
      const [remaining, least] = [initialStock, initialStock]
      stock = { remaining, reserved: 0, deducted: 0, least, shipped: 0 }
      this.#stocks.set(p, stock)
    }
    return stock
  }
}

const drawOrder = (prng: Prng, products: number): OrderState => {
  const chosen = new Set<number>()
  const lineCount = 1 + prng.int(linesMax)
  while (chosen.size < lineCount) chosen.add(prng.int(products))
  const lines = [...chosen].map((product) => {
    return { p: `P${String(product).padStart(5, '0')}`, q: 1 + prng.int(quantityMax) }
  })
  return { lines, payment: drawPayment(prng, total, paymentOdds), outcome: undefined }
}

/** Reserve, release or deduct of one to three pieces, and nothing below zero. */
const isLegalStep = (before: StockState, after: StockChange): boolean => {
  const { remaining, reserved, deducted } = after
  const [toReserved, toDeducted] = [reserved - before.reserved, deducted - before.deducted]
  const isWhole = remaining + reserved + deducted === initialStock
  const pieces = Math.abs(toReserved)
  const isDeducted = toDeducted === 0 || (toReserved < 0 && toDeducted === -toReserved)
  const isPositive = remaining >= 0 && reserved >= 0
  return isWhole && isPositive && isDeducted && pieces >= 1 && pieces <= quantityMax
}
