/**
 * Orders and their payments at a steady rate, over a fixed set of customers.
 *
 * Used by the soak. 1. One order in ten is never paid, one in fifty is sent twice. 2. A tick that
 * comes late is made up for, by a second's worth at most: `orders` tells what was sent.
 */

import { partitionOf } from '../../src/broker/partitioner.ts'
import type { ProduceRecord, Producer } from '../../src/broker/port.ts'
import { Prng, type Topic } from '../../src/index.ts'
import { noHeaders } from '../../src/record.ts'
import { type Order, orders, payments } from './soak-topology.ts'

export interface SoakLoadOptions {
  readonly producer: Producer
  readonly ratePerSec: number
  readonly customers: number
  readonly partitions: number
}

const tickMs = 100
/** A payment comes so many ticks after its order, at most. */
const paymentTicksMax = 20
const noteChars = 280
const fillOrders = 500

export class SoakLoad {
  readonly #options: SoakLoadOptions
  readonly #prng = new Prng(1)
  /** Payments by the tick they are due at, as a ring. */
  readonly #due: (readonly [orderId: string, cents: number])[][]
  #batches = new Map<string, ProduceRecord[]>()
  #tick = 0
  #orders = 0
  #isStopped = false
  #running: Promise<void> = Promise.resolve()

  constructor(options: SoakLoadOptions) {
    this.#options = options
    this.#due = Array.from({ length: paymentTicksMax + 1 }, () => [])
  }

  /** Sent so far. */
  get orders(): number {
    return this.#orders
  }

  /** One order of each customer, as fast as they are taken. */
  async fill(): Promise<void> {
    for (let customer = 0; customer < this.#options.customers; customer++) {
      this.#order(customer)
      if (customer % fillOrders === 0) await this.#send()
    }
    await this.#send()
  }

  /** @param onFault  a record could not be sent: nothing is sent any more */
  start(onFault: (error: unknown) => void): void {
    this.#running = this.#run().catch(onFault)
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#running
  }

  async #run(): Promise<void> {
    const { ratePerSec, customers } = this.#options
    let [credit, creditedMs] = [0, performance.now()]
    while (!this.#isStopped) {
      const startedMs = performance.now()
      credit += (ratePerSec * Math.min(1_000, startedMs - creditedMs)) / 1_000
      creditedMs = startedMs
      for (; credit >= 1; credit--) this.#order(this.#prng.int(customers))
      this.#pay()
      await this.#send()
      const leftMs = tickMs - (performance.now() - startedMs)
      await new Promise((resolve) => {
        setTimeout(resolve, Math.max(0, leftMs))
      })
    }
  }

  #order(customer: number): void {
    const prng = this.#prng
    const orderId = `order-${this.#orders++}`
    const note = String(prng.int(1e9)).padEnd(noteChars, '-')
    const order: Order = { customerId: `customer-${customer}`, cents: prng.int(10_000), note }
    this.#add(orders, orderId, order)
    if (prng.int(50) === 0) this.#add(orders, orderId, order)
    if (prng.int(10) === 0) return
    const at = (this.#tick + 1 + prng.int(paymentTicksMax)) % this.#due.length
    this.#due[at]!.push([orderId, order.cents])
  }

  #pay(): void {
    this.#tick = (this.#tick + 1) % this.#due.length
    for (const [orderId, cents] of this.#due[this.#tick]!) this.#add(payments, orderId, { cents })
    this.#due[this.#tick] = []
  }

  #add<V>(to: Topic<string, V>, key: string, value: V): void {
    const keyBytes = to.key.encode(key)
    const place = `${to.name}/${partitionOf(keyBytes, this.#options.partitions)}`
    const batch = this.#batches.get(place) ?? []
    this.#batches.set(place, batch)
    const timestampMs = Date.now()
    batch.push({ key: keyBytes, value: to.value.encode(value), timestampMs, headers: noHeaders })
  }

  async #send(): Promise<void> {
    const batches = this.#batches
    this.#batches = new Map()
    await this.#options.producer.send(
      [...batches].map(([place, records]) => {
        const [topic, partition] = place.split('/')
        return { topic: topic!, partition: Number(partition), records }
      }),
    )
  }
}
