/**
 * A shop under the driver to which anything may happen, and its raw topics as they were written.
 *
 * Steps are drawn by tests: orders, transfers, cancellations, restocking, anything sent a second
 * time, provider troubles, restarts, and time.
 */

import { minutes, type Topic } from '../../src/index.ts'
import type { StoreReads } from '../../src/queries/store-reads.ts'
import { analyticsStores } from '../../topologies/shop/analytics/stores.ts'
import type { PaymentMethod } from '../../topologies/shop/shared/commands.ts'
import {
  cancelOrderCommand,
  processPaymentCommand,
  refundOrderCommand,
} from '../../topologies/shop/shared/customer-commands.ts'
import {
  inventory,
  inventoryCommands,
  orderCommands,
  orders,
  paymentCommands,
  payments,
  shipmentCommands,
  shipments,
} from '../../topologies/shop/shared/topics.ts'
import { storedStores } from '../cli/stored-stores.ts'
import type { Dated, RawTopics } from './naive-figures.ts'
import { ShopStory, type StoryOptions } from './shop-story.ts'

export type StoryStep =
  | {
      readonly kind: 'order'
      readonly method: PaymentMethod
      readonly currency: string
      readonly product: number
      readonly quantity: number
    }
  | { readonly kind: 'pay' | 'cancel' | 'refund'; readonly nth: number }
  | { readonly kind: 'again'; readonly nth: number }
  | { readonly kind: 'stock'; readonly product: number; readonly quantity: number }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'restart' }

interface Sent {
  readonly topic: Topic<string, never>
  readonly key: string
  readonly value: never
}

/** Fewer punctuations than in the shop: an hour passes quickly. */
const rounds = { checkEveryMs: 20_000 }
const readTopics = [inventoryCommands, paymentCommands, shipmentCommands] as const

export class AnalyticsStory extends ShopStory {
  readonly #raw = { orders: [], payments: [], inventory: [], shipments: [] } as {
    -readonly [Name in keyof RawTopics]: Dated<never>[]
  }
  readonly #sent: Sent[] = []
  #orders: { readonly orderId: string; readonly currency: string; readonly totalMinor: number }[] =
    []

  constructor(options: StoryOptions = {}) {
    const carrier = { ...rounds, shipAfterMs: 20_000, deliverAfterMs: minutes(7) }
    const settings = { deadlines: rounds, inventory: rounds, carrier }
    super({ partitions: 3, settings, ...options })
  }

  /** All stores, as routes read them. */
  get reads(): StoreReads {
    const named = (name: string) => analyticsStores.find((store) => store.name === name)!
    const query = this.driver.query.bind(this.driver)
    return storedStores({ named, query, global: async () => undefined }).reads
  }

  get raw(): RawTopics {
    return this.#raw
  }

  async step(step: StoryStep): Promise<void> {
    this.#act(step)
    if (step.kind === 'wait') await this.pass(step.ms)
    this.collect()
  }

  /** Lets everything end that waits, and stream time pass in every partition. */
  async end(): Promise<void> {
    await this.step({ kind: 'wait', ms: minutes(20) })
    for (let n = 0; n < 6; n++) this.order(`end-${n}`, { tea: 1 })
    await this.pass(1_000)
    this.collect()
  }

  #act(step: StoryStep): void {
    switch (step.kind) {
      case 'order':
        return this.#order(step)
      case 'stock':
        return this.stock(`p${step.product}`, step.quantity)
      case 'pay':
      case 'cancel':
      case 'refund':
        return this.#onOrder(step)
      case 'again':
        return this.#sendAgain(step.nth)
      case 'restart':
        return this.driver.restart()
      case 'wait':
    }
  }

  #order({ method, currency, product, quantity }: StoryStep & { readonly kind: 'order' }): void {
    const orderId = `o-${this.#orders.length}`
    const priceMinor = 1_250
    this.#orders.push({ orderId, currency, totalMinor: priceMinor * quantity })
    this.place(orderId, {
      customerId: 'ann',
      currency,
      paymentMethod: method,
      items: [{ productId: `p${product}`, quantity, priceMinor }],
    })
  }

  #onOrder({ kind, nth }: StoryStep & { readonly nth: number }): void {
    const order = this.#orders[nth % Math.max(1, this.#orders.length)]
    if (order === undefined) return
    const { orderId, currency, totalMinor } = order
    const origin = { commandId: `${kind}-${orderId}-${nth}`, nowMs: this.nowMs, source: 'test' }
    if (kind === 'cancel') {
      this.driver.pipe(
        orderCommands,
        orderId,
        cancelOrderCommand(orderId, { reason: 'mind' }, origin),
      )
    } else if (kind === 'refund') {
      const data = { orderId, reason: 'goodwill', amountMinor: 1 + (nth % totalMinor) }
      this.driver.pipe(orderCommands, orderId, refundOrderCommand(data, origin))
    } else {
      const amountMinor = totalMinor - (nth % 2)
      const paymentId = `paid-${orderId}-${nth}`
      const data = { paymentId, orderId, customerId: 'ann', amountMinor, currency }
      const command = processPaymentCommand({ ...data, method: 'transfer' }, origin)
      this.driver.pipe(paymentCommands, orderId, command)
    }
  }

  /** The same record once more, as a sender does that got no answer. */
  #sendAgain(nth: number): void {
    const record = this.#sent[nth % Math.max(1, this.#sent.length)]
    if (record !== undefined) this.driver.pipe(record.topic, record.key, record.value)
  }

  /** Notes what was written since, for the comparison and to be sent again. */
  collect(): void {
    const topics = { orders, payments, inventory, shipments }
    for (const name of Object.keys(topics) as (keyof typeof topics)[]) {
      for (const { key, value, timestampMs } of this.driver.read<string, unknown>(topics[name])) {
        this.#raw[name].push({ value: value as never, timestampMs })
        if (name === 'payments' || name === 'shipments') this.#note(topics[name], key, value)
      }
    }
    for (const topic of readTopics) {
      for (const { key, value } of this.driver.read<string, unknown>(topic)) {
        this.#note(topic, key, value)
      }
    }
  }

  #note(topic: unknown, key: string, value: unknown): void {
    this.#sent.push({ topic: topic as Sent['topic'], key, value: value as never })
  }
}
