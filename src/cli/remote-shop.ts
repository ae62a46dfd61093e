/**
 * The shop of another process, over its HTTP API.
 *
 * Used when that process holds the state directory. 1. 503 means "not yet": asked again for half a
 * minute. 2. Any other failure is shown with the problem's detail. 3. Commands carry their ids, so
 * asking again is safe.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { type ProductRow } from '../../topologies/shop/inventory/stock-row.ts'
import { type OrderRow } from '../../topologies/shop/orders/order-row.ts'
import {
  type OrderHistory,
  type RangeRequest,
  type RowBounds,
  type ShopAccess,
  type ShopStatus,
  StoreRequestError,
  type StoreRows,
} from '../../topologies/shop/http/shop-access.ts'
import { formatMinor } from '../../topologies/shop/shared/money.ts'
import { type ParsedOrder } from '../../topologies/shop/shared/order-request.ts'
import { type StockRequest } from '../../topologies/shop/shared/stock-request.ts'
import { type ShopSummary } from '../../topologies/shop/shared/summary.ts'
import { orderStore } from '../../topologies/shop/orders/stores.ts'
import { productStore } from '../../topologies/shop/inventory/stores.ts'
import { CommandError } from './failure.ts'

const notReadyRetryMs = 200
const notReadyMs = 30_000

interface Call {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly body?: object
  readonly headers?: Readonly<Record<string, string>>
}

export class RemoteShop implements ShopAccess {
  readonly #address: string

  /** @param address  such as `http://127.0.0.1:4004` */
  constructor(address: string) {
    this.#address = address
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
    await this.#call('/api/orders', { method: 'POST', body })
  }

  async cancelOrder(orderId: string, reason: string): Promise<void> {
    const path = `${orderPath(orderId)}?reason=${encodeURIComponent(reason)}`
    await this.#call(path, { method: 'DELETE' })
  }

  async updateStock(productId: string, request: StockRequest, key: string): Promise<void> {
    const path = `/api/inventory/${encodeURIComponent(productId)}?wait=0`
    await this.#call(path, { method: 'PUT', body: request, headers: { 'idempotency-key': key } })
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
    return (await this.#call('/api/status')) as ShopStatus
  }

  async summary(): Promise<ShopSummary> {
    return (await this.#call('/api/summary')) as ShopSummary
  }

  async storeGetAll(store: string, key: string, bounds: RowBounds = {}): Promise<StoreRows> {
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
    return (await this.#call(path)) as StoreRows
  }

  async #row(store: string, key: string): Promise<unknown> {
    return (await this.storeGetAll(store, key)).rows[0]?.value
  }

  /** As `#call`, with undefined for a row or order that is not there. */
  async #find(path: string): Promise<unknown> {
    const response = await this.#fetch(path, {})
    if (response.status !== 404) return this.#bodyOf(response, path)
    const { detail = '' } = (await response.json()) as { readonly detail?: string }
    // an unknown store is a mistake, an unknown key an answer
    if (detail.startsWith('no store')) throw new CommandError(detail)
    return undefined
  }

  async #call(path: string, call: Call = {}): Promise<unknown> {
    return this.#bodyOf(await this.#fetch(path, call), path)
  }

  async #bodyOf(response: Response, path: string): Promise<unknown> {
    const body: unknown = await response.json()
    if (response.ok) return body
    const { detail = '' } = body as { readonly detail?: string }
    if (response.status === 400 && path.startsWith('/api/stores/'))
      throw new StoreRequestError(detail)
    throw new CommandError(`${this.#address}${path}: ${response.status} ${detail}`)
  }

  async #fetch(path: string, { method = 'GET', body, headers = {} }: Call): Promise<Response> {
    const endMs = performance.now() + notReadyMs
    for (;;) {
      const response = await fetch(this.#address + path, {
        method,
        headers: body === undefined ? headers : { ...headers, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }).catch((error: unknown) => {
        throw new CommandError(`${this.#address} does not answer: ${(error as Error).message}`)
      })
      if (response.status !== 503 || performance.now() > endMs) return response
      await response.body?.cancel()
      await sleep(notReadyRetryMs)
    }
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
