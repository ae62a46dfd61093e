/**
 * The shop of this process: commands to its topics, reads of its stores.
 *
 * Behind the HTTP routes and the commands that opened the state themselves. 1. Ids of commands
 * derive from what they are about, so that repeating one has no effect. 2. Owns nothing but its
 * writer: broker, engine and application belong to the instance.
 */

import { customerBounds, type CustomerRow } from '../../topologies/shop/customers/customer-row.ts'
import { customerStore } from '../../topologies/shop/customers/stores.ts'
import type { ProductRow, StockCommandRow } from '../../topologies/shop/inventory/stock-row.ts'
import { holdStore, productStore, stockCommands } from '../../topologies/shop/inventory/stores.ts'
import { finalStatuses, type OrderRow } from '../../topologies/shop/orders/order-row.ts'
import { orderStore, orderTotals } from '../../topologies/shop/orders/stores.ts'
import { paymentStore } from '../../topologies/shop/payments/stores.ts'
import type {
  CustomerOrders,
  Found,
  OrderHistory,
  PageRequest,
  RangeRequest,
  RowBounds,
  ShopHost,
  ShopStatus,
  SourcedRows,
} from '../../topologies/shop/http/shop-access.ts'
import {
  cancelOrderCommand,
  updateOrderCommand,
} from '../../topologies/shop/shared/customer-commands.ts'
import { uuidV5 } from '../../topologies/shop/shared/ids.ts'
import { checkShop } from '../../topologies/shop/shared/invariants.ts'
import { createOrderCommand, type ParsedOrder } from '../../topologies/shop/shared/order-request.ts'
import type { OrderChange } from '../../topologies/shop/shared/order-update.ts'
import {
  stockCommandId,
  type StockRequest,
  updateStockCommand,
} from '../../topologies/shop/shared/stock-request.ts'
import { type ShopSummary, shopSummary } from '../../topologies/shop/shared/summary.ts'
import { inventoryCommands, orderCommands } from '../../topologies/shop/shared/topics.ts'
import { partitionOf } from '../broker/partitioner.ts'
import type { Broker } from '../broker/port.ts'
import type { Clock } from '../clock.ts'
import { type PartitionAnswer, sourceOf } from '../queries/partition-read.ts'
import { readPage } from '../queries/store-page.ts'
import type { PartitionOfStore, StoreReads } from '../queries/store-reads.ts'
import { utf8 } from '../serde/utf8.ts'
import type { KeyValueStore } from '../stores/key-value-store.ts'
import type { StampHeaders } from '../task/producer-headers.ts'
import type { Topic } from '../topic.ts'
import { CommandWriter } from './command-writer.ts'
import { orderHistory } from './order-history.ts'
import { readStoreKey, readStorePage } from './read-store.ts'
import type { StoreSource } from './store-source.ts'

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
  /** Tells of commits; nothing commits if absent. */
  readonly onCommit?: ((listener: () => void) => () => void) | undefined
  /** Whether the broker is away: then commands are refused at once. Absent: they wait for it. */
  readonly isBrokerSilent?: (() => boolean) | undefined
  /** Headers of the commands; none if absent. */
  readonly stamp?: StampHeaders | undefined
}

export class LocalShop implements ShopHost {
  readonly #options: LocalShopOptions
  readonly #writer: CommandWriter

  private constructor(options: LocalShopOptions, writer: CommandWriter) {
    this.#options = options
    this.#writer = writer
  }

  static async open(options: LocalShopOptions): Promise<LocalShop> {
    const { broker, clock, isBrokerSilent: isSilent, stamp } = options
    const topics = [orderCommands.name, inventoryCommands.name]
    const writer = await CommandWriter.open({ broker, clock, topics, isSilent, stamp })
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

  updateOrder(orderId: string, change: OrderChange, commandId: string): Promise<void> {
    const { clock, source } = this.#options
    const origin = { commandId, source, nowMs: clock.nowMs(), correlationId: orderId }
    const command = updateOrderCommand({ orderId, ...change }, origin)
    return this.#writer.write(orderCommands, orderId, command)
  }

  updateStock(productId: string, request: StockRequest, key: string): Promise<void> {
    const { clock, source } = this.#options
    const commandId = stockCommandId(productId, key)
    const origin = { commandId, source, nowMs: clock.nowMs() }
    const command = updateStockCommand(productId, request, origin)
    return this.#writer.write(inventoryCommands, productId, command)
  }

  onCommit(listener: () => void): () => void {
    return this.#options.onCommit?.(listener) ?? (() => {})
  }

  async order(orderId: string): Promise<OrderRow | undefined> {
    return (await this.findOrder(orderId)).row
  }

  async findOrder(orderId: string): Promise<Found<OrderRow>> {
    return this.#find(ofOrder(orderId))
  }

  async settledOrder(orderId: string, withinMs: number): Promise<Found<OrderRow> | undefined> {
    return this.#settled(ofOrder(orderId), withinMs)
  }

  async product(productId: string): Promise<ProductRow | undefined> {
    return (await this.findProduct(productId)).row
  }

  async findProduct(productId: string): Promise<Found<ProductRow>> {
    return this.#find(ofProduct(productId))
  }

  async settledProduct(
    productId: string,
    withinMs: number,
  ): Promise<Found<ProductRow> | undefined> {
    return this.#settled(ofProduct(productId), withinMs)
  }

  async findDecision(productId: string, updateId: string): Promise<Found<StockCommandRow>> {
    return this.#find(ofUpdate(productId, updateId))
  }

  async settledDecision(
    productId: string,
    updateId: string,
    withinMs: number,
  ): Promise<Found<StockCommandRow> | undefined> {
    return this.#settled(ofUpdate(productId, updateId), withinMs)
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

  async customerOrders(customerId: string, page: PageRequest): Promise<CustomerOrders> {
    const { reads } = this.#options
    const partition = partitionOf(utf8.encode(customerId), reads.partitionsOf(customerStore))
    const { rows, cursor, sources } = await readPage(
      reads,
      customerStore,
      { kind: 'range', ...customerBounds(customerId), limit: page.limit },
      { cursor: page.cursor, partitions: [partition] },
    )
    return {
      rows: rows.map(({ value }) => value as CustomerRow),
      ...(cursor === undefined ? {} : { cursor }),
      source: sources[0]!,
    }
  }

  storeGetAll(store: string, key: string, bounds?: RowBounds): Promise<SourcedRows> {
    return readStoreKey(this.#options, store, key, bounds)
  }

  storeRange(store: string, range: RangeRequest): Promise<SourcedRows> {
    return readStorePage(this.#options, store, range)
  }

  async close(): Promise<void> {
    await this.#writer.close()
  }

  async #find<Row>(wanted: WantedRow<Row>): Promise<Found<Row>> {
    const read = { kind: 'get', key: wanted.key } as const
    return foundIn(await this.#options.reads.read(this.#placeOf(wanted), read))
  }

  async #settled<Row>(wanted: WantedRow<Row>, withinMs: number): Promise<Found<Row> | undefined> {
    this.#writer.check()
    const where = this.#placeOf(wanted)
    const input = { topic: wanted.topic.name, partition: where.partition }
    const read = { kind: 'get', key: wanted.key } as const
    const answer = await this.#writer.inTime(
      this.#options.reads.readSettled(where, read, { input, withinMs }),
    )
    return answer === undefined ? undefined : foundIn(answer)
  }

  #placeOf<Row>({ store, topic, entity }: WantedRow<Row>): PartitionOfStore {
    return { store, partition: this.#writer.place(topic, entity).partition }
  }

  /** Counters of every partition, by name. */
  async #totals(): Promise<readonly (readonly [string, number])[]> {
    const read = { kind: 'range', limit: totalsMax } as const
    const { rows } = await readPage(this.#options.reads, orderTotals, read)
    return rows.map(({ key, value }) => [key as string, value as number])
  }
}

/** A row, and what decides about it: the topic of its commands, and what they are keyed by. */
interface WantedRow<Row> {
  readonly store: KeyValueStore<string, Row>
  readonly key: string
  readonly topic: Pick<Topic<string, unknown>, 'name' | 'key'>
  readonly entity: string
}

const ofOrder = (orderId: string): WantedRow<OrderRow> => ({
  store: orderStore,
  key: orderId,
  topic: orderCommands,
  entity: orderId,
})

const ofProduct = (productId: string): WantedRow<ProductRow> => ({
  store: productStore,
  key: productId,
  topic: inventoryCommands,
  entity: productId,
})

/** Updates lie with their product. */
const ofUpdate = (productId: string, updateId: string): WantedRow<StockCommandRow> => ({
  ...ofProduct(productId),
  store: stockCommands,
  key: updateId,
})

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
