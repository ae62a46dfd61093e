/**
 * Orders that were sent and are not final yet: back-pressure of a load, and its end.
 *
 * 1. Orders end about in the order they were sent, so a look starts at the oldest and stops after
 * some that are still open: its cost follows what ended, not what waits. 2. An order without a
 * row, while nothing waits to be processed, was refused: its command is in the dead letters.
 */

import { isFinal } from '../../topologies/shop/orders/order-row.ts'
import { type ShopAccess } from '../../topologies/shop/http/shop-access.ts'

const openInARowMax = 200
const refusedAfterMs = 2_000

export class OpenOrders {
  readonly #shop: ShopAccess
  /** Order id → when it was sent. */
  readonly #sentAtMs = new Map<string, number>()
  #final = 0
  #refused = 0

  constructor(shop: ShopAccess) {
    this.#shop = shop
  }

  get count(): number {
    return this.#sentAtMs.size
  }

  get final(): number {
    return this.#final
  }

  get refused(): number {
    return this.#refused
  }

  add(orderId: string): void {
    this.#sentAtMs.set(orderId, performance.now())
  }

  /** Forgets orders that ended. */
  async look(): Promise<void> {
    let inARow = 0
    let hasMissing = false
    for (const [orderId, sentAtMs] of this.#sentAtMs) {
      const row = await this.#shop.order(orderId)
      if (row !== undefined && isFinal(row)) {
        this.#sentAtMs.delete(orderId)
        this.#final += 1
        inARow = 0
        continue
      }
      hasMissing ||= row === undefined && performance.now() - sentAtMs > refusedAfterMs
      inARow += 1
      if (inARow === openInARowMax) break
    }
    if (hasMissing) await this.#forgetRefused()
  }

  async #forgetRefused(): Promise<void> {
    const nowMs = performance.now()
    const { isReady, lagRecords } = await this.#shop.status()
    if (!isReady || lagRecords !== 0) return
    for (const [orderId, sentAtMs] of this.#sentAtMs) {
      // those sent since may still be on their way
      if (nowMs - sentAtMs < refusedAfterMs) return
      if ((await this.#shop.order(orderId)) !== undefined) continue
      this.#sentAtMs.delete(orderId)
      this.#refused += 1
    }
  }
}
