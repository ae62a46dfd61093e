/**
 * The whole shop in this process, on the embedded broker with RocksDB, for benchmarks to load.
 *
 * The gateway answers at once. Everything lies in a temporary directory, which `close` removes.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { divideMemory, memoryBudgetDefaultBytes } from '../../state/memory-budget.ts'
import { RocksEngine } from '../../state/rocksdb/rocks-engine.ts'
import { EmbeddedBroker } from '../../src/broker/embedded/embedded-broker.ts'
import { partitionOf } from '../../src/broker/partitioner.ts'
import type { Producer, ProduceRecord } from '../../src/broker/port.ts'
import { Application, systemClock, type Topic } from '../../src/index.ts'
import { noHeaders } from '../../src/record.ts'
import { fakeGateway } from '../../topologies/shop/gateway/fake-gateway.ts'
import { orderTotals } from '../../topologies/shop/orders/stores.ts'
import { shopConfig, type ShopSettings } from '../../topologies/shop/shared/config.ts'
import { uuidV5 } from '../../topologies/shop/shared/ids.ts'
import { createOrderCommand } from '../../topologies/shop/shared/order-request.ts'
import { updateStockCommand } from '../../topologies/shop/shared/stock-request.ts'
import { type ShopSummary, shopSummary } from '../../topologies/shop/shared/summary.ts'
import {
  inventoryCommands,
  orderCommands,
  topicCatalogue,
} from '../../topologies/shop/shared/topics.ts'
import { shopTopology } from '../../topologies/shop/shop.ts'
import type { OrderSource } from './shop-orders.ts'

export interface EncodedRecord {
  readonly partition: number
  readonly key: Uint8Array
  readonly value: Uint8Array
}

const partitions = 6
const namespace = '6ba7b811-9dad-11d1-80b4-00c04fd430c8'

const origin = (commandId: string): { commandId: string; nowMs: number; source: string } => ({
  commandId,
  nowMs: Date.now(),
  source: 'bench',
})

const encoded = <V>(
  topic: Topic<string, V>,
  values: readonly (readonly [string, V])[],
): readonly EncodedRecord[] =>
  values.map(([key, value]) => {
    const keyBytes = topic.key.encode(key)
    const partition = partitionOf(keyBytes, partitions)
    return { partition, key: keyBytes, value: topic.value.encode(value) }
  })

export class ShopRig {
  readonly application: Application
  readonly broker: EmbeddedBroker
  readonly #producer: Producer
  readonly #parts: AsyncDisposableStack

  private constructor(
    application: Application,
    broker: EmbeddedBroker,
    parts: AsyncDisposableStack,
  ) {
    this.application = application
    this.broker = broker
    this.#producer = broker.producer('bench')
    this.#parts = parts
  }

  /** Runs when it is there; nothing is in stock. */
  static async open(settings: Omit<ShopSettings, 'gateway'>): Promise<ShopRig> {
    await using parts = new AsyncDisposableStack()
    const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
    parts.defer(() => rmSync(directory, { recursive: true, force: true }))
    const memory = divideMemory(memoryBudgetDefaultBytes, { hasBroker: true })
    const brokerEngine = await RocksEngine.open(join(directory, 'broker'), {
      memoryBytes: memory.brokerEngineBytes,
      compaction: 'universal',
    })
    parts.defer(() => brokerEngine.close())
    const engine = await RocksEngine.open(join(directory, 'state'), {
      memoryBytes: memory.storeEngineBytes,
    })
    parts.defer(() => engine.close())
    const broker = await EmbeddedBroker.open({
      engine: brokerEngine,
      clock: systemClock,
      cacheBytesMax: memory.logCacheBytes,
    })
    parts.defer(() => broker.close())
    await broker.topics.create(
      topicCatalogue.map(({ topic, retentionMs }) => ({
        name: topic.name,
        partitions,
        config: { cleanupPolicy: 'delete', retentionMs },
      })),
    )
    const application = new Application({
      applicationId: 'shop',
      broker,
      engine,
      slotCacheBytes: memory.slotCacheBytes,
      topology: shopTopology(shopConfig({ ...settings, gateway: fakeGateway({ seed: 1 }) })),
    })
    await application.start()
    parts.defer(() => application.close())
    return new ShopRig(application, broker, parts.move())
  }

  /** Puts more of each product on the shelf than any load takes. */
  async stock(productIds: readonly string[]): Promise<void> {
    const request = { operation: 'ADD', quantity: 100_000_000, reason: 'RESTOCK' } as const
    const restock = productIds.map((id) => {
      return [id, updateStockCommand(id, request, origin(uuidV5(namespace, id)))] as const
    })
    await this.send(inventoryCommands, encoded(inventoryCommands, restock))
    while (this.application.lagRecords() !== 0) await sleep(10)
    await sleep(300)
  }

  /** Commands of the orders from here on, encoded as a client would send them. */
  commands(source: OrderSource, from: number, count: number): readonly EncodedRecord[] {
    return encoded(
      orderCommands,
      Array.from({ length: count }, (_, i) => {
        const orderId = uuidV5(namespace, `order-${from + i}`)
        const context = { orderId, nowMs: Date.now(), source: 'bench' }
        return [orderId, createOrderCommand(source.next(), context)] as const
      }),
    )
  }

  async send(
    { name: topic }: { readonly name: string },
    records: readonly EncodedRecord[],
  ): Promise<void> {
    const batches = new Map<number, ProduceRecord[]>()
    const timestampMs = Date.now()
    for (const { partition, key, value } of records) {
      const batch = batches.get(partition) ?? []
      batches.set(partition, batch)
      batch.push({ key, value, timestampMs, headers: noHeaders })
    }
    await this.#producer.send(
      [...batches].map(([partition, batch]) => ({ topic, partition, records: batch })),
    )
  }

  /** From the counters of all tasks; invariants are not checked. */
  summary(): ShopSummary {
    const rows = this.application.query(orderTotals).range()
    return shopSummary(rows, { checked: 0, violations: [] })
  }

  endedOrders(): number {
    return Object.values(this.summary().outcomes).reduce((sum, count) => sum + count, 0)
  }

  close(): Promise<void> {
    return this.#parts.disposeAsync()
  }
}
