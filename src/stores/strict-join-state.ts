/**
 * A join that drops late records: each row is joined or reported as alone, never both.
 *
 * ```
 *   a row lives until  stream time > its time + after (right side: before) + grace
 *   kept from = stream time − after − grace, rounded down to a step (≤ 1 s, a 64th of the span)
 * ```
 * 1. A row below `kept from` is dead: it meets nobody any more and, if it is unmatched, is handed
 * out once. 2. Rows are reported up to one step late, never early; a partner that is at most
 * `graceMs` late is found. 3. A window that lies in the past altogether (`afterMs` below 0) lives
 * as if it ended with the row itself, else every row would be late.
 */

import { orderedMs, msFromOrdered } from '../../state/key-layout.ts'
import type { Slots } from '../../state/slots.ts'
import { expiredMax, type JoinMoment, JoinState, type Unmatched } from './join-state.ts'
import { aheadMs, type JoinWindow, type Side } from './join-window.ts'

const stepMsMax = 1_000
const nothing: readonly never[] = []

export class StrictJoinState<K> extends JoinState<K> {
  readonly #retainMs: Readonly<Record<Side, number>>
  readonly #stepMs: number

  constructor(slots: Slots, window: JoinWindow<K>) {
    super(slots, window, { deletesBuckets: true })
    const retainMs = (side: Side): number => Math.max(0, aheadMs(side, window)) + window.graceMs
    this.#retainMs = { left: retainMs('left'), right: retainMs('right') }
    const longestMs = Math.max(this.#retainMs.left, this.#retainMs.right)
    this.#stepMs = Math.min(stepMsMax, Math.max(1, Math.floor(longestMs / 64)))
  }

  override isLate(side: Side, { timestampMs, streamTimeMs }: JoinMoment): boolean {
    return timestampMs + this.#retainOf(side) < streamTimeMs
  }

  override expire(_side: Side, { streamTimeMs }: JoinMoment): Iterable<Unmatched<K>> {
    const leftFromMs = this.visibleFromMs('left', streamTimeMs)
    const rightFromMs = this.visibleFromMs('right', streamTimeMs)
    const { unmatchedLowestMs, bucketLowestMs } = this.bounds()
    const untilMs = Math.max(leftFromMs, rightFromMs)
    if (unmatchedLowestMs < untilMs) {
      const isOver = (side: Side, timestampMs: number): boolean =>
        timestampMs < (side === 'left' ? leftFromMs : rightFromMs)
      const due = this.takeUnmatched(untilMs, isOver, expiredMax)
      if (due.length > 0) return due
    }
    const deadMs = Math.min(leftFromMs, rightFromMs)
    if (bucketLowestMs + this.bucketMs <= deadMs) this.#deleteBuckets(deadMs)
    return nothing
  }

  protected override visibleFromMs(side: Side, streamTimeMs: number): number {
    return Math.floor((streamTimeMs - this.#retainOf(side)) / this.#stepMs) * this.#stepMs
  }

  #retainOf(side: Side): number {
    return side === 'left' ? this.#retainMs.left : this.#retainMs.right
  }

  protected override isOverAtOnce(): boolean {
    return false
  }

  protected override afterReport(): undefined {
    return undefined
  }

  /**
   * Whole buckets below the first that may hold a living row; their rows are reported.
   *
   * It goes on where it stopped: deleted rows are slow to pass over.
   */
  #deleteBuckets(deadMs: number): void {
    const { unmatchedLowestMs, bucketLowestMs, deletedTo } = this.bounds()
    const endMs = this.bucketStartMs(deadMs)
    if (deletedTo === '' && this.#deleteListed(bucketLowestMs, endMs)) return
    const gte = deletedTo === '' ? `r${orderedMs(bucketLowestMs)}` : deletedTo
    const dead = this.slots.deleteFirst({ gte, lt: `r${orderedMs(endMs)}`, limit: expiredMax })
    const last = dead.length < expiredMax ? undefined : dead[expiredMax - 1]!
    this.forgetBelow(last === undefined ? endMs : msFromOrdered(last, 1))
    this.putBounds({
      unmatchedLowestMs,
      bucketLowestMs: last === undefined ? endMs : msFromOrdered(last, 1),
      deletedTo: last === undefined ? '' : `${last}\0`,
    })
  }

  /** @returns false if the rows of the first bucket are not known */
  #deleteListed(startMs: number, endMs: number): boolean {
    const dead: string[] = []
    let atMs = startMs
    while (atMs < endMs) {
      const places = this.takeDead(atMs, expiredMax - dead.length)
      if (places === undefined) break
      dead.push(...places)
      if (dead.length === expiredMax) break // of this bucket there may be more
      atMs += this.bucketMs
    }
    if (dead.length > 0) this.slots.deleteAll(dead)
    if (atMs > startMs) {
      this.forgetBelow(atMs)
      this.putBounds({ ...this.bounds(), bucketLowestMs: atMs })
    }
    return atMs > startMs || dead.length > 0
  }
}
