/**
 * Orders this process accepted and may not have processed yet.
 *
 * Used by `order-routes.ts`. Between the 202 and the row in the store an order is known here only:
 * it must not be "not found", it can be cancelled (the log keeps create before cancel), and another
 * body under its id is refused before it is written. Bounded; what was forgotten is still in the
 * log, and the route then waits for the store (see `known` there).
 */

import { RecentMap } from './recent-map.ts'

const remembered = { sizeMax: 20_000, ageMs: 3_600_000 }

/** What is remembered of a body. */
export interface AcceptedBody {
  readonly hash: string
  readonly customerId: string
}

interface AcceptedOrder extends AcceptedBody {
  readonly written: Promise<void>
}

interface Written {
  readonly hash: string
  readonly isNew: boolean
}

export class AcceptedOrders {
  readonly #orders = new RecentMap<AcceptedOrder>(remembered)

  /** Waits for the write of this order; undefined if there is none, or it failed. */
  async find(orderId: string): Promise<AcceptedBody | undefined> {
    const order = this.#orders.get(orderId)
    if (order === undefined) return undefined
    return order.written.then(
      () => order,
      () => undefined,
    )
  }

  /**
   * Writes the order unless this process did already. Of requests that race, one writes.
   *
   * @returns  the hash of the body that was written, and whether that was done now
   * @throws   what `write` threw: the order is not known to be accepted
   */
  async write(orderId: string, body: AcceptedBody, write: () => Promise<void>): Promise<Written> {
    while (this.#orders.get(orderId) !== undefined) {
      const found = await this.find(orderId)
      if (found !== undefined) return { hash: found.hash, isNew: false }
    }
    const order = { ...body, written: write() }
    this.#orders.set(orderId, order)
    try {
      await order.written
    } catch (error) {
      this.#orders.delete(orderId, order)
      throw error
    }
    return { hash: body.hash, isNew: true }
  }
}
