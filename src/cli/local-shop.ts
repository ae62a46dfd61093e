/**
 * The shop of this process: commands to its topics, reads of its stores.
 *
 * Behind the HTTP routes and the commands that opened the state themselves. 1. Ids of commands
 * derive from what they are about, so that repeating one has no effect. 2. Owns nothing but its
 * writer: broker, engine and application belong to the instance.
 */

import {
  type FigureRange,
  type Figures,
  type FigureSubject,
  readFigures,
} from '../../topologies/shop/analytics/read-figures.ts'
import {
  readStockLevels,
  type StockLevels,
  type StockLevelsRequest,
} from '../../topologies/shop/analytics/stock-levels.ts'
import { customerBounds, type CustomerRow } from '../../topologies/shop/customers/customer-row.ts'
import { customerStore } from '../../topologies/shop/customers/stores.ts'
import type { PersonalData } from '../../topologies/shop/personal/personal-data.ts'
import type { ProductRow, StockCommandRow } from '../../topologies/shop/inventory/stock-row.ts'
import { holdStore, productStore, stockCommands } from '../../topologies/shop/inventory/stores.ts'
import { finalStatuses, type OrderRow } from '../../topologies/shop/orders/order-row.ts'
import { orderStore, orderTotals } from '../../topologies/shop/orders/stores.ts'
import type { PaymentRow } from '../../topologies/shop/payments/payment-row.ts'
import { paymentStore } from '../../topologies/shop/payments/stores.ts'
import type { OfOrder } from '../../topologies/shop/http/money-access.ts'
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
import type {
  CreateShipmentData,
  ProcessPaymentData,
  RefundPaymentData,
  UpdateShipmentStatusData,
} from '../../topologies/shop/shared/commands.ts'
import {
  cancelCommandId,
  type Cancellation,
  cancelOrderCommand,
  updateOrderCommand,
} from '../../topologies/shop/shared/customer-commands.ts'
import { checkShop } from '../../topologies/shop/shared/invariants.ts'
import { type CommandOrigin, newCommand } from '../../topologies/shop/shared/new-command.ts'
import {
  createHashOf,
  createOrderCommand,
  type ParsedOrder,
} from '../../topologies/shop/shared/order-request.ts'
import type { OrderChange } from '../../topologies/shop/shared/order-update.ts'
import {
  stockCommandId,
  type StockRequest,
  updateStockCommand,
} from '../../topologies/shop/shared/stock-request.ts'
import { type ShopSummary, shopSummary } from '../../topologies/shop/shared/summary.ts'
import {
  inventoryCommands,
  orderCommands,
  paymentCommands,
  shipmentCommands,
} from '../../topologies/shop/shared/topics.ts'
import type { TopicNames } from '../../topologies/shop/shared/topic-names.ts'
import type { ShipmentRow } from '../../topologies/shop/shipments/shipment-row.ts'
import { shipmentStore } from '../../topologies/shop/shipments/stores.ts'
import { partitionOf } from '../broker/partitioner.ts'
import type { Broker } from '../broker/port.ts'
import type { Clock } from '../clock.ts'
import { readPage } from '../queries/store-page.ts'
import type { StoreReads } from '../queries/store-reads.ts'
import { utf8 } from '../serde/utf8.ts'
import type { StampHeaders } from '../task/producer-headers.ts'
import { CommandWriter } from './command-writer.ts'
import { openedHistory } from './opened-history.ts'
import type { VaultOpener } from './open-vault.ts'
import { orderHistory } from './order-history.ts'
import { readStoreKey, readStorePage } from './read-store.ts'
import { ShopRows, type WantedRow } from './shop-rows.ts'
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
  /** Of the topics. */
  readonly names: TopicNames
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
  /** Makes what seals and opens personal data. */
  readonly vault: VaultOpener
}

export class LocalShop implements ShopHost {
  readonly #options: LocalShopOptions
  readonly #writer: CommandWriter
  readonly #rows: ShopRows
  readonly personal: PersonalData

  private constructor(options: LocalShopOptions, writer: CommandWriter) {
    this.#options = options
    this.#writer = writer
    this.#rows = new ShopRows(options.reads, writer)
    this.personal = options.vault(writer)
  }

  static async open(options: LocalShopOptions): Promise<LocalShop> {
    const { broker, clock, names, isBrokerSilent: isSilent, stamp } = options
    const topics = [orderCommands, inventoryCommands, paymentCommands, shipmentCommands].map(
      ({ name }) => name,
    )
    const writer = await CommandWriter.open({ broker, clock, topics, names, isSilent, stamp })
    return new LocalShop(options, writer)
  }

  async placeOrder(orderId: string, order: ParsedOrder): Promise<void> {
    const { customerId } = order
    return this.writeOrder(orderId, await this.personal.sealed({ customerId, orderId }, order))
  }

  async createHashes(orderId: string, order: ParsedOrder): Promise<readonly string[]> {
    const { customerId } = order
    const sealed = await this.personal.sealed({ customerId, orderId }, order)
    const hash = createHashOf(orderId, sealed)
    return sealed === order ? [hash] : [hash, createHashOf(orderId, order)]
  }

  writeOrder(orderId: string, sealed: ParsedOrder): Promise<void> {
    const { clock, source } = this.#options
    const command = createOrderCommand(sealed, { orderId, nowMs: clock.nowMs(), source })
    return this.#writer.write(orderCommands, orderId, command)
  }

  cancelOrder(orderId: string, cancellation: Cancellation): Promise<void> {
    const origin = this.#origin({ orderId }, cancelCommandId(orderId, cancellation))
    const command = cancelOrderCommand(orderId, cancellation, origin)
    return this.#writer.write(orderCommands, orderId, command)
  }

  updateOrder(orderId: string, change: OrderChange, commandId: string): Promise<void> {
    const data = { orderId, ...change }
    const command = updateOrderCommand(data, this.#origin(data, commandId))
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
    return this.#rows.find(ofOrder(orderId))
  }

  async settledOrder(orderId: string, withinMs: number): Promise<Found<OrderRow> | undefined> {
    return this.#rows.settled(ofOrder(orderId), withinMs)
  }

  async product(productId: string): Promise<ProductRow | undefined> {
    return (await this.findProduct(productId)).row
  }

  async findProduct(productId: string): Promise<Found<ProductRow>> {
    return this.#rows.find(ofProduct(productId))
  }

  async settledProduct(
    productId: string,
    withinMs: number,
  ): Promise<Found<ProductRow> | undefined> {
    return this.#rows.settled(ofProduct(productId), withinMs)
  }

  async findDecision(productId: string, updateId: string): Promise<Found<StockCommandRow>> {
    return this.#rows.find(ofUpdate(productId, updateId))
  }

  async settledDecision(
    productId: string,
    updateId: string,
    withinMs: number,
  ): Promise<Found<StockCommandRow> | undefined> {
    return this.#rows.settled(ofUpdate(productId, updateId), withinMs)
  }

  async findPayment(payment: OfOrder): Promise<Found<PaymentRow>> {
    return this.#rows.find(ofPayment(payment))
  }

  async settledPayment(payment: OfOrder, withinMs: number): Promise<Found<PaymentRow> | undefined> {
    return this.#rows.settled(ofPayment(payment), withinMs)
  }

  async findShipment(shipment: OfOrder): Promise<Found<ShipmentRow>> {
    return this.#rows.find(ofShipment(shipment))
  }

  async settledShipment(
    shipment: OfOrder,
    withinMs: number,
  ): Promise<Found<ShipmentRow> | undefined> {
    return this.#rows.settled(ofShipment(shipment), withinMs)
  }

  processPayment(data: ProcessPaymentData): Promise<void> {
    const command = newCommand('ProcessPayment', data, this.#origin(data, data.paymentId))
    return this.#writer.write(paymentCommands, data.orderId, command)
  }

  refundPayment(data: RefundPaymentData): Promise<void> {
    const command = newCommand('RefundPayment', data, this.#origin(data, data.refundId))
    return this.#writer.write(paymentCommands, data.orderId, command)
  }

  createShipment(data: CreateShipmentData): Promise<void> {
    const commandId = `${data.shipmentId}:create`
    const command = newCommand('CreateShipment', data, this.#origin(data, commandId))
    return this.#writer.write(shipmentCommands, data.orderId, command)
  }

  updateShipment(data: UpdateShipmentStatusData, commandId: string): Promise<void> {
    const command = newCommand('UpdateShipmentStatus', data, this.#origin(data, commandId))
    return this.#writer.write(shipmentCommands, data.orderId, command)
  }

  async history(orderId: string): Promise<OrderHistory | undefined> {
    this.#writer.check()
    const { broker, clock, names } = this.#options
    const row = await this.order(orderId) // first: events are only ever ahead of it then
    const history = await orderHistory(broker, { orderId, row, nowMs: clock.nowMs(), names })
    return history && openedHistory(this.personal, history)
  }

  eraseCustomer(customerId: string): Promise<number> {
    return this.personal.erase(customerId)
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
      rows: await Promise.all(rows.map(({ value }) => this.personal.opened(value as CustomerRow))),
      ...(cursor === undefined ? {} : { cursor }),
      source: sources[0]!,
    }
  }

  figures(subject: FigureSubject, range: FigureRange): Promise<Figures> {
    return readFigures(this.#options.reads, subject, range)
  }

  stockLevels(request: StockLevelsRequest): Promise<StockLevels> {
    return readStockLevels(this.#options.reads, request)
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

  #origin({ orderId }: { readonly orderId: string }, commandId: string): CommandOrigin {
    const { clock, source } = this.#options
    return { commandId, source, nowMs: clock.nowMs(), correlationId: orderId }
  }

  /** Counters of every partition, by name. */
  async #totals(): Promise<readonly (readonly [string, number])[]> {
    const read = { kind: 'range', limit: totalsMax } as const
    const { rows } = await readPage(this.#options.reads, orderTotals, read)
    return rows.map(({ key, value }) => [key as string, value as number])
  }
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

const ofPayment = ({ id, orderId }: OfOrder): WantedRow<PaymentRow> => ({
  store: paymentStore,
  key: id,
  topic: paymentCommands,
  entity: orderId,
})

const ofShipment = ({ id, orderId }: OfOrder): WantedRow<ShipmentRow> => ({
  store: shipmentStore,
  key: id,
  topic: shipmentCommands,
  entity: orderId,
})

/** Updates lie with their product. */
const ofUpdate = (productId: string, updateId: string): WantedRow<StockCommandRow> => ({
  ...ofProduct(productId),
  store: stockCommands,
  key: updateId,
})

/** A few dozen counters in each partition. */
const totalsMax = 10_000

function* values<V>(rows: Iterable<readonly [unknown, V]>): Generator<V> {
  for (const [, value] of rows) yield value
}
