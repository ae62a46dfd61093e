/**
 * Orders that were sent and are not final yet: back-pressure of a load, and its end.
 *
 * 1. Orders end about in the order they were sent, so a look starts at the oldest and stops after
 * some that are still open: its cost follows what ended, not what waits. 2. An order without a
 * row, while nothing waits to be processed, was refused: its command is in the dead letters. 3. A
 * row that was made by another body was refused too: the id belongs to that order.
 */

import { isFinal } from '../../topologies/shop/orders/order-row.ts'
import type { ShopAccess } from '../../topologies/shop/http/shop-access.ts'

const openInARowMax = 200
const refusedAfterMs = 2_000

export const otherOrderReason = 'another order has its id, and stands'

export interface SentOrder {
  /** Of the body as it was given. */
  readonly hash: string
  /** What the order's row may keep of it; absent: placing it told. */
  readonly rowHashes: readonly string[] | undefined
  /** In the file. */
  readonly lineNumber: number
}

export interface Refusal {
  readonly orderId: string
  readonly lineNumber: number
  readonly reason: string
}

export class OpenOrders {
  readonly #shop: ShopAccess
  readonly #onRefused: (refusal: Refusal) => void
  readonly #open = new Map<string, SentOrder & { readonly sentAtMs: number }>()
  #final = 0
  #refused = 0

  constructor(shop: ShopAccess, onRefused: (refusal: Refusal) => void) {
    this.#shop = shop
    this.#onRefused = onRefused
  }

  get count(): number {
    return this.#open.size
  }

  get final(): number {
    return this.#final
  }

  get refused(): number {
    return this.#refused
  }

  add(orderId: string, order: SentOrder): void {
    this.#open.set(orderId, { ...order, sentAtMs: performance.now() })
  }

  /** What was sent under this id and is not known to have ended. */
  find(orderId: string): SentOrder | undefined {
    return this.#open.get(orderId)
  }

  /** Counts and tells an order that the shop does not take. */
  refuse(refusal: Refusal): void {
    this.#refused += 1
    this.#onRefused(refusal)
  }

  /** As `refuse`, of an order that was sent and is not open any more. */
  refuseSent(refusal: Refusal): void {
    this.#open.delete(refusal.orderId)
    this.refuse(refusal)
  }

  /** Forgets orders that ended. */
  async look(): Promise<void> {
    let inARow = 0
    let hasMissing = false
    for (const [orderId, { rowHashes, lineNumber, sentAtMs }] of this.#open) {
      const row = await this.#shop.order(orderId)
      const isOther = row !== undefined && rowHashes?.includes(row.createHash) === false
      if (row !== undefined && (isOther || isFinal(row))) {
        this.#open.delete(orderId)
        if (isOther) this.refuse({ orderId, lineNumber, reason: otherOrderReason })
        else this.#final += 1
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
    for (const [orderId, { lineNumber, sentAtMs }] of this.#open) {
      // those sent since may still be on their way
      if (nowMs - sentAtMs < refusedAfterMs) return
      if ((await this.#shop.order(orderId)) !== undefined) continue
      this.#open.delete(orderId)
      this.refuse({
        orderId,
        lineNumber,
        reason: 'the shop took it for none: see the dead letters',
      })
    }
  }
}
