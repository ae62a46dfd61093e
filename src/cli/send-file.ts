/**
 * Sends the orders of a file to a shop, here or in another process.
 *
 * Used by `load`. 1. What the file sells is stocked first: an order's reservation follows the
 * stock in the same partition, so it cannot overtake it. 2. Orders that are there already are not
 * sent again; if one is, the shop drops it. 3. No more than `openMax` orders are under way.
 * 4. A malformed line costs nothing but itself.
 */

import { createWriteStream, type WriteStream } from 'node:fs'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ShopAccess } from '../../topologies/shop/http/shop-access.ts'
import { type LoadFile, type NumberedLine } from './load-file.ts'
import { OpenOrders } from './open-orders.ts'
import { ProgressBar } from './progress-bar.ts'

const lookEveryMs = 50
const writesMax = 500
const shownRejectsMax = 20

export interface SendOptions {
  readonly shop: ShopAccess
  readonly file: LoadFile
  readonly rejectsPath: string
  readonly withStock: boolean
  readonly ratePerSec: number
  /** Orders under way at most. */
  readonly openMax: number
  readonly isStopped: () => boolean
}

export interface SendReport {
  readonly lines: number
  readonly sent: number
  /** Found in the shop from an earlier load of the same file. */
  readonly alreadyThere: number
  readonly malformed: number
  /** Whether every line was read. */
  readonly isComplete: boolean
}

export class FileSender {
  readonly open: OpenOrders
  readonly #options: SendOptions
  readonly #writes = new Set<Promise<void>>()
  #failure: unknown
  #rejects: WriteStream | undefined
  #lines = 0
  #sent = 0
  #alreadyThere = 0
  #malformed = 0

  constructor(options: SendOptions) {
    this.#options = options
    this.open = new OpenOrders(options.shop)
  }

  /** @throws what stopped the sending; all that was sent before is under way */
  async send(): Promise<SendReport> {
    const { file, isStopped } = this.#options
    const needs = await file.needs()
    if (this.#options.withStock) await this.#stock(needs.units)
    const bar = new ProgressBar(process.stderr, `load ${file.name}`, needs.lines)
    const startedMs = performance.now()
    try {
      for await (const line of file.lines()) {
        if (isStopped()) break
        this.#lines += 1
        if (line.parsed.ok) await this.#place(line.parsed, startedMs)
        else await this.#reject(line, line.parsed.reason)
        bar.update(this.#lines)
      }
      await Promise.all(this.#writes)
      if (this.#failure !== undefined) throw this.#failure
    } finally {
      bar.end()
      await this.#closeRejects()
    }
    return {
      lines: this.#lines,
      sent: this.#sent,
      alreadyThere: this.#alreadyThere,
      malformed: this.#malformed,
      isComplete: this.#lines === needs.lines,
    }
  }

  async #stock(units: ReadonlyMap<string, number>): Promise<void> {
    const { shop, file } = this.#options
    const pending: Promise<void>[] = []
    for (const [productId, quantity] of units) {
      const key = `load:${file.name}:${quantity}`
      pending.push(
        shop.updateStock(productId, { operation: 'ADD', quantity, reason: 'RESTOCK' }, key),
      )
      if (pending.length === writesMax) await Promise.all(pending.splice(0))
    }
    await Promise.all(pending)
  }

  async #place(
    { orderId, order }: Extract<NumberedLine['parsed'], { ok: true }>,
    startedMs: number,
  ): Promise<void> {
    const { shop, ratePerSec } = this.#options
    if (this.#failure !== undefined) throw this.#failure
    await this.#keepBounds()
    this.open.add(orderId)
    if ((await shop.order(orderId)) !== undefined) {
      this.#alreadyThere += 1
      return
    }
    const write = shop.placeOrder(orderId, order).then(
      () => void (this.#sent += 1),
      (error: unknown) => void (this.#failure ??= error),
    )
    this.#writes.add(write)
    void write.finally(() => this.#writes.delete(write))
    const aheadMs =
      ((this.#sent + this.#writes.size) / ratePerSec) * 1000 - (performance.now() - startedMs)
    if (aheadMs > 1) await sleep(aheadMs)
  }

  async #keepBounds(): Promise<void> {
    while (this.#writes.size >= writesMax) await Promise.race(this.#writes)
    while (this.open.count >= this.#options.openMax && !this.#options.isStopped()) {
      await this.open.look()
      if (this.open.count >= this.#options.openMax) await sleep(lookEveryMs)
    }
  }

  async #reject({ number, text }: NumberedLine, reason: string): Promise<void> {
    const { file, rejectsPath } = this.#options
    this.#malformed += 1
    if (this.#malformed <= shownRejectsMax) {
      process.stderr.write(`${file.path}:${number}: ${reason}\n`)
    }
    this.#rejects ??= createWriteStream(rejectsPath)
    if (!this.#rejects.write(`${text}\n`)) await once(this.#rejects, 'drain')
  }

  async #closeRejects(): Promise<void> {
    if (this.#rejects === undefined) return
    const more = this.#malformed - shownRejectsMax
    if (more > 0) process.stderr.write(`and ${more} more malformed lines\n`)
    process.stderr.write(`malformed lines are in ${this.#options.rejectsPath}\n`)
    this.#rejects.end()
    await once(this.#rejects, 'close')
  }
}
