/**
 * The shop of this process: commands to its topics, reads of its stores.
 *
 * Behind the HTTP routes and the commands that opened the state themselves. 1. Ids of commands
 * derive from what they are about, so that repeating one has no effect. 2. Owns nothing but its
 * writer: broker, engine and application belong to the instance.
 */

import { type ProductRow, type StockCommandRow } from '../../topologies/shop/inventory/stock-row.ts'
import { holdStore, productStore, stockCommands } from '../../topologies/shop/inventory/stores.ts'
import { finalStatuses, type OrderRow } from '../../topologies/shop/orders/order-row.ts'
import { orderStore, orderTotals } from '../../topologies/shop/orders/stores.ts'
import { paymentStore } from '../../topologies/shop/payments/stores.ts'
import {
  type Found,
  type OrderHistory,
  type RangeRequest,
  type ShopHost,
  type ShopStatus,
  type SourcedRows,
} from '../../topologies/shop/http/shop-access.ts'
import { cancelOrderCommand } from '../../topologies/shop/shared/customer-commands.ts'
import { uuidV5 } from '../../topologies/shop/shared/ids.ts'
import { checkShop } from '../../topologies/shop/shared/invariants.ts'
import { createOrderCommand, type ParsedOrder } from '../../topologies/shop/shared/order-request.ts'
import {
  stockCommandId,
  type StockRequest,
  updateStockCommand,
} from '../../topologies/shop/shared/stock-request.ts'
import { type ShopSummary, shopSummary } from '../../topologies/shop/shared/summary.ts'
import { inventoryCommands, orderCommands } from '../../topologies/shop/shared/topics.ts'
import { type Broker } from '../broker/port.ts'
import { type Clock } from '../clock.ts'
import { type PartitionAnswer, sourceOf } from '../queries/partition-read.ts'
import { readPage } from '../queries/store-page.ts'
import { partitionOfKey, type PartitionOfStore, type StoreReads } from '../queries/store-reads.ts'
import { type KeyValueStore } from '../stores/key-value-store.ts'
import { CommandWriter } from './command-writer.ts'
import { orderHistory } from './order-history.ts'
import { readStoreKey, readStorePage } from './read-store.ts'
import { type StoreSource } from './store-source.ts'

export interface LocalShopOptions {
  readonly broker: Broker
  readonly clock: Clock
  /** What this process has of the state. */
  readonly stores: StoreSource
  /** All of it, whoever has it. */
  readonly reads: StoreReads
  /** Whether the stores hold every partition, and not only those of one of several replicas. */
  readonly seesAll: boolean
  /** Who wrote a command, in its envelope. */
  readonly source: string
  /** Of the running instance; a stopped one is never ready. */
  readonly progress: () => { readonly isReady: boolean; readonly lagRecords: number }
  /** Whether the broker is away: then commands are refused at once. Absent: they wait for it. */
  readonly isBrokerSilent?: (() => boolean) | undefined
}

export class LocalShop implements ShopHost {
  readonly #options: LocalShopOptions
  readonly #writer: CommandWriter

  private constructor(options: LocalShopOptions, writer: CommandWriter) {
    this.#options = options
    this.#writer = writer
  }

  static async open(options: LocalShopOptions): Promise<LocalShop> {
    const { broker, clock, isBrokerSilent } = options
    const topics = [orderCommands.name, inventoryCommands.name]
    const writer = await CommandWriter.open(broker, clock, topics, isBrokerSilent)
    return new LocalShop(options, writer)
  }

  placeOrder(orderId: string, order: ParsedOrder): Promise<void> {
    const { clock, source } = this.#options
    const command = createOrderCommand(order, { orderId, nowMs: clock.nowMs(), source })
    return this.#writer.write(orderCommands, orderId, command)
  }

  cancelOrder(orderId: string, reason: string): Promise<void> {
    const { clock, source } = this.#options
    const commandId = uuidV5(orderId, `cancel:${reason}`)
    const origin = { commandId, source, nowMs: clock.nowMs(), correlationId: orderId }
    return this.#writer.write(orderCommands, orderId, cancelOrderCommand(orderId, reason, origin))
  }

  updateStock(productId: string, request: StockRequest, key: string): Promise<void> {
    const { clock, source } = this.#options
    const commandId = stockCommandId(productId, key)
    const origin = { commandId, source, nowMs: clock.nowMs() }
    const command = updateStockCommand(productId, request, origin)
    return this.#writer.write(inventoryCommands, productId, command)
  }

  async order(orderId: string): Promise<OrderRow | undefined> {
    return (await this.findOrder(orderId)).row
  }

  async findOrder(orderId: string): Promise<Found<OrderRow>> {
    return this.#find(orderStore, orderId)
  }

  async settledOrder(orderId: string, withinMs: number): Promise<Found<OrderRow> | undefined> {
    return this.#settled(orderStore, orderId, { topic: orderCommands.name, withinMs })
  }

  async product(productId: string): Promise<ProductRow | undefined> {
    return (await this.findProduct(productId)).row
  }

  async findProduct(productId: string): Promise<Found<ProductRow>> {
    return this.#find(productStore, productId)
  }

  async settledProduct(
    productId: string,
    withinMs: number,
  ): Promise<Found<ProductRow> | undefined> {
    return this.#settled(productStore, productId, { topic: inventoryCommands.name, withinMs })
  }

  /** Updates lie with their product. */
  async decision(productId: string, updateId: string): Promise<StockCommandRow | undefined> {
    const { reads } = this.#options
    const where = { store: stockCommands, partition: this.#partitionOf(productStore, productId) }
    const answer = await reads.read(where, { kind: 'get', key: updateId })
    return rowOf<StockCommandRow>(answer)
  }

  async history(orderId: string): Promise<OrderHistory | undefined> {
    this.#writer.check()
    return orderHistory(this.#options.broker, orderId, await this.order(orderId))
  }

  async status(): Promise<ShopStatus> {
    const statuses: Record<string, number> = {}
    let orders = 0
    for (const [name, value] of await this.#totals()) {
      if (name === 'orders') orders += value
      const status = /^status:(.*)$/.exec(name)?.[1]
      if (status !== undefined) statuses[status] = (statuses[status] ?? 0) + value
    }
    return { ...this.#options.progress(), orders, statuses }
  }

  async summary(): Promise<ShopSummary> {
    const { stores, progress, seesAll } = this.#options
    // an order and its stock may lie on two replicas: neither can compare them
    if (!seesAll) return shopSummary(await this.#totals(), { checked: 0, violations: [] })
    const { statuses } = await this.status()
    const isOpen = Object.entries(statuses).some(
      ([status, count]) => count > 0 && !(finalStatuses as ReadonlySet<string>).has(status),
    )
    const check = checkShop({
      orders: values(stores.query(orderStore).range()),
      products: values(stores.query(productStore).range()),
      holds: values(stores.query(holdStore).range()),
      payments: values(stores.query(paymentStore).range()),
      isSettled: !isOpen && progress().lagRecords === 0,
    })
    return shopSummary(await this.#totals(), check)
  }

  async storeGetAll(store: string, key: string): Promise<SourcedRows> {
    return readStoreKey(this.#options.reads, store, key)
  }

  async storeRange(store: string, range: RangeRequest): Promise<SourcedRows> {
    return readStorePage(this.#options.reads, store, range)
  }

  async close(): Promise<void> {
    await this.#writer.close()
  }

  async #find<Row>(store: KeyValueStore<string, Row>, key: string): Promise<Found<Row>> {
    const where = { store, partition: this.#partitionOf(store, key) }
    return foundIn(await this.#options.reads.read(where, { kind: 'get', key }))
  }

  async #settled<Row>(
    store: KeyValueStore<string, Row>,
    key: string,
    { topic, withinMs }: { readonly topic: string; readonly withinMs: number },
  ): Promise<Found<Row> | undefined> {
    this.#writer.check()
    const partition = this.#partitionOf(store, key)
    const where: PartitionOfStore = { store, partition }
    const answer = await this.#writer.inTime(
      this.#options.reads.readSettled(
        where,
        { kind: 'get', key },
        { input: { topic, partition }, withinMs },
      ),
    )
    return answer === undefined ? undefined : foundIn(answer)
  }

  #partitionOf(store: KeyValueStore<string, unknown>, key: string): number {
    return partitionOfKey(this.#options.reads, store, key)
  }

  /** Counters of every partition, by name. */
  async #totals(): Promise<readonly (readonly [string, number])[]> {
    const read = { kind: 'range', limit: totalsMax } as const
    const { rows } = await readPage(this.#options.reads, orderTotals, read)
    return rows.map(({ key, value }) => [key as string, value as number])
  }
}

/** A few dozen counters in each partition. */
const totalsMax = 10_000

const rowOf = <Row>({ rows }: PartitionAnswer): Row | undefined => rows[0]?.value as Row | undefined

const foundIn = <Row>(answer: PartitionAnswer): Found<Row> => ({
  row: rowOf<Row>(answer),
  source: sourceOf(answer),
})

function* values<V>(rows: Iterable<readonly [unknown, V]>): Generator<V> {
  for (const [, value] of rows) yield value
}
