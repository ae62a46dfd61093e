/**
 * Tells when orders change: one look for all who wait, however many they are.
 *
 * Used by the stream of an order and by `?wait`. Looks at every watched order after each commit of
 * this instance, and every `lookEveryMs`, since an order may live at another one; but at most once
 * per ms and watched order. 1. Whoever waits gets the newest version, not each: between two looks
 * there may be several. 2. At rest, with nobody waiting, nothing runs.
 */

import type { OrderRow } from '../orders/order-row.ts'
import type { KnownOrder } from './known-order.ts'
import { withRow } from './known-row.ts'
import type { Found } from './shop-access.ts'
import { unlessMoving } from './unless-moving.ts'

const lookEveryMs = 250
/** The longest that looks are held back, however many orders are watched. */
const gapMsMax = 50

export interface OrderSight {
  findOrder(orderId: string): Promise<Found<OrderRow>>
  /** Calls back after each commit of this instance; @returns what ends that */
  onCommit(listener: () => void): () => void
}

export interface NextOrder {
  readonly orderId: string
  /** That is known: only a later one is told. */
  readonly version: number
  readonly waitMs: number
  /** Ends the waiting early. */
  readonly signal?: AbortSignal
}

interface Waiter {
  readonly version: number
  settle(order: KnownOrder | undefined): void
  fail(error: unknown): void
}

export class OrderWatch {
  readonly #sight: OrderSight
  readonly #waiters = new Map<string, Set<Waiter>>()
  readonly #nudge = new Nudge()
  #isLooking = false

  constructor(sight: OrderSight) {
    this.#sight = sight
  }

  /**
   * The order once it has a later version; undefined if it has none within the time.
   *
   * @throws what `findOrder` does, but not while the order's partition moves: then it waits
   */
  async next({ orderId, version, waitMs, signal }: NextOrder): Promise<KnownOrder | undefined> {
    if (waitMs <= 0 || signal?.aborted === true) return undefined
    const { promise, resolve, reject } = Promise.withResolvers<KnownOrder | undefined>()
    const waiter = { version, settle: resolve, fail: reject }
    const giveUp = (): void => resolve(undefined)
    const timer = setTimeout(giveUp, waitMs)
    signal?.addEventListener('abort', giveUp)
    this.#add(orderId, waiter)
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', giveUp)
      this.#remove(orderId, waiter)
    }
  }

  #add(orderId: string, waiter: Waiter): void {
    const waiters = this.#waiters.get(orderId)
    if (waiters === undefined) this.#waiters.set(orderId, new Set([waiter]))
    else waiters.add(waiter)
    this.#nudge.give()
    if (!this.#isLooking) void this.#look()
  }

  #remove(orderId: string, waiter: Waiter): void {
    const waiters = this.#waiters.get(orderId)
    waiters?.delete(waiter)
    if (waiters?.size === 0) this.#waiters.delete(orderId)
  }

  /** Until nobody waits. */
  async #look(): Promise<void> {
    this.#isLooking = true
    const stop = this.#sight.onCommit(() => this.#nudge.give())
    try {
      while (this.#waiters.size > 0) {
        const gapMs = Math.min(gapMsMax, this.#waiters.size)
        await Promise.all([...this.#waiters].map(([orderId, who]) => this.#lookAt(orderId, who)))
        await this.#nudge.wait(gapMs)
      }
    } finally {
      stop()
      this.#isLooking = false
    }
  }

  async #lookAt(orderId: string, waiters: ReadonlySet<Waiter>): Promise<void> {
    try {
      const found = await unlessMoving(this.#sight.findOrder(orderId))
      const order = found && withRow(found)
      if (order === undefined) return
      for (const { version, settle } of waiters) if (order.row.version > version) settle(order)
    } catch (error) {
      for (const { fail } of waiters) fail(error)
    }
  }
}

/** Wakes one who waits, at once or when it next waits. */
class Nudge {
  #isGiven = false
  #wake: (() => void) | undefined

  give(): void {
    this.#isGiven = true
    this.#wake?.()
  }

  /** @param gapMs  sleeps that long in any case */
  async wait(gapMs: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, gapMs))
    if (!this.#isGiven) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, lookEveryMs - gapMs)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    this.#wake = undefined
    this.#isGiven = false
  }
}
