/**
 * The shop's whole flow on the embedded broker with RocksDB, in one process: orders per second.
 *
 * Goal: ≥ 3,000 orders/s, RSS under 600 MB. Method: stock is set, then ORDERS orders (default
 * 60,000) are sent with at most IN_FLIGHT open at once; the clock runs from the first command to
 * the last final outcome. The gateway answers at once. ORDERS_FROM says what is ordered: `cdnow`
 * (default), the real purchases of `topologies/shop/load/data` over and over, 1.1 lines and 12
 * records each; or `generated`, as `npm start` does, 2 lines and 15 records each. CUSTOMERS says
 * whether events are collected by customer, three records more each: `on` (default), or `off` to
 * compare with the shop of before. Up to 60,000 commands are made before the clock starts, since
 * who orders is not the shop; more are made on the way, since they would be memory.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { divideMemory, memoryBudgetDefaultBytes } from '../../state/memory-budget.ts'
import { RocksEngine } from '../../state/rocksdb/rocks-engine.ts'
import { EmbeddedBroker } from '../../src/broker/embedded/embedded-broker.ts'
import { partitionOf } from '../../src/broker/partitioner.ts'
import type { ProduceRecord } from '../../src/broker/port.ts'
import { Application, systemClock, type Topic } from '../../src/index.ts'
import { noHeaders } from '../../src/record.ts'
import { fakeGateway } from '../../topologies/shop/gateway/fake-gateway.ts'
import { orderTotals } from '../../topologies/shop/orders/stores.ts'
import { shopConfig } from '../../topologies/shop/shared/config.ts'
import { uuidV5 } from '../../topologies/shop/shared/ids.ts'
import { createOrderCommand } from '../../topologies/shop/shared/order-request.ts'
import { updateStockCommand } from '../../topologies/shop/shared/stock-request.ts'
import { shopSummary } from '../../topologies/shop/shared/summary.ts'
import {
  inventoryCommands,
  orderCommands,
  topicCatalogue,
} from '../../topologies/shop/shared/topics.ts'
import { shopTopology } from '../../topologies/shop/shop.ts'
import { report } from '../report.ts'
import { orderSource } from './shop-orders.ts'

interface EncodedRecord {
  readonly partition: number
  readonly key: Uint8Array
  readonly value: Uint8Array
}

const orderCount = Number(process.env['ORDERS'] ?? 60_000)
const inFlightMax = Number(process.env['IN_FLIGHT'] ?? 4_000)
const [sliceOrders, madeMax] = [500, 60_000]
const sourceName = process.env['ORDERS_FROM'] ?? 'cdnow'
const source = orderSource(sourceName)
const customers = process.env['CUSTOMERS'] !== 'off'
const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
const memory = divideMemory(memoryBudgetDefaultBytes, { hasBroker: true })
const [brokerEngine, stateEngine] = [
  await RocksEngine.open(join(directory, 'broker'), {
    memoryBytes: memory.brokerEngineBytes,
    compaction: 'universal',
  }),
  await RocksEngine.open(join(directory, 'state'), { memoryBytes: memory.storeEngineBytes }),
]
const broker = await EmbeddedBroker.open({
  engine: brokerEngine,
  clock: systemClock,
  cacheBytesMax: memory.logCacheBytes,
})
await broker.topics.create(
  topicCatalogue.map(({ topic, partitions, retentionMs }) => ({
    name: topic.name,
    partitions,
    config: { cleanupPolicy: 'delete', retentionMs },
  })),
)
const application = new Application({
  applicationId: 'shop',
  broker,
  engine: stateEngine,
  slotCacheBytes: memory.slotCacheBytes,
  topology: shopTopology(shopConfig({ gateway: fakeGateway({ seed: 1 }), customers })),
})
await application.start()
const producer = broker.producer('bench')

const encoded = <V>(
  topic: Topic<string, V>,
  values: readonly (readonly [string, V])[],
): readonly EncodedRecord[] =>
  values.map(([key, value]) => {
    const keyBytes = topic.key.encode(key)
    return { partition: partitionOf(keyBytes, 6), key: keyBytes, value: topic.value.encode(value) }
  })

const send = async (topic: string, records: readonly EncodedRecord[]): Promise<void> => {
  const partitions = new Map<number, ProduceRecord[]>()
  const timestampMs = Date.now()
  for (const { partition, key, value } of records) {
    const batch = partitions.get(partition) ?? []
    partitions.set(partition, batch)
    batch.push({ key, value, timestampMs, headers: noHeaders })
  }
  await producer.send(
    [...partitions].map(([partition, batch]) => ({ topic, partition, records: batch })),
  )
}

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
const summary = (): ReturnType<typeof shopSummary> =>
  shopSummary(application.query(orderTotals).range(), { checked: 0, violations: [] })
const finalOrders = (): number =>
  Object.values(summary().outcomes).reduce((sum, count) => sum + count, 0)

const namespace = '6ba7b811-9dad-11d1-80b4-00c04fd430c8'
const origin = (commandId: string): { commandId: string; nowMs: number; source: string } => ({
  commandId,
  nowMs: Date.now(),
  source: 'bench',
})
const restock = source.productIds.map(
  (productId) =>
    [
      productId,
      updateStockCommand(
        productId,
        { operation: 'ADD', quantity: 100_000_000, reason: 'RESTOCK' },
        origin(uuidV5(namespace, productId)),
      ),
    ] as const,
)
await send(inventoryCommands.name, encoded(inventoryCommands, restock))
while (application.lagRecords() !== 0) await pause(10)
await pause(300)

/** Commands of the orders from here on, encoded as a client would send them. */
const commands = (from: number, count: number): readonly EncodedRecord[] =>
  encoded(
    orderCommands,
    Array.from({ length: count }, (_, i) => {
      const orderId = uuidV5(namespace, `order-${from + i}`)
      const context = { orderId, nowMs: Date.now(), source: 'bench' }
      return [orderId, createOrderCommand(source.next(), context)] as const
    }),
  )
const made: (readonly EncodedRecord[])[] = []
for (let from = 0; orderCount <= madeMax && from < orderCount; from += sliceOrders) {
  made.push(commands(from, Math.min(sliceOrders, orderCount - from)))
}
const [cpuStart, mainStart] = [process.cpuUsage(), process.threadCpuUsage()]
const startedMs = performance.now()
let [sent, ended, peakRssBytes] = [0, 0, 0]
const samples: (readonly [ms: number, orders: number])[] = []
const meter = setInterval(() => {
  ended = finalOrders()
  samples.push([performance.now(), ended])
  peakRssBytes = Math.max(peakRssBytes, process.memoryUsage.rss())
}, 100) // asking scans the counters of six tasks: often enough to load, too rare to cost
while (sent < orderCount) {
  if (sent - ended > inFlightMax) {
    await pause(2)
    continue
  }
  const slice = made.shift() ?? commands(sent, Math.min(sliceOrders, orderCount - sent))
  await send(orderCommands.name, slice)
  sent += slice.length
}
while (ended < orderCount) await pause(2)
const elapsedMs = performance.now() - startedMs
clearInterval(meter)
const cpu = process.cpuUsage(cpuStart)
const main = process.threadCpuUsage(mainStart)
const metrics = application.metrics()
const { bytes: decodedRowsBytes } = application.slotCache()
const { outcomes } = summary()
await application.close()
await broker.close()
await stateEngine.close()
await brokerEngine.close()
rmSync(directory, { recursive: true, force: true })
/** Without the first fifth (warm-up) and the last tenth (the queue runs empty). */
const steady = samples.filter(([, count]) => count > orderCount * 0.2 && count < orderCount * 0.9)
const [first, last] = [steady[0], steady.at(-1)]
report({
  name: 'macro/shop-flow',
  note: `orders from ${sourceName}${customers ? '' : ', without customers'}`,
  figures: {
    orders: orderCount,
    ordersPerSec: (orderCount / elapsedMs) * 1_000,
    steadyOrdersPerSec:
      first !== undefined && last !== undefined
        ? ((last[1] - first[1]) / (last[0] - first[0])) * 1_000
        : NaN,
    cpuSecPerThousandOrders: (cpu.user + cpu.system) / 1_000 / orderCount,
    mainThreadSecPerThousandOrders: (main.user + main.system) / 1_000 / orderCount,
    peakRssBytes,
    decodedRowsBytes,
    records: metrics.counters.recordsProcessed,
    recordsPerSec: (metrics.counters.recordsProcessed / elapsedMs) * 1_000,
    commits: metrics.commits,
    completed: outcomes['completed'] ?? 0,
  },
})
