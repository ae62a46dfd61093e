/**
 * What the outside may ask of the shop, whoever carries it out: the port behind the HTTP routes.
 *
 * Implemented by the composition root over a running instance, over the files of a stopped one, and
 * as a client of another process' HTTP API. 1. A command is durable when its promise resolves; its
 * outcome is not known then. 2. Reads see committed state only. 3. Sending a command again under
 * the same id or key has no further effect.
 */

import type { AnswerSource } from '../../../src/index.ts'
import type { FigureRange, Figures, FigureSubject } from '../analytics/read-figures.ts'
import type { StockLevels, StockLevelsRequest } from '../analytics/stock-levels.ts'
import type { OrderCheck } from '../audit/check-order.ts'
import type { CustomerRow } from '../customers/customer-row.ts'
import type { ProductRow, StockCommandRow } from '../inventory/stock-row.ts'
import type { MoneyAccess } from './money-access.ts'
import type { OrderRow } from '../orders/order-row.ts'
import type { PersonalData } from '../personal/personal-data.ts'
import type { ParsedOrder } from '../shared/order-request.ts'
import type { Cancellation } from '../shared/customer-commands.ts'
import type { OrderChange } from '../shared/order-update.ts'
import type { StockRequest } from '../shared/stock-request.ts'
import type { ShopSummary } from '../shared/summary.ts'

/** An event of an order's story, from whichever topic. */
export interface HistoryEntry {
  readonly timestamp: string
  readonly topic: string
  readonly eventType: string
  readonly eventId: string
  readonly data: unknown
}

export interface OrderHistory {
  /** Absent if there are events but no row: the state is behind the topics. */
  readonly order?: OrderRow
  /** In the order of their times. */
  readonly events: readonly HistoryEntry[]
  /** Whether the row is what its events tell; absent without a row. */
  readonly rebuilt?: OrderCheck
}

/**
 * Bounds of rows: keys, or times where rows are windows or lie in time.
 *
 * A time is ISO-8601 or ms since 1970.
 */
export interface RowBounds {
  /** Inclusive. */
  readonly from?: string
  /** Exclusive. */
  readonly to?: string
}

export interface PageRequest {
  readonly limit: number
  /** Of the page before, whose bounds must be the same. */
  readonly cursor?: string
}

export interface RangeRequest extends RowBounds, PageRequest {}

export interface StoreRow {
  /** Whose task has the row; absent in global tables, which every instance has whole. */
  readonly partition?: number
  readonly key: unknown
  /** Of rows that are windows; ISO-8601. A window store does not know ends. */
  readonly window?: { readonly start: string; readonly end?: string }
  /** Event time of the row, where it has one; ISO-8601. */
  readonly time?: string
  /** Null is a deletion that waits. */
  readonly value: unknown
}

export interface StoreRows {
  readonly rows: readonly StoreRow[]
  /** Goes on with the next page; absent at the end. */
  readonly cursor?: string
}

export interface SourcedRows extends StoreRows {
  /** Who answered: one for each partition, whether it had rows or not. Global tables: nobody. */
  readonly sources: readonly AnswerSource[]
}

/** A row as its owner has it; none there is an answer too. */
export interface Found<Row> {
  readonly row: Row | undefined
  readonly source: AnswerSource
}

/** A page of a customer's events, oldest first. */
export interface CustomerOrders {
  readonly rows: readonly CustomerRow[]
  readonly cursor?: string
  readonly source: AnswerSource
}

/** What the caller asks of a store cannot be: a key of another type, bounds that are no times. */
export class StoreRequestError extends Error {
  override readonly name = 'StoreRequestError'
}

/** The id belongs to another order, which stands. */
export class OrderInUseError extends Error {
  override readonly name = 'OrderInUseError'
}

/** Progress of the instance, and the counters of the shop without a scan. */
export interface ShopStatus {
  readonly isReady: boolean
  /** Input records that wait at this instance; -1 while nothing runs. */
  readonly lagRecords: number
  readonly orders: number
  /** Orders that are in each status now. */
  readonly statuses: Readonly<Record<string, number>>
}

export interface ShopAccess {
  /** @throws {OrderInUseError} another order has the id, where that is known at once */
  placeOrder(orderId: string, order: ParsedOrder): Promise<void>
  /**
   * What the row of this order may keep of its body, sealed or made when nothing was.
   *
   * @returns  undefined if only placing it tells: then the same is placed without effect, and
   * another is refused
   */
  createHashes(orderId: string, order: ParsedOrder): Promise<readonly string[] | undefined>
  /** @param cancellation  its reason as it is to be written: routes seal it first */
  cancelOrder(orderId: string, cancellation: Cancellation): Promise<void>
  /** @param key  the same update again under the same key has no further effect */
  updateStock(productId: string, request: StockRequest, key: string): Promise<void>
  order(orderId: string): Promise<OrderRow | undefined>
  product(productId: string): Promise<ProductRow | undefined>
  /** Undefined if nothing is known of the order. */
  history(orderId: string): Promise<OrderHistory | undefined>
  status(): Promise<ShopStatus>
  /**
   * Makes everything unreadable that was sealed for the customer, in every topic and store.
   *
   * @returns  how many keys were destroyed; 0: nothing was sealed since the last time
   */
  eraseCustomer(customerId: string): Promise<number>
  /** Counts everything and checks all invariants: a scan of the whole state. */
  summary(): Promise<ShopSummary>
  /**
   * The rows of a key in every partition that has some: counters have the same key in each.
   *
   * Of windows, and of what else has several rows per key, all of them.
   *
   * @throws {StoreRequestError} the key or a bound cannot be one of this store
   * @throws there is no such store; the message lists them
   */
  storeGetAll(store: string, key: string, bounds?: RowBounds): Promise<StoreRows>
  /**
   * One page of rows over all partitions, by key, or by time where the rows lie in time.
   *
   * @throws as `storeGetAll`
   */
  storeRange(store: string, range: RangeRequest): Promise<StoreRows>
}

/** What the routes need beyond: known only where the instance runs. */
export interface ShopHost extends ShopAccess, MoneyAccess {
  readonly personal: PersonalData
  /** As `placeOrder`, of an order that is sealed already. */
  writeOrder(orderId: string, sealed: ParsedOrder): Promise<void>
  /** @param change  sealed already */
  updateOrder(orderId: string, change: OrderChange, commandId: string): Promise<void>
  /** Calls back after each commit of this instance, when reads show it; @returns what ends that */
  onCommit(listener: () => void): () => void
  findOrder(orderId: string): Promise<Found<OrderRow>>
  /**
   * As `findOrder`, once everything is processed that was written about the order before the call:
   * an order without a row does not exist then.
   *
   * @returns  undefined if it is not within the time
   */
  settledOrder(orderId: string, withinMs: number): Promise<Found<OrderRow> | undefined>
  findProduct(productId: string): Promise<Found<ProductRow>>
  /** As `settledOrder`. */
  settledProduct(productId: string, withinMs: number): Promise<Found<ProductRow> | undefined>
  /** What was decided about an update of the product's stock; no row: nothing, or long ago. */
  findDecision(productId: string, updateId: string): Promise<Found<StockCommandRow>>
  /** As `settledOrder`: without a row then, no such update was ever asked for, or long ago. */
  settledDecision(
    productId: string,
    updateId: string,
    withinMs: number,
  ): Promise<Found<StockCommandRow> | undefined>
  customerOrders(customerId: string, page: PageRequest): Promise<CustomerOrders>
  /** What was counted in whole windows, over all partitions. */
  figures(subject: FigureSubject, range: FigureRange): Promise<Figures>
  stockLevels(request: StockLevelsRequest): Promise<StockLevels>
  storeGetAll(store: string, key: string, bounds?: RowBounds): Promise<SourcedRows>
  storeRange(store: string, range: RangeRequest): Promise<SourcedRows>
}
