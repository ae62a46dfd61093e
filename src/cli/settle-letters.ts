/**
 * Replays or discards page after page, no faster than a rate, until all or until it is stopped.
 *
 * Used by `millrace dlq replay` and `discard`. 1. Each page is one transaction of the desk: between
 * two pages nothing is open. 2. What was done before a failure or a stop stays done; the same
 * command again goes on with the rest.
 */

import type {
  DeadLetterAccess,
  SettledCount,
  SettleReport,
  SettleRequest,
} from '../dlq/dead-letter-access.ts'

const pageMax = 500

export interface SettleOptions {
  readonly access: DeadLetterAccess
  readonly request: Omit<SettleRequest, 'cursor' | 'limit'>
  /** Letters per second at most. */
  readonly ratePerSec: number
  /** Resolves when no further page is wanted. */
  readonly stopped: Promise<void>
  onProgress?(settled: number): void
}

export interface SettleSum {
  readonly settled: readonly SettledCount[]
  readonly total: number
  readonly refused: SettleReport['refused']
  readonly isComplete: boolean
}

export class SettleRun {
  readonly #options: SettleOptions
  readonly #counts = new Map<string, SettledCount>()
  readonly #refused: SettleReport['refused'][number][] = []
  readonly #startedMs = performance.now()
  #total = 0
  #isStopped = false
  #isComplete = false

  constructor(options: SettleOptions) {
    this.#options = options
    void options.stopped.then(() => (this.#isStopped = true))
  }

  /** Also after a failure: what was done before it. */
  get sum(): SettleSum {
    return {
      settled: [...this.#counts.values()],
      total: this.#total,
      refused: this.#refused,
      isComplete: this.#isComplete,
    }
  }

  /** @throws what `DeadLetterAccess.settle` throws */
  async run(): Promise<SettleSum> {
    const { ids } = this.#options.request.selection
    if (ids === undefined) await this.#runPages()
    else await this.#runIds(ids)
    return this.sum
  }

  async #runPages(): Promise<void> {
    let cursor: string | undefined
    do {
      const report = await this.#page(cursor === undefined ? {} : { cursor })
      cursor = report.next
      await this.#pause(cursor === undefined)
    } while (cursor !== undefined && !this.#isStopped)
    this.#isComplete = cursor === undefined
  }

  async #runIds(ids: readonly string[]): Promise<void> {
    const limit = this.#limit
    let at = 0
    while (at < ids.length && !this.#isStopped) {
      const { selection } = this.#options.request
      await this.#page({ selection: { ...selection, ids: ids.slice(at, at + limit) } })
      at += limit
      await this.#pause(at >= ids.length)
    }
    this.#isComplete = at >= ids.length
  }

  async #page(more: Partial<Pick<SettleRequest, 'cursor' | 'selection'>>): Promise<SettleReport> {
    const { access, request, onProgress } = this.#options
    const report = await access.settle({ ...request, ...more, limit: this.#limit })
    for (const { topic, class: failureClass, count } of report.settled) {
      const name = `${failureClass} ${topic}`
      const before = this.#counts.get(name)?.count ?? 0
      this.#counts.set(name, { topic, class: failureClass, count: before + count })
      this.#total += count
    }
    this.#refused.push(...report.refused)
    onProgress?.(this.#total)
    return report
  }

  /** A second's worth at most, so that a rate is kept evenly. */
  get #limit(): number {
    if (this.#options.request.isDryRun) return pageMax
    return Math.max(1, Math.min(pageMax, Math.ceil(this.#options.ratePerSec)))
  }

  async #pause(isLast: boolean): Promise<void> {
    const { ratePerSec, request, stopped } = this.#options
    if (isLast || request.isDryRun) return
    const aheadMs = (this.#total / ratePerSec) * 1_000 - (performance.now() - this.#startedMs)
    if (aheadMs < 1) return
    const over = Promise.withResolvers<void>()
    const timer = setTimeout(over.resolve, aheadMs)
    await Promise.race([over.promise, stopped])
    clearTimeout(timer)
  }
}
