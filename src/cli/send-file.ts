/**
 * Sends the orders of a file to a shop, here or in another process.
 *
 * Used by `load`. 1. What the file sells is stocked first: an order's reservation follows the
 * stock in the same partition, so it cannot overtake it. 2. Orders that are there already are not
 * sent again; if one is, the shop drops it. 3. No more than `openMax` orders are under way.
 * 4. A malformed line costs nothing but itself, and so does another order under an id in use.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { OrderInUseError, type ShopAccess } from '../../topologies/shop/http/shop-access.ts'
import { shopNamespace, uuidV5 } from '../../topologies/shop/shared/ids.ts'
import { createHashOf } from '../../topologies/shop/shared/order-request.ts'
import type { FileNeeds, LoadFile, NumberedLine } from './load-file.ts'
import type { LoadRejects } from './load-rejects.ts'
import { OpenOrders, otherOrderReason, type Refusal, type SentOrder } from './open-orders.ts'
import { ProgressBar } from './progress-bar.ts'

const lookEveryMs = 50
const writesMax = 500
const shownRefusalsMax = 20

export interface SendOptions {
  readonly shop: ShopAccess
  readonly file: LoadFile
  /** Of this file, as a first pass found them. */
  readonly needs: FileNeeds
  readonly rejects: LoadRejects
  readonly withStock: boolean
  readonly ratePerSec: number
  /** Orders under way at most. */
  readonly openMax: number
  readonly isStopped: () => boolean
}

export interface SendReport {
  readonly lines: number
  readonly sent: number
  /** Known from an earlier load, or from an earlier line with the same id and body. */
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
  #lines = 0
  #sent = 0
  #alreadyThere = 0
  #malformed = 0

  constructor(options: SendOptions) {
    this.#options = options
    this.open = new OpenOrders(options.shop, (refusal) => this.#tell(refusal))
  }

  /** @throws what stopped the sending; all that was sent before is under way */
  async send(): Promise<SendReport> {
    const { file, needs, rejects, isStopped } = this.#options
    if (this.#options.withStock) await this.#stock(needs.units)
    const bar = new ProgressBar(process.stderr, `load ${file.name}`, needs.lines)
    const startedMs = performance.now()
    try {
      for await (const line of file.lines()) {
        if (isStopped()) break
        this.#lines += 1
        if (line.parsed.ok) await this.#place(line.number, line.parsed, startedMs)
        else {
          this.#malformed += 1
          await rejects.add(line, line.parsed.reason)
        }
        bar.update(this.#lines)
      }
      await Promise.all(this.#writes)
      if (this.#failure !== undefined) throw this.#failure
    } finally {
      bar.end()
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
    const load = uuidV5(shopNamespace, `load:${file.name}`)
    for (const [productId, quantity] of units) {
      const key = `load:${load}:${quantity}`
      pending.push(
        shop.updateStock(productId, { operation: 'ADD', quantity, reason: 'RESTOCK' }, key),
      )
      if (pending.length === writesMax) await Promise.all(pending.splice(0))
    }
    await Promise.all(pending)
  }

  async #place(
    lineNumber: number,
    { orderId, order }: Extract<NumberedLine['parsed'], { ok: true }>,
    startedMs: number,
  ): Promise<void> {
    const { shop, ratePerSec } = this.#options
    if (this.#failure !== undefined) throw this.#failure
    await this.#keepBounds()
    const hash = createHashOf(orderId, order)
    const rowHashes = await shop.createHashes(orderId, order)
    const sent = { hash, rowHashes, lineNumber }
    const known = await this.#known(orderId, sent)
    if (known?.isSame === false) {
      const { reason } = known
      this.open.refuse({ orderId, lineNumber, reason })
      return
    }
    if (this.open.find(orderId) === undefined) this.open.add(orderId, sent)
    if (known?.isSame === true) {
      this.#alreadyThere += 1
      return
    }
    const write = shop.placeOrder(orderId, order).then(
      () => void (known === undefined ? (this.#sent += 1) : (this.#alreadyThere += 1)),
      (error: unknown) => this.#notPlaced(error, { orderId, lineNumber }),
    )
    this.#writes.add(write)
    void write.finally(() => this.#writes.delete(write))
    const aheadMs =
      ((this.#sent + this.#writes.size) / ratePerSec) * 1000 - (performance.now() - startedMs)
    if (aheadMs > 1) await sleep(aheadMs)
  }

  #notPlaced(error: unknown, order: Omit<Refusal, 'reason'>): void {
    if (!(error instanceof OrderInUseError)) this.#failure ??= error
    else this.open.refuseSent({ ...order, reason: otherOrderReason })
  }

  /** The body that has this id already: whether it is this one, if that can be known here. */
  async #known(
    orderId: string,
    { hash, rowHashes }: SentOrder,
  ): Promise<{ readonly isSame: boolean | undefined; readonly reason: string } | undefined> {
    const open = this.open.find(orderId)
    if (open !== undefined) {
      const reason = `line ${open.lineNumber} is another order with its id`
      return { isSame: open.hash === hash, reason }
    }
    const row = await this.#options.shop.order(orderId)
    return row && { isSame: rowHashes?.includes(row.createHash), reason: otherOrderReason }
  }

  #tell({ orderId, lineNumber, reason }: Refusal): void {
    if (this.open.refused > shownRefusalsMax) return
    const { path } = this.#options.file
    process.stderr.write(`${path}:${lineNumber}: refused, order ${orderId}: ${reason}\n`)
    if (this.open.refused === shownRefusalsMax) process.stderr.write('more refusals are counted\n')
  }

  async #keepBounds(): Promise<void> {
    while (this.#writes.size >= writesMax) await Promise.race(this.#writes)
    while (this.open.count >= this.#options.openMax && !this.#options.isStopped()) {
      await this.open.look()
      if (this.open.count >= this.#options.openMax) await sleep(lookEveryMs)
    }
  }
}
