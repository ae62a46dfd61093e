/**
 * The index of unmatched rows of a join, read ahead of time.
 *
 * Owned by `JoinState`, whose slots hold the index. Each look for rows that are over used to open
 * a cursor, and to pass the remains of the many rows that were matched meanwhile: a quarter of the
 * CPU of a join. So a page of the index is kept, and its rows are asked for one by one.
 * 1. What is kept are candidates, in order: whether one is still there is asked when its turn
 * comes. 2. The page knows of every row that came into its range since it was read: `added`.
 * 3. After an undone record it is read anew: that may have taken rows away, or read them away.
 */

import { orderedMs } from '../../state/key-layout.ts'
import type { Slots } from '../../state/slots.ts'

/** Read at once at first; pages grow while one look needs more. */
const pageRowsMin = 256
const pageRowsMax = 4_096
/** Behind every slot of the index. */
const indexEnd = 'v'

interface Page {
  /** Inclusive. */
  readonly from: string
  /** Inclusive. */
  readonly to: string
  readonly slots: string[]
  readonly undoCount: number
}

export class UnmatchedIndex {
  readonly #slots: Slots
  #page: Page | undefined

  constructor(slots: Slots) {
    this.#slots = slots
  }

  /**
   * The rows that are there, in order; they may be taken away, but none added, between two of them.
   *
   * @param lowestMs  none is older
   */
  *from(lowestMs: number): Generator<string> {
    let from = `u${orderedMs(lowestMs)}`
    for (let limit = pageRowsMin; ; limit = Math.min(limit * 4, pageRowsMax)) {
      const kept = this.#kept(from)
      const { slots, to } = kept ?? this.#read(from, limit)
      for (let i = firstAtLeast(slots, from); i < slots.length; i++) {
        const slot = slots[i]!
        if (this.#slots.get(slot) !== undefined) yield slot
      }
      // rows may have come behind what was read before
      if (kept === undefined && slots.length < limit) return
      from = `${to}\0`
    }
  }

  /** A row was added to the index. */
  added(slot: string): void {
    const page = this.#page
    if (page === undefined || slot < page.from || slot > page.to) return
    const { slots } = page
    const at = firstAtLeast(slots, slot)
    if (slots[at] !== slot) slots.splice(at, 0, slot)
  }

  #kept(from: string): Page | undefined {
    const page = this.#page
    if (page === undefined || page.undoCount !== this.#slots.undoCount) return undefined
    return page.from <= from && from <= page.to ? page : undefined
  }

  #read(from: string, limit: number): Page {
    const slots = [...this.#slots.keys({ gte: from, lt: indexEnd, limit })]
    const { undoCount } = this.#slots
    return (this.#page = { from, to: slots.at(-1) ?? from, slots, undoCount })
  }
}

/** Index of the first slot that is not below. */
const firstAtLeast = (slots: readonly string[], wanted: string): number => {
  let [low, high] = [0, slots.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (slots[middle]! < wanted) low = middle + 1
    else high = middle
  }
  return low
}
