/**
 * Which rows of a store of time buckets are surely missing, without asking for them.
 *
 * Owned by `JoinState`, which tells it of every row it writes: most records look for partners in
 * buckets where their key never was. 1. Rows that were there before are not known: buckets up to
 * the last that holds a row at the first question, or after a failed commit, say "maybe". 2. What
 * an undone record wrote stays: a needless look-up, no mistake. 3. Buckets share the filter of a
 * segment of time, so that their number does not matter.
 */

import { BloomFilter, hashOf } from '../../state/bloom-filter.ts'
import { msFromOrdered } from '../../state/key-layout.ts'
import type { Slots } from '../../state/slots.ts'

/** Of one task; about a million rows. A segment beyond it says "maybe". */
const bytesMax = 2 * 1024 * 1024
const expectedMin = 256

export interface WrittenRowsOptions {
  /** First character of the slots of rows; `orderedMs` of their bucket follows. */
  readonly kind: string
  /** A multiple of the width of a bucket; a handful of segments should hold all that lives. */
  readonly segmentMs: number
}

export class WrittenRows {
  readonly #slots: Slots
  readonly #kind: string
  readonly #segmentMs: number
  /** Undefined for one that was given up. */
  readonly #segments = new Map<number, BloomFilter | undefined>()
  /** Every row of a segment from here on is in its filter. */
  #completeFromMs = -Infinity
  /** Of the slots, when that was found out. */
  #dropCount = -1
  #bytes = 0

  constructor(slots: Slots, { kind, segmentMs }: WrittenRowsOptions) {
    this.#slots = slots
    this.#kind = kind
    this.#segmentMs = segmentMs
  }

  /**
   * True if the key surely has no row in the bucket.
   *
   * @param slot  the key's
   */
  isMissing(slot: string, bucketStartMs: number): boolean {
    if (this.#dropCount !== this.#slots.dropCount) this.#beginAnew()
    const startMs = this.#segmentOf(bucketStartMs)
    if (startMs < this.#completeFromMs) return false
    if (!this.#segments.has(startMs)) return true
    const filter = this.#segments.get(startMs)
    return filter !== undefined && !filter.has(hashOf(slot, bucketStartMs))
  }

  /** Before or after the row is written, by the same record. */
  add(slot: string, bucketStartMs: number): void {
    const startMs = this.#segmentOf(bucketStartMs)
    let filter = this.#segments.get(startMs)
    if (filter === undefined) {
      if (this.#segments.has(startMs) || startMs < this.#completeFromMs) return
      filter = this.#open(startMs)
    }
    const { bytes } = filter
    filter.add(hashOf(slot, bucketStartMs))
    if (filter.bytes !== bytes) this.#count(filter.bytes - bytes, startMs)
  }

  /** Rows of buckets before it are of no interest any more: they say "maybe". */
  forgetBelow(bucketStartMs: number): void {
    const fromMs = this.#segmentOf(bucketStartMs)
    if (fromMs <= this.#completeFromMs) return
    this.#completeFromMs = fromMs
    for (const [startMs, filter] of this.#segments) {
      if (startMs >= fromMs) continue
      this.#segments.delete(startMs)
      this.#count(-(filter?.bytes ?? 0), startMs)
    }
  }

  #segmentOf(bucketStartMs: number): number {
    return Math.floor(bucketStartMs / this.#segmentMs) * this.#segmentMs
  }

  /** As many rows are expected as the fullest segment has. */
  #open(startMs: number): BloomFilter {
    let expected = expectedMin
    for (const filter of this.#segments.values()) {
      expected = Math.max(expected, filter?.count ?? 0)
    }
    const filter = new BloomFilter(expected)
    this.#segments.set(startMs, filter)
    this.#count(filter.bytes, startMs)
    return filter
  }

  #count(bytes: number, startMs: number): void {
    this.#bytes += bytes
    if (this.#bytes > bytesMax) {
      this.#bytes -= this.#segments.get(startMs)?.bytes ?? 0
      this.#segments.set(startMs, undefined)
    }
    this.#slots.keepsBeside(this.#bytes)
  }

  /** Filters stay: what they hold may be on its way into the engine. */
  #beginAnew(): void {
    const [newest] = this.#slots.keys({ gte: this.#kind, lt: endOf(this.#kind), ...last })
    this.#dropCount = this.#slots.dropCount
    if (newest === undefined) return
    const segmentMs = this.#segmentOf(msFromOrdered(newest, this.#kind.length))
    this.#completeFromMs = Math.max(this.#completeFromMs, segmentMs + this.#segmentMs)
  }
}

const last = { reverse: true, limit: 1 } as const

const endOf = (kind: string): string => String.fromCharCode(kind.charCodeAt(0) + 1)
