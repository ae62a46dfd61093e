/**
 * Random histories of the whole shop on a machine that dies: orders, what customers and clerks do,
 * commands sent twice, a provider that loses answers, time that jumps, crashes at disk writes.
 *
 * The runtime, the embedded broker and the stores are the real ones (`simulation/world.ts`). A
 * history is a pure function of its seed. The bank is outside: it outlives every crash.
 */

import { partitionOf } from '../../src/broker/partitioner.ts'
import { bytes, minutes, type Topic, topic } from '../../src/index.ts'
import { noHeaders } from '../../src/record.ts'
import { deadLetterTopicName } from '../../src/runtime/internal-names.ts'
import { Prng } from '../../src/testing/prng.ts'
import { holdStore, productStore } from '../../topologies/shop/inventory/stores.ts'
import { isFinal, type OrderRow } from '../../topologies/shop/orders/order-row.ts'
import { orderStore } from '../../topologies/shop/orders/stores.ts'
import { paymentStore } from '../../topologies/shop/payments/stores.ts'
import type { CreateShipmentData } from '../../topologies/shop/shared/commands.ts'
import { shopConfig } from '../../topologies/shop/shared/config.ts'
import type { ShopEvent } from '../../topologies/shop/shared/events.ts'
import { checkShop } from '../../topologies/shop/shared/invariants.ts'
import {
  inventory,
  inventoryCommands,
  orderCommands,
  orders,
  paymentCommands,
  payments,
  platform,
  shipmentCommands,
  shipments,
  topicCatalogue,
} from '../../topologies/shop/shared/topics.ts'
import type { Violation } from '../../topologies/shop/shared/violation.ts'
import { shopTopology } from '../../topologies/shop/shop.ts'
import { createKept, partitions } from '../simulation/topics.ts'
import { type Subject, World } from '../simulation/world.ts'
import { Bank, type BankOptions } from './bank.ts'
import type { EndedShop } from './expect-ends.ts'
import {
  addStock,
  type CommandDesk,
  intervene,
  orderIdOf,
  type OrderPlan,
  place,
} from './shop-histories.ts'
import type { WorldMessage } from './shop-world.ts'

/** Disk writes within which a crash falls: a pause of the schedule takes about as many. */
const crashWritesMax = 30
const pausesMs = [1, 500, 60_000, 301_000, 16 * 60_000, 61 * 60_000]
/** Longest way of an order to its end is a hold's hour. */
const settleRoundsMax = 120

export interface CrashHistory extends EndedShop {
  readonly crashes: number
  readonly violations: readonly Violation[]
  readonly openOrders: readonly OrderRow[]
  /** Of all events, in the order of their topics. */
  readonly eventIds: readonly string[]
  /** Who sent what became a dead letter. */
  readonly deadLetterSources: readonly string[]
}

/** @param planted  a provider that is not what the shop may rely on */
export const runCrashHistory = async (
  seed: number,
  planted: BankOptions = {},
): Promise<CrashHistory> => {
  const prng = new Prng(seed)
  const bank = new Bank(prng.fork(), planted)
  const acceptsBackorders = prng.chance(0.3)
  // time jumps: no heartbeat for each tenth of a second of it
  const config = { sessionTimeoutMs: 300_000, heartbeatIntervalMs: 60_000 }
  const world = new World(shopOn(bank, acceptsBackorders), { config })
  await world.open()
  const desk = new Desk(world)
  for (let product = 0; product < 3; product++) {
    addStock(desk, product, prng.int(15), `initial-${product}`)
  }
  const plans = Array.from({ length: 1 + prng.int(4) }, () => randomPlan(prng))
  plans.forEach((plan, index) => place(desk, plan, index))
  for (let step = 2 + prng.int(10); step > 0; step--) {
    for (let command = prng.int(3); command > 0; command--) {
      if (prng.chance(0.25)) desk.repeat(prng)
      else intervene(desk, prng.int(1 << 20), plans)
    }
    await desk.flush()
    if (prng.chance(0.7)) {
      world.planCrash({
        atWrite: 1 + prng.int(crashWritesMax),
        when: prng.pick(['before', 'after']),
        isWorkerOnly: prng.chance(0.4),
      })
    }
    await world.settle()
    if (!world.isDown) world.clock.advanceBy(prng.pick(pausesMs))
    world.planCrash({ atWrite: Infinity, when: 'before' })
    while (world.isDown) await world.open()
    desk.know(plans.length)
  }
  bank.heal()
  await rest(world)
  const ended = await endOf(world, bank)
  await world.close()
  return ended
}

const randomPlan = (prng: Prng): OrderPlan => ({
  method: prng.pick(['card', 'card', 'transfer']),
  lines: Array.from({ length: 1 + prng.int(3) }, () => ({
    product: prng.int(3),
    quantity: 1 + prng.int(3),
  })),
  priceMinor: prng.pick([0, 1, 999, 2550]),
})

const shopOn = (bank: Bank, accepted: boolean): Subject => {
  const config = shopConfig({
    gateway: bank.gateway,
    backorders: { accepted, waitMs: minutes(10) },
    carrier: { checkEveryMs: 1_000 },
    // what only collects decides nothing
    customers: false,
    audit: false,
    analytics: false,
  })
  return {
    applicationId: 'shop',
    topology: shopTopology(config),
    taskCount: 8,
    createTopics: (broker) =>
      createKept(
        broker,
        topicCatalogue.map(({ topic: { name } }) => name),
      ),
  }
}

/** Sends what the histories' commands say to the topics of the shop. */
class Desk implements CommandDesk {
  readonly #world: World
  readonly delivered: WorldMessage[] = []
  readonly orders = new Set<string>()
  #waiting: WorldMessage[] = []

  constructor(world: World) {
    this.#world = world
  }

  get nowMs(): number {
    return this.#world.clock.nowMs()
  }

  send(message: WorldMessage): void {
    this.#waiting.push(message)
    this.delivered.push(message)
  }

  /** One that was sent before comes again. */
  repeat(prng: Prng): void {
    if (this.delivered.length > 0) this.#waiting.push(prng.pick(this.delivered))
  }

  know(count: number): void {
    for (let index = 0; index < count; index++) this.orders.add(orderIdOf(index))
  }

  async flush(): Promise<void> {
    const sent = this.#waiting
    this.#waiting = []
    const producer = this.#world.broker!.producer('customers')
    for (const message of sent) await producer.send([batchOf(message, this.nowMs)])
  }
}

const batchOf = (message: WorldMessage, timestampMs: number) => {
  const { to, key, value } = encoded(message)
  const records = [{ key, value, timestampMs, headers: noHeaders }]
  return { topic: to, partition: partitionOf(key, partitions), records }
}

const encoded = ({ to, value }: WorldMessage) => {
  const bytesOf = <V>(
    { name, key, value: serde }: Topic<string, V>,
    id: string,
    sent: unknown,
  ) => ({
    to: name,
    key: key.encode(id),
    value: serde.encode(sent as V),
  })
  if (to === 'orders') return bytesOf(orderCommands, value.data.orderId, value)
  if (to === 'inventory') return bytesOf(inventoryCommands, value.data.productId, value)
  if (to === 'payments') return bytesOf(paymentCommands, value.data.orderId, value)
  throw new Error(`nobody sends to ${to} from outside`)
}

/** Lets everything come to rest: the provider answers, deadlines pass. */
const rest = async (world: World): Promise<void> => {
  for (let round = 0; round < settleRoundsMax; round++) {
    await world.settle()
    const isDone = [...world.application.query(orderStore).range()].every(([, row]) => isFinal(row))
    if (isDone && round > 2) return
    world.clock.advanceBy(60_000)
  }
}

const endOf = async (world: World, bank: Bank): Promise<CrashHistory> => {
  const { application } = world
  const rows = new Map(application.query(orderStore).range())
  const outcomes = new Map<string, string[]>()
  const events: ShopEvent[] = []
  for (const of of [orders, payments, inventory, shipments, platform]) {
    for (const { value } of await world.read(of as Topic<string, ShopEvent>)) events.push(value)
  }
  for (const { eventType, aggregateId } of events) {
    if (!/^order\.(completed|rejected|cancelled|expired)$/.test(eventType)) continue
    outcomes.set(aggregateId, [...(outcomes.get(aggregateId) ?? []), eventType])
  }
  const shipped = new Map<string, CreateShipmentData>()
  for (const { value } of await world.read(shipmentCommands)) {
    if ('items' in value.data) shipped.set(value.data.shipmentId, value.data)
  }
  const valuesOf = <V>(all: Iterable<readonly [string, V]>): V[] => [...all].map(([, row]) => row)
  const { violations } = checkShop({
    orders: rows.values(),
    products: valuesOf(application.query(productStore).range()),
    holds: valuesOf(application.query(holdStore).range()),
    payments: valuesOf(application.query(paymentStore).range()),
    isSettled: true,
  })
  return {
    crashes: world.crashes,
    orders: rows,
    outcomes,
    shipped,
    violations,
    openOrders: [...rows.values()].filter((row) => !isFinal(row)),
    eventIds: events.map(({ eventId }) => eventId),
    deadLetterSources: await deadLetterSources(world),
    keptMinor: (orderId) => bank.keptMinor(orderId),
  }
}

const deadLetterSources = async (world: World): Promise<readonly string[]> => {
  const letters = await world.read(topic(deadLetterTopicName('shop'), { key: bytes, value: bytes }))
  return letters.map(
    ({ value }) => (JSON.parse(Buffer.from(value).toString()) as { source: string }).source,
  )
}
