/**
 * Generated customers: stocks the shelves, then places orders at a steady rate until stopped.
 *
 * Used by `dev`. 1. The orders are a function of the seed; their ids are new at each start. 2. A
 * late timer catches up, but never by more than a second's worth. 3. Shelves that run low are
 * filled again, so that the shop can run for days.
 */

import type { ShopAccess } from '../../topologies/shop/http/shop-access.ts'
import { type Catalogue, musicCatalogue } from '../../topologies/shop/load/catalogue.ts'
import { type OrderGenerator, orderGenerator } from '../../topologies/shop/load/order-generator.ts'
import { uuidV7 } from '../../topologies/shop/shared/ids.ts'
import { parseOrderRequest } from '../../topologies/shop/shared/order-request.ts'

const tickMs = 25
const restockEveryMs = 5_000

export interface OrderLoadOptions {
  readonly ratePerSec: number
  readonly seed: number
}

export class OrderLoad {
  readonly #shop: ShopAccess
  readonly #options: OrderLoadOptions
  readonly #generator: OrderGenerator
  readonly #catalogue: Catalogue = musicCatalogue
  readonly #timers: ReturnType<typeof setInterval>[] = []
  readonly #writes = new Set<Promise<void>>()
  #credit = 0
  #lastTickMs = 0
  #placed = 0
  #failed = 0

  constructor(shop: ShopAccess, options: OrderLoadOptions) {
    this.#shop = shop
    this.#options = options
    this.#generator = orderGenerator(options.seed, this.#catalogue)
  }

  get placed(): number {
    return this.#placed
  }

  /** Orders whose command could not be written. */
  get failed(): number {
    return this.#failed
  }

  /** Resolves when the first stock is on its way; orders come after it. */
  async start(): Promise<void> {
    await this.#stock(
      ({ initialStock }) => initialStock,
      (productId) => `initial:${productId}`,
    )
    this.#lastTickMs = performance.now()
    this.#timers.push(
      setInterval(() => this.#tick(), tickMs),
      setInterval(() => void this.#restock().catch(() => {}), restockEveryMs),
    )
  }

  /** Waits for the commands that are being written. */
  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    await Promise.all(this.#writes)
  }

  #tick(): void {
    const nowMs = performance.now()
    const { ratePerSec } = this.#options
    this.#credit += ((nowMs - this.#lastTickMs) / 1000) * ratePerSec
    this.#credit = Math.min(this.#credit, Math.max(1, ratePerSec))
    this.#lastTickMs = nowMs
    for (; this.#credit >= 1; this.#credit -= 1) this.#place()
  }

  #place(): void {
    const parsed = parseOrderRequest(this.#generator.next())
    if (!parsed.ok) throw new Error(`generated a bad order: ${JSON.stringify(parsed.problems)}`)
    const write = this.#shop.placeOrder(uuidV7(Date.now()), parsed.value).then(
      () => void (this.#placed += 1),
      () => void (this.#failed += 1),
    )
    this.#writes.add(write)
    void write.finally(() => this.#writes.delete(write))
  }

  async #restock(): Promise<void> {
    const low = new Map<string, number>()
    for (const { productId, initialStock } of this.#catalogue.products) {
      const row = await this.#shop.product(productId)
      if (row !== undefined && row.onHand - row.held < initialStock / 2) {
        low.set(productId, initialStock)
      }
    }
    await this.#stock(
      ({ productId }) => low.get(productId) ?? 0,
      () => uuidV7(Date.now()),
    )
  }

  async #stock(
    unitsOf: (product: Catalogue['products'][number]) => number,
    keyOf: (productId: string) => string,
  ): Promise<void> {
    const updates = this.#catalogue.products
      .filter((product) => unitsOf(product) > 0)
      .map((product) =>
        this.#shop.updateStock(
          product.productId,
          { operation: 'ADD', quantity: unitsOf(product), reason: 'RESTOCK' },
          keyOf(product.productId),
        ),
      )
    await Promise.all(updates)
  }
}
