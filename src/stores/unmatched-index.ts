/**
 * The unmatched rows of a join in order of time, read ahead.
 *
 * Owned by `JoinState`. The store holds a mark for each, written with its row when a generation is
 * sealed, so most rows, which meet their partner before, cost none. What has no mark yet is kept
 * here: rows that came since the generation before was applied. A cursor per look would pass the
 * remains of the many marks that were deleted, so a page of them is kept.
 * 1. What is kept are candidates, in order: whether one still waits is asked when its turn comes.
 * 2. The page knows of every row that came into its range since it was read: `added`. 3. After an
 * undone record it is read anew: that may have matched rows, or read them away.
 */

import type { Slots } from '../../state/slots.ts'
import { marksEnd, msOfMark, unmatchedMark } from './join-marks.ts'
import type { Side } from './join-window.ts'

/** Read at once at first; pages grow while one look needs more. */
const pageRowsMin = 256
const pageRowsMax = 4_096
/** Rows read at once, of marks whose turn is near. */
const rowsAhead = 32

interface Page {
  /** Inclusive. */
  readonly from: string
  /** Inclusive. */
  readonly to: string
  readonly marks: string[]
  /** No mark lay behind it. */
  readonly isLast: boolean
  readonly undoCount: number
  /** Rows were read ahead up to this mark. */
  aheadTo: string
}

/** The rows behind the marks. */
export interface MarkedRows {
  /** True if the row of a mark is there and unmatched. */
  isWaiting(mark: string): boolean
  /** A hint: it will be asked of these. */
  prefetch(marks: readonly string[]): void
}

/** Rows of one generation, side by side: an object for each would outlive its youth. */
class Recent {
  readonly #timesMs: number[] = []
  readonly #sides: Side[] = []
  readonly #keys: string[] = []

  add(timestampMs: number, side: Side, slot: string): void {
    this.#timesMs.push(timestampMs)
    this.#sides.push(side)
    this.#keys.push(slot)
  }

  marksFrom(fromMs: number, toMs: number): string[] {
    const marks: string[] = []
    for (let i = 0; i < this.#timesMs.length; i++) {
      const timeMs = this.#timesMs[i]!
      if (timeMs < fromMs || timeMs > toMs) continue
      marks.push(unmatchedMark(timeMs, this.#sides[i]!, this.#keys[i]!))
    }
    return marks
  }
}

export class UnmatchedIndex {
  readonly #slots: Slots
  readonly #rows: MarkedRows
  #page: Page | undefined
  /** Of the generation being processed. */
  #recent = new Recent()
  /** Of the one before: its marks may not be in the store yet. */
  #sealed = new Recent()
  #generation = 0

  constructor(slots: Slots, rows: MarkedRows) {
    this.#slots = slots
    this.#rows = rows
  }

  /**
   * The marks of rows that wait, in order; rows may be matched, but none added, between two.
   *
   * @param lowestMs  none is older
   */
  *from(lowestMs: number): Generator<string> {
    let from = unmatchedMark(lowestMs, 'right', '')
    for (let limit = pageRowsMin; ; limit = Math.min(limit * 4, pageRowsMax)) {
      const kept = this.#kept(from)
      const page = kept ?? this.#read(from, limit)
      const { marks, to, isLast } = page
      for (let i = firstAtLeast(marks, from); i < marks.length; i++) {
        const mark = marks[i]!
        if (mark > page.aheadTo) this.#readAhead(page, i)
        if (this.#rows.isWaiting(mark)) yield mark
      }
      // rows may have come behind what was read before
      if (kept === undefined && isLast) return
      from = `${to}\0`
    }
  }

  #readAhead(page: Page, start: number): void {
    const marks = page.marks.slice(start, start + rowsAhead)
    page.aheadTo = marks.at(-1)!
    try {
      this.#rows.prefetch(marks)
    } catch {
      // a hint: a row that cannot be read fails the record whose turn it is
    }
  }

  /** A row was stored that waits. */
  added(timestampMs: number, side: Side, slot: string): void {
    this.#follow()
    this.#recent.add(timestampMs, side, slot)
    const page = this.#page
    if (page === undefined || timestampMs > msOfMark(page.to)) return
    const mark = unmatchedMark(timestampMs, side, slot)
    if (mark < page.from || mark > page.to) return
    const at = firstAtLeast(page.marks, mark)
    if (page.marks[at] !== mark) page.marks.splice(at, 0, mark)
  }

  /** A generation is sealed only once the one before is in the store. */
  #follow(): void {
    const generation = this.#slots.sealCount
    if (generation === this.#generation) return
    this.#sealed = generation === this.#generation + 1 ? this.#recent : new Recent()
    this.#recent = new Recent()
    this.#generation = generation
  }

  #kept(from: string): Page | undefined {
    const page = this.#page
    if (page === undefined || page.undoCount !== this.#slots.undoCount) return undefined
    return page.from <= from && from <= page.to ? page : undefined
  }

  #read(from: string, limit: number): Page {
    this.#follow()
    const stored = this.#slots.keys({ gte: from, lt: marksEnd, limit })
    const isLast = stored.length < limit
    const end = isLast ? marksEnd : stored.at(-1)!
    const [fromMs, toMs] = [msOfMark(from), isLast ? Infinity : msOfMark(end)]
    const recent = [this.#sealed, this.#recent].flatMap((rows) => rows.marksFrom(fromMs, toMs))
    const inRange = recent.filter((mark) => mark >= from && mark <= end)
    const marks = [...new Set([...stored, ...inRange])]
    if (inRange.length > 0) marks.sort()
    const { undoCount } = this.#slots
    const to = marks.at(-1) ?? from
    return (this.#page = { from, to, marks, isLast, undoCount, aheadTo: '' })
  }
}

/** Index of the first mark that is not below. */
const firstAtLeast = (marks: readonly string[], wanted: string): number => {
  let [low, high] = [0, marks.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (marks[middle]! < wanted) low = middle + 1
    else high = middle
  }
  return low
}
