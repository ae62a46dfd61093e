/**
 * What the outside may ask of the shop, whoever carries it out: the port behind the HTTP routes.
 *
 * Implemented by the composition root over a running instance, over the files of a stopped one, and
 * as a client of another process' HTTP API. 1. A command is durable when its promise resolves; its
 * outcome is not known then. 2. Reads see committed state only. 3. Sending a command again under
 * the same id or key has no further effect.
 */

import { type OrderRow } from '../orders/order-row.ts'
import { type ProductRow } from '../inventory/stock-row.ts'
import { type ParsedOrder } from '../shared/order-request.ts'
import { type StockRequest } from '../shared/stock-request.ts'
import { type ShopSummary } from '../shared/summary.ts'

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
}

export interface RangeRequest {
  /** Inclusive. */
  readonly from?: string
  /** Exclusive. */
  readonly to?: string
  readonly limit: number
}

export interface StoreRow {
  /** Whose task has the row. */
  readonly partition: number
  readonly key: unknown
  readonly value: unknown
}

/** Progress of the instance, and the counters of the shop without a scan. */
export interface ShopStatus {
  readonly isReady: boolean
  /** Input records that wait; -1 while nothing runs. */
  readonly lagRecords: number
  readonly orders: number
  /** Orders that are in each status now. */
  readonly statuses: Readonly<Record<string, number>>
}

export interface ShopAccess {
  placeOrder(orderId: string, order: ParsedOrder): Promise<void>
  cancelOrder(orderId: string, reason: string): Promise<void>
  /** @param key  the same update again under the same key has no further effect */
  updateStock(productId: string, request: StockRequest, key: string): Promise<void>
  order(orderId: string): Promise<OrderRow | undefined>
  product(productId: string): Promise<ProductRow | undefined>
  /** Undefined if nothing is known of the order. */
  history(orderId: string): Promise<OrderHistory | undefined>
  status(): Promise<ShopStatus>
  /** Counts everything and checks all invariants: a scan of the whole state. */
  summary(): Promise<ShopSummary>
  /** Undefined if the key has no value. @throws there is no such store; the message lists them */
  storeGet(store: string, key: string): Promise<unknown>
  /** As `storeGet`, of every partition: counters have the same key in each. */
  storeGetAll(store: string, key: string): Promise<readonly StoreRow[]>
  storeRange(store: string, range: RangeRequest): Promise<readonly StoreRow[]>
}

/** What the routes need beyond: known only where the instance runs. */
export interface ShopHost extends ShopAccess {
  /**
   * Waits until everything written about the order before this call was processed.
   *
   * Then an order without a row does not exist, as far as this instance has its partition.
   *
   * @returns  false if it is not within the time
   */
  hasProcessed(orderId: string, withinMs: number): Promise<boolean>
}
