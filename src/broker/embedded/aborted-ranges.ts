/**
 * Which offsets of one log belong to aborted transactions: exactly what read_committed skips.
 *
 * Filled when an abort marker is durable, read per batch by `LogReader` and `LogCleaner`.
 * 1. A range is `firstOffset` ≤ offset < `markerOffset` of one producer id; ranges of one
 * producer never overlap and arrive in order. 2. Only decided below the last stable offset.
 */

interface AbortedRange {
  readonly firstOffset: number
  readonly markerOffset: number
}

export class AbortedRanges {
  readonly #byProducer = new Map<number, AbortedRange[]>()

  add(producerId: number, range: AbortedRange): void {
    const ranges = this.#byProducer.get(producerId)
    if (ranges === undefined) this.#byProducer.set(producerId, [range])
    else ranges.push(range)
  }

  /** Cost: O(log ranges of the producer). */
  has(producerId: number, offset: number): boolean {
    const ranges = this.#byProducer.get(producerId)
    if (ranges === undefined) return false
    let low = 0
    let high = ranges.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (ranges[middle]!.markerOffset > offset) high = middle
      else low = middle + 1
    }
    return low < ranges.length && ranges[low]!.firstOffset <= offset
  }

  /** The first offset of all ranges that are open at `offset`, or `offset` itself. */
  firstOpenAt(offset: number): number {
    let first = offset
    for (const ranges of this.#byProducer.values()) {
      for (const { firstOffset, markerOffset } of ranges) {
        if (markerOffset >= offset && firstOffset < first) first = firstOffset
      }
    }
    return first
  }

  /** Forgets ranges whose marker lies below `offset`. @returns their marker offsets */
  forgetBelow(offset: number): number[] {
    const forgotten: number[] = []
    for (const [producerId, ranges] of this.#byProducer) {
      const kept = ranges.filter(({ markerOffset }) => markerOffset >= offset)
      if (kept.length === ranges.length) continue
      for (const { markerOffset } of ranges) if (markerOffset < offset) forgotten.push(markerOffset)
      if (kept.length === 0) this.#byProducer.delete(producerId)
      else this.#byProducer.set(producerId, kept)
    }
    return forgotten
  }
}
