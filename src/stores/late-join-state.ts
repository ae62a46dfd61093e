/**
 * A join that takes late records, step by step as Kafka Streams does.
 *
 * ```
 *   visible       later than the highest time of the row's own side − before − after − grace
 *   over          stream time > its time + after (right side: before) + grace
 * ```
 * 1. A late record meets whatever the other side still holds, even rows reported as alone before.
 * 2. A record without a partner whose window ended before it came is reported at once, without
 * grace. 3. Others are reported while a record is processed that is not older than any before, at
 * most once per `reportIntervalMs` of the wall clock. 4. Kafka Streams looks for them only once
 * `minMs` would be over if it were of that record's side; `minMs` is the row at which the last look
 * ended (at open rows of both sides, else at the newest), or an older one that came since. So most
 * are reported later than they are over, and a look that finds nothing uses up the interval too.
 * 5. Rows that are not visible are deleted a bucket at a time.
 */

import { orderedMs, msFromOrdered } from '../../state/key-layout.ts'
import type { Slots } from '../../state/slots.ts'
import { type AnyRow, type AnySides, type JoinTimes, noTimes, timesSlot } from './join-rows.ts'
import { type JoinArrival, type JoinMoment, JoinState, type Unmatched } from './join-state.ts'
import { aheadMs, type JoinWindow, type Side } from './join-window.ts'

const nothing: readonly never[] = []

export class LateJoinState<K> extends JoinState<K> {
  constructor(slots: Slots, window: JoinWindow<K>) {
    super(slots, window, { deletesBuckets: false })
  }

  override isLate(): boolean {
    return false
  }

  override add(arrival: JoinArrival<K>, moment: JoinMoment): readonly AnyRow[] {
    this.#observe(arrival.side, moment.timestampMs)
    const partners = super.add(arrival, moment)
    const waits = arrival.isKept && partners.length === 0 && !this.isAlone
    const times = this.#times()
    if (waits && moment.timestampMs < times.minMs) {
      this.slots.put(timesSlot, { ...times, minMs: moment.timestampMs } satisfies JoinTimes)
    }
    return partners
  }

  override expire(side: Side, moment: JoinMoment): Iterable<Unmatched<K>> {
    const { timestampMs, streamTimeMs } = moment
    if (timestampMs !== streamTimeMs) return nothing
    const times = this.#times()
    if (!this.#isDue(side, times.minMs, streamTimeMs)) return nothing
    const { nowMs } = moment
    if (nowMs < times.nextReportMs) return nothing
    const { graceMs, reportIntervalMs, beforeMs, afterMs } = this.window
    const endMs = streamTimeMs - graceMs
    const minMs = this.#lookedUpToMs(endMs)
    const nextReportMs = reportIntervalMs > 0 ? nowMs + reportIntervalMs : -Infinity
    if (minMs !== times.minMs || nextReportMs !== times.nextReportMs) {
      this.slots.put(timesSlot, { ...times, minMs, nextReportMs } satisfies JoinTimes)
    }
    if (minMs === Infinity) return nothing
    return this.takeUnmatched(
      Math.max(0, endMs - Math.min(beforeMs, afterMs)),
      (rowSide, rowMs) => rowMs + aheadMs(rowSide, this.window) < endMs,
      Infinity,
    )
  }

  #lookedUpToMs(endMs: number): number {
    let atMs = Infinity
    let [isLeftOpen, isRightOpen] = [false, false]
    for (const [side, timestampMs] of this.waiting()) {
      atMs = timestampMs
      if (isLeftOpen && isRightOpen) break
      const isOpen = timestampMs + aheadMs(side, this.window) >= endMs
      if (isOpen && side === 'left') isLeftOpen = true
      if (isOpen && side === 'right') isRightOpen = true
    }
    return atMs
  }

  /** Before the first row waits it is always due, as the sum there overflows. */
  #isDue(side: Side, minMs: number, streamTimeMs: number): boolean {
    const spanMs = aheadMs(side, this.window) + this.window.graceMs
    return minMs === Infinity ? spanMs > 0 : minMs + spanMs < streamTimeMs
  }

  protected override visibleFromMs(side: Side): number {
    const { leftMaxMs, rightMaxMs } = this.#times()
    return (side === 'left' ? leftMaxMs : rightMaxMs) - this.#retentionMs + 1
  }

  protected override isOverAtOnce(windowEndMs: number, streamTimeMs: number): boolean {
    return windowEndMs < streamTimeMs
  }

  protected override afterReport(row: AnyRow): AnyRow {
    return { ...row, matched: true }
  }

  get #retentionMs(): number {
    const { beforeMs, afterMs, graceMs } = this.window
    return beforeMs + afterMs + graceMs
  }

  #observe(side: Side, timestampMs: number): void {
    const times = this.#times()
    const maxMs = side === 'left' ? times.leftMaxMs : times.rightMaxMs
    if (timestampMs <= maxMs) return
    const moved: JoinTimes =
      side === 'left' ? { ...times, leftMaxMs: timestampMs } : { ...times, rightMaxMs: timestampMs }
    const visibleMs = timestampMs - this.#retentionMs
    const endMs = this.bucketStartMs(Math.max(0, visibleMs))
    const isDue = endMs > times.trimmedToMs && this.bounds().bucketLowestMs < endMs
    this.slots.put(timesSlot, isDue ? { ...moved, trimmedToMs: endMs } : moved)
    if (isDue) this.#trim(endMs)
  }

  /** Forgets rows before `endMs` that nobody sees and nothing is to be reported of. */
  #trim(endMs: number): void {
    const visibleMs = { left: this.visibleFromMs('left'), right: this.visibleFromMs('right') }
    const { unmatchedLowestMs, bucketLowestMs } = this.bounds()
    const range = { gte: `r${orderedMs(bucketLowestMs)}`, lt: `r${orderedMs(endMs)}` }
    let lowestMs = endMs
    for (const [place, stored] of this.slots.scan(range)) {
      const { left, right } = stored as AnySides
      const kept: AnySides = {
        left: left.filter((row) => row.timestampMs >= visibleMs.left || !row.matched),
        right: right.filter((row) => row.timestampMs >= visibleMs.right || !row.matched),
      }
      const keptCount = kept.left.length + kept.right.length
      if (keptCount < left.length + right.length) this.putSides(place, kept)
      if (keptCount > 0) lowestMs = Math.min(lowestMs, msFromOrdered(place, 1))
    }
    this.forgetBelow(lowestMs)
    this.putBounds({ unmatchedLowestMs, bucketLowestMs: lowestMs, deletedTo: '' })
  }

  #times(): JoinTimes {
    return (this.slots.get(timesSlot) as JoinTimes | undefined) ?? noTimes
  }
}
