/**
 * The shop of this process: commands to its topics, reads of its stores.
 *
 * Behind the HTTP routes and the commands that opened the state themselves. 1. Ids of commands
 * derive from what they are about, so that repeating one has no effect. 2. Owns nothing but its
 * writer: broker, engine and application belong to the instance.
 */

import { type ProductRow } from '../../topologies/shop/inventory/stock-row.ts'
import { holdStore, productStore } from '../../topologies/shop/inventory/stores.ts'
import { finalStatuses, type OrderRow } from '../../topologies/shop/orders/order-row.ts'
import { orderStore, orderTotals } from '../../topologies/shop/orders/stores.ts'
import { paymentStore } from '../../topologies/shop/payments/stores.ts'
import {
  type OrderHistory,
  type RangeRequest,
  type RowBounds,
  type ShopHost,
  type ShopStatus,
  type StoreRow,
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
import { type StampHeaders } from '../task/producer-headers.ts'
import { type StoreQuery } from '../runtime/queries.ts'
import { type KeyValueReader } from '../stores/key-value-store.ts'
import { CommandWriter } from './command-writer.ts'
import { hasProcessed } from './has-processed.ts'
import { orderHistory } from './order-history.ts'
import { readStoreKey, readStoreRows } from './read-store.ts'
import { type StoreSource } from './store-source.ts'

export interface LocalShopOptions {
  readonly broker: Broker
  readonly clock: Clock
  readonly stores: StoreSource
  /** Who processes the commands: its group. */
  readonly applicationId: string
  /** Whether the stores hold every partition, and not only those of one of several replicas. */
  readonly seesAll: boolean
  /** Who wrote a command, in its envelope. */
  readonly source: string
  /** Of the running instance; a stopped one is never ready. */
  readonly progress: () => { readonly isReady: boolean; readonly lagRecords: number }
  /** Whether the broker is away: then commands are refused at once. Absent: they wait for it. */
  readonly isBrokerSilent?: (() => boolean) | undefined
  /** Headers of the commands; none if absent. */
  readonly stamp?: StampHeaders | undefined
}

export class LocalShop implements ShopHost {
  readonly #options: LocalShopOptions
  readonly #writer: CommandWriter
  readonly #orders: StoreQuery<KeyValueReader<string, OrderRow>>

  private constructor(options: LocalShopOptions, writer: CommandWriter) {
    this.#options = options
    this.#writer = writer
    this.#orders = options.stores.query(orderStore)
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

  updateStock(productId: string, request: StockRequest, key: string): Promise<void> {
    const { clock, source } = this.#options
    const commandId = stockCommandId(productId, key)
    const origin = { commandId, source, nowMs: clock.nowMs() }
    const command = updateStockCommand(productId, request, origin)
    return this.#writer.write(inventoryCommands, productId, command)
  }

  async order(orderId: string): Promise<OrderRow | undefined> {
    return this.orderNow(orderId)
  }

  /** As `order`, without a turn of the event loop: loaders ask thousands of times. */
  orderNow(orderId: string): OrderRow | undefined {
    const readers = this.#orders.partitions()
    const { partition, partitions } = this.#writer.place(orderCommands, orderId)
    // the order's own partition, unless some are elsewhere: a sixth of the reads
    if (readers.length === partitions) return readers[partition]!.get(orderId)
    return this.#orders.get(orderId)
  }

  async hasProcessed(orderId: string, withinMs: number): Promise<boolean> {
    const { broker, applicationId } = this.#options
    this.#writer.check()
    const { partition } = this.#writer.place(orderCommands, orderId)
    return this.#writer.inTime(
      hasProcessed(broker, {
        groupId: applicationId,
        partition: { topic: orderCommands.name, partition },
        withinMs,
      }),
    )
  }

  async product(productId: string): Promise<ProductRow | undefined> {
    return this.#options.stores.query(productStore).get(productId)
  }

  async history(orderId: string): Promise<OrderHistory | undefined> {
    this.#writer.check()
    return orderHistory(this.#options.broker, orderId, this.orderNow(orderId))
  }

  async status(): Promise<ShopStatus> {
    const statuses: Record<string, number> = {}
    let orders = 0
    for (const [name, value] of this.#totals()) {
      if (name === 'orders') orders += value
      const status = /^status:(.*)$/.exec(name)?.[1]
      if (status !== undefined) statuses[status] = (statuses[status] ?? 0) + value
    }
    return { ...this.#options.progress(), orders, statuses }
  }

  async summary(): Promise<ShopSummary> {
    const { stores, progress, seesAll } = this.#options
    // an order and its stock may lie on two replicas: neither can compare them
    if (!seesAll) return shopSummary(this.#totals(), { checked: 0, violations: [] })
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
    return shopSummary(this.#totals(), check)
  }

  async storeGet(store: string, key: string): Promise<unknown> {
    return (await readStoreKey(this.#options.stores, store, key))[0]?.value
  }

  storeGetAll(store: string, key: string, bounds?: RowBounds): Promise<readonly StoreRow[]> {
    return readStoreKey(this.#options.stores, store, key, bounds)
  }

  storeRange(store: string, range: RangeRequest): Promise<readonly StoreRow[]> {
    return readStoreRows(this.#options.stores, store, range)
  }

  async close(): Promise<void> {
    await this.#writer.close()
  }

  #totals(): Iterable<readonly [string, number]> {
    return this.#options.stores.query(orderTotals).range()
  }
}

function* values<V>(rows: Iterable<readonly [unknown, V]>): Generator<V> {
  for (const [, value] of rows) yield value
}
