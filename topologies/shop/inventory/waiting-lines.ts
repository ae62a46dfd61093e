/**
 * The lines that wait for stock of a product: first come, first served.
 *
 * Called by `topology.ts` after every decision about a product, and by tests; pure. The queue is a
 * list linked through the hold rows, whose ends the product knows: joining, leaving from the middle
 * and serving the first cost two rows each, however many wait. 1. A line is held whole or not at
 * all. 2. Nobody overtakes: while the first line needs more than there is, those behind it wait
 * too, and a new reservation joins at the end. 3. After `serveWaiting` the first line needs more
 * than is available, or none waits.
 */

import type { InventoryConfig } from '../shared/config.ts'
import { type StockContext, type StockEmission, replyOf, withLowStock } from './model.ts'
import { availableOf, type HoldRow, type ProductRow } from './stock-row.ts'

export interface QueueInput {
  /** The hold that was decided about, before and after; both absent where none was. */
  readonly before?: HoldRow | undefined
  readonly after?: HoldRow | undefined
  /** Reads a hold of this product as it was before the decision. */
  holdOf(holdId: string): HoldRow | undefined
  readonly causationId: string
}

export interface QueueDecision {
  readonly product: ProductRow
  /** Every hold whose row changed; `after` among them only if it did once more. */
  readonly holds: readonly HoldRow[]
  readonly emissions: readonly StockEmission[]
}

/** Whether `serveWaiting` may have anything to do; else its call would be for nothing. */
export const concernsWaiting = (product: ProductRow, after?: HoldRow): boolean =>
  product.waiting !== undefined || after?.state === 'waiting'

/**
 * Lets a hold join or leave the queue, as the decision says, and serves who can be served.
 *
 * @param product  as decided
 */
export const serveWaiting = (
  product: ProductRow,
  { before, after, holdOf, causationId }: QueueInput,
  context: StockContext,
): QueueDecision => {
  const queue = new WaitingQueue(product, (holdId) =>
    holdId === after?.holdId ? after : holdOf(holdId),
  )
  const wasWaiting = before?.state === 'waiting'
  const isWaiting = after?.state === 'waiting'
  if (isWaiting && !wasWaiting) queue.join(after)
  if (wasWaiting && !isWaiting) queue.leave(before)
  const emissions: StockEmission[] = []
  for (let first = queue.first; first !== undefined; first = queue.first) {
    if (availableOf(queue.product) < first.quantity) break
    const hold = queue.serve(first, context)
    const about = { hold, product: queue.product, causationId, correlationId: hold.orderId }
    emissions.push(replyOf('stock.reserved', about, context))
  }
  if (emissions.length === 0) return { product: queue.product, holds: queue.changed, emissions }
  return { ...withLowStock(queue.product, emissions, causationId, context), holds: queue.changed }
}

/** The queue while it changes. */
class WaitingQueue {
  #product: ProductRow
  readonly #read: (holdId: string) => HoldRow | undefined
  readonly #changed = new Map<string, HoldRow>()

  constructor(product: ProductRow, read: (holdId: string) => HoldRow | undefined) {
    this.#product = product
    this.#read = read
  }

  get product(): ProductRow {
    return this.#product
  }

  get changed(): readonly HoldRow[] {
    return [...this.#changed.values()]
  }

  get first(): HoldRow | undefined {
    const { waiting } = this.#product
    return waiting && this.#holdOf(waiting.firstId)
  }

  join(hold: HoldRow): void {
    const { holdId, quantity } = hold
    const { waiting } = this.#product
    if (waiting === undefined) {
      this.#setWaiting({ firstId: holdId, lastId: holdId, units: quantity })
      return
    }
    const { lastId, units } = waiting
    this.#changed.set(lastId, { ...this.#holdOf(lastId), behindId: holdId })
    this.#changed.set(holdId, { ...hold, aheadId: lastId })
    this.#setWaiting({ ...waiting, lastId: holdId, units: units + quantity })
  }

  /** @param hold  with the links that it had while it waited */
  leave({ aheadId, behindId, quantity }: HoldRow): void {
    const { waiting } = this.#product
    if (waiting === undefined) throw new Error(`${this.#product.productId}: nobody waits`)
    if (aheadId !== undefined) {
      const { behindId: _left, ...ahead } = this.#holdOf(aheadId)
      this.#changed.set(aheadId, behindId === undefined ? ahead : { ...ahead, behindId })
    }
    if (behindId !== undefined) {
      const { aheadId: _left, ...behind } = this.#holdOf(behindId)
      this.#changed.set(behindId, aheadId === undefined ? behind : { ...behind, aheadId })
    }
    const firstId = aheadId === undefined ? behindId : waiting.firstId
    const lastId = behindId === undefined ? aheadId : waiting.lastId
    const units = waiting.units - quantity
    this.#setWaiting(
      firstId === undefined || lastId === undefined ? undefined : { firstId, lastId, units },
    )
  }

  /** @returns the hold, with its stock */
  serve(first: HoldRow, { nowMs, holdMs }: Pick<InventoryConfig, 'holdMs'> & { nowMs: number }) {
    this.leave(first)
    const { aheadId: _ahead, behindId: _behind, ...rest } = first
    const { version, held } = this.#product
    this.#product = { ...this.#product, version: version + 1, held: held + first.quantity }
    const dueMs = nowMs + holdMs
    const hold: HoldRow = {
      ...rest,
      state: 'held',
      version: version + 1,
      dueMs,
      indexedMs: Math.min(first.indexedMs, dueMs),
      heldAtMs: nowMs,
    }
    this.#changed.set(hold.holdId, hold)
    return hold
  }

  #holdOf(holdId: string): HoldRow {
    const hold = this.#changed.get(holdId) ?? this.#read(holdId)
    if (hold === undefined) {
      throw new Error(`${this.#product.productId}: ${holdId} waits without a hold row`)
    }
    return hold
  }

  #setWaiting(waiting: ProductRow['waiting']): void {
    const { waiting: _before, ...product } = this.#product
    this.#product = waiting === undefined ? product : { ...product, waiting }
  }
}
