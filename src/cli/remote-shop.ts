/**
 * The shop of another process, over its HTTP API.
 *
 * Used when that process holds the state directory. Commands carry their ids, so asking again is
 * safe.
 */

import type { ProductRow } from '../../topologies/shop/inventory/stock-row.ts'
import type { OrderRow } from '../../topologies/shop/orders/order-row.ts'
import {
  type OrderHistory,
  OrderInUseError,
  type RangeRequest,
  type RowBounds,
  type ShopAccess,
  type ShopStatus,
  type StoreRows,
} from '../../topologies/shop/http/shop-access.ts'
import { problemKinds } from '../../topologies/shop/http/problem-kinds.ts'
import { formatMinor } from '../../topologies/shop/shared/money.ts'
import { fieldsToSeal } from '../../topologies/shop/personal/personal-fields.ts'
import { createHashOf, type ParsedOrder } from '../../topologies/shop/shared/order-request.ts'
import type { Cancellation } from '../../topologies/shop/shared/customer-commands.ts'
import type { StockRequest } from '../../topologies/shop/shared/stock-request.ts'
import type { ShopSummary } from '../../topologies/shop/shared/summary.ts'
import { orderStore } from '../../topologies/shop/orders/stores.ts'
import { productStore } from '../../topologies/shop/inventory/stores.ts'
import { problemUri } from '../http/problem.ts'
import { CommandError } from './failure.ts'
import { InstanceApi } from './instance-api.ts'

export class RemoteShop implements ShopAccess {
  readonly #api: InstanceApi

  /** @param address  such as `http://127.0.0.1:4004` */
  constructor(address: string) {
    this.#api = new InstanceApi(address)
  }

  async placeOrder(orderId: string, { items, ...order }: ParsedOrder): Promise<void> {
    const body = {
      ...order,
      orderId,
      items: items.map(({ productId, quantity, priceMinor }) => ({
        productId,
        quantity,
        price: formatMinor(priceMinor, order.currency),
      })),
    }
    const response = await this.#api.fetch('/api/orders', { method: 'POST', body })
    if (response.status === 409) throw new OrderInUseError(`another order has the id ${orderId}`)
    await this.#api.bodyOf(response, '/api/orders')
  }

  /** That process has the keys. */
  async createHashes(orderId: string, order: ParsedOrder): Promise<readonly string[] | undefined> {
    return fieldsToSeal(order).length > 0 ? undefined : [createHashOf(orderId, order)]
  }

  async cancelOrder(orderId: string, { reason, ifVersion }: Cancellation): Promise<void> {
    const path = `${orderPath(orderId)}?reason=${encodeURIComponent(reason)}`
    const headers = ifVersion === undefined ? {} : { 'if-match': `"${ifVersion}"` }
    await this.#api.call(path, { method: 'DELETE', headers })
  }

  async updateStock(productId: string, request: StockRequest, key: string): Promise<void> {
    const path = `/api/inventory/${encodeURIComponent(productId)}?wait=0`
    await this.#api.call(path, {
      method: 'PUT',
      body: request,
      headers: { 'idempotency-key': key },
    })
  }

  async order(orderId: string): Promise<OrderRow | undefined> {
    return (await this.#row(orderStore.name, orderId)) as OrderRow | undefined
  }

  async product(productId: string): Promise<ProductRow | undefined> {
    return (await this.#row(productStore.name, productId)) as ProductRow | undefined
  }

  async history(orderId: string): Promise<OrderHistory | undefined> {
    return (await this.#find(`${orderPath(orderId)}/history`)) as OrderHistory | undefined
  }

  async status(): Promise<ShopStatus> {
    return (await this.#api.call('/api/status')) as ShopStatus
  }

  async summary(): Promise<ShopSummary> {
    return (await this.#api.call('/api/summary')) as ShopSummary
  }

  async eraseCustomer(customerId: string): Promise<number> {
    const path = `/api/customers/${encodeURIComponent(customerId)}/personal-data`
    const { keys } = (await this.#api.call(path, { method: 'DELETE' })) as { readonly keys: number }
    return keys
  }

  async storeGetAll(store: string, key: string, bounds: RowBounds = {}): Promise<StoreRows> {
    if (['', '.', '..'].includes(key)) {
      throw new CommandError(`the key '${key}' cannot be part of a URL: ask for a range of keys`)
    }
    const rows = `/api/stores/${encodeURIComponent(store)}/rows`
    const query = String(queryOf(bounds))
    const path = `${rows}/${encodeURIComponent(key)}${query === '' ? '' : `?${query}`}`
    const answer = (await this.#find(path)) as StoreRows | undefined
    return { rows: answer?.rows ?? [] }
  }

  async storeRange(store: string, range: RangeRequest): Promise<StoreRows> {
    const query = queryOf(range)
    query.set('limit', String(range.limit))
    const path = `/api/stores/${encodeURIComponent(store)}/rows?${query}`
    return (await this.#api.call(path)) as StoreRows
  }

  async #row(store: string, key: string): Promise<unknown> {
    return (await this.storeGetAll(store, key)).rows[0]?.value
  }

  /** As `call`, with undefined for a row or order that is not there. */
  async #find(path: string): Promise<unknown> {
    const response = await this.#api.fetch(path)
    if (response.status !== 404) return this.#api.bodyOf(response, path)
    const { detail = '', type } = (await response.json()) as {
      readonly detail?: string
      readonly type?: string
    }
    // an unknown store is a mistake, an unknown key an answer
    if (type === problemUri(problemKinds.noSuchStore.name)) throw new CommandError(detail)
    return undefined
  }
}

const queryOf = (request: RowBounds & { readonly cursor?: string }): URLSearchParams => {
  const query = new URLSearchParams()
  for (const name of ['from', 'to', 'cursor'] as const) {
    const value = request[name]
    if (value !== undefined) query.set(name, value)
  }
  return query
}

const orderPath = (orderId: string): string => `/api/orders/${encodeURIComponent(orderId)}`
