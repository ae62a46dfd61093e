/**
 * The shop's service levels, in one process on the embedded broker with RocksDB.
 *
 * Goal: 95 of 100 messages reach a reader of committed records within 100 ms of being decided, on
 * every hop; 95 of 100 orders are confirmed within 500 ms of being placed, the gateway answering at
 * once; ten times the load for BURST_SECONDS loses nothing, and its lag is worked off.
 * Method: RATE orders a second (default 100) for SECONDS (20) after WARM_UP_SECONDS (5), then ten
 * times as many. A reader in the same process follows all topics of the shop; a hop lasts from the
 * time in the message, which is when it was decided, to when the reader has it, so the wait for the
 * commit is in it. Reading costs this process some of what the shop could do: figures are upper
 * bounds. Nothing is lost if each order that was accepted has exactly one final event.
 */

import { setTimeout as pause } from 'node:timers/promises'
import { followTopics } from '../../src/cli/follow-topics.ts'
import {
  inventory,
  orderCommands,
  orders,
  paymentCommands,
  payments,
  shipmentCommands,
  shipments,
} from '../../topologies/shop/shared/topics.ts'
import type { Topic } from '../../src/index.ts'
import { quantile } from '../quantile.ts'
import { report } from '../report.ts'
import { orderSource } from './shop-orders.ts'
import { ShopRig } from './shop-rig.ts'

interface Message {
  readonly timestamp: string
  readonly eventType?: string
  readonly data: { readonly orderId?: string }
}

const numberOf = (name: string, otherwise: number): number => {
  const value = Number(process.env[name] ?? otherwise)
  if (value > 0) return value
  throw new Error(`${name} is ${process.env[name]}, it must be a number above 0`)
}

const ratePerSec = numberOf('RATE', 100)
const warmUpSeconds = numberOf('WARM_UP_SECONDS', 5)
const seconds = numberOf('SECONDS', 20)
const burstSeconds = numberOf('BURST_SECONDS', 30)
const burstFactor = 10
const tickMs = 10
const finalTypes = new Set([
  'order.completed',
  'order.rejected',
  'order.cancelled',
  'order.expired',
])
const hops = {
  orderCommands,
  orders,
  paymentCommands,
  payments,
  shipmentCommands,
  shipments,
  inventory,
}
type HopName = keyof typeof hops

/** What the reader saw while a load ran. */
class Seen {
  readonly hopMs: Record<HopName, number[]>
  readonly confirmedMs: number[] = []
  messages = 0

  constructor() {
    const lists = Object.keys(hops).map((name) => [name, []] as const)
    this.hopMs = Object.fromEntries(lists) as unknown as Record<HopName, number[]>
  }
}

const source = orderSource(process.env['ORDERS_FROM'] ?? 'cdnow')
const rig = await ShopRig.open({})
const placedAtMs = new Map<string, number>()
const finals = new Map<string, number>()
let seen = new Seen()

const note = (hop: HopName, { timestamp, eventType = '', data }: Message): void => {
  const nowMs = Date.now()
  const { orderId = '' } = data
  seen.messages += 1
  seen.hopMs[hop].push(nowMs - Date.parse(timestamp))
  if (hop === 'orderCommands') placedAtMs.set(orderId, Date.parse(timestamp))
  if (eventType === 'order.confirmed') seen.confirmedMs.push(nowMs - placedAtMs.get(orderId)!)
  if (hop === 'orders' && finalTypes.has(eventType)) {
    finals.set(orderId, (finals.get(orderId) ?? 0) + 1)
  }
}

await rig.stock(source.productIds)
const followed = await Promise.all(
  (Object.keys(hops) as HopName[]).map((name) =>
    followTopics<Message>(
      rig.broker,
      [hops[name] as unknown as Topic<string, Message>],
      (message) => note(name, message),
    ),
  ),
)

interface Load {
  readonly seen: Seen
  readonly orders: number
  readonly elapsedMs: number
  readonly lagRecordsMax: number
  /** From the last order to its end. */
  readonly workedOffMs: number
}

let placed = 0

/** Places orders evenly for so long, then waits until all of them ended. */
const run = async (perSec: number, forSeconds: number): Promise<Load> => {
  seen = new Seen()
  const from = placed
  const wanted = Math.round(perSec * forSeconds)
  const startedMs = performance.now()
  let lagRecordsMax = 0
  while (placed - from < wanted) {
    const elapsedMs = performance.now() - startedMs
    const due = Math.min(wanted, Math.floor((elapsedMs / 1_000) * perSec)) - (placed - from)
    if (due > 0) {
      await rig.send(orderCommands, rig.commands(source, placed, due))
      placed += due
    }
    lagRecordsMax = Math.max(lagRecordsMax, rig.application.lagRecords())
    await pause(tickMs)
  }
  const sentMs = performance.now()
  while (finals.size < placed) await pause(tickMs)
  const endedMs = performance.now()
  const workedOffMs = endedMs - sentMs
  return { seen, orders: wanted, elapsedMs: endedMs - startedMs, lagRecordsMax, workedOffMs }
}

/** The slowest topic decides: each hop has its own 100 ms. */
const hopFigures = (prefix: string, { hopMs }: Seen): Record<string, number> => {
  const named = Object.entries(hopMs).map(
    ([name, values]) => [`${prefix}HopP95Ms:${name}`, quantile(values, 0.95)] as const,
  )
  const slowest = Math.max(...named.map(([, ms]) => ms))
  return { [`${prefix}HopP95MsSlowest`]: slowest, ...Object.fromEntries(named) }
}

const loadFigures = (prefix: string, load: Load): Record<string, number> => ({
  [`${prefix}Orders`]: load.orders,
  [`${prefix}PlacedToConfirmedP50Ms`]: quantile(load.seen.confirmedMs, 0.5),
  [`${prefix}PlacedToConfirmedP95Ms`]: quantile(load.seen.confirmedMs, 0.95),
  ...hopFigures(prefix, load.seen),
  [`${prefix}MessagesPerSec`]: (load.seen.messages / load.elapsedMs) * 1_000,
  [`${prefix}LagRecordsMax`]: load.lagRecordsMax,
  [`${prefix}WorkedOffMs`]: load.workedOffMs,
})

await run(ratePerSec, warmUpSeconds)
const normal = await run(ratePerSec, seconds)
const burst = await run(ratePerSec * burstFactor, burstSeconds)
await pause(1_000) // a second final event of an order would come now
const { records, dropped } = {
  records: rig.application.metrics().counters.recordsProcessed,
  dropped: rig.application.metrics().counters.deadLetters,
}
await Promise.all(followed.map((stop) => stop()))
const ended = rig.summary()
await rig.close()

report({
  name: 'macro/service-levels',
  note: `${ratePerSec} orders/s, then ${ratePerSec * burstFactor} for ${burstSeconds} s`,
  figures: {
    ...loadFigures('normal', normal),
    ...loadFigures('burst', burst),
    ordersPlaced: placed,
    ordersLost: placed - finals.size,
    ordersEndedTwice: [...finals.values()].filter((times) => times > 1).length,
    ordersOpen: ended.open,
    alarms: ended.alarms,
    deadLetters: dropped,
    records,
  },
})
