/**
 * Tails of the logs in memory, so that a reader near the end costs no disk, and no decoding of
 * records that never were packed.
 *
 * Filled by `PartitionLog` when a batch is durable, read by `LogReader`. One byte budget over all
 * partitions; the oldest batch of all goes first. 1. A tail is gapless up to the log's end: once
 * a batch is left out, the batches before it are dropped. 2. Only logs that somebody reads are
 * cached, since most changelogs are written and never fetched, and kept objects cost the garbage
 * collector more than the encoding.
 */

import type { StoredBatch } from './stored-batch.ts'

/** What a record costs beside its bytes: the object, two typed arrays. */
const recordOverheadBytes = 200

export class LogTail {
  /** Those before the head are undefined: what was given up must not be kept alive. */
  #batches: (StoredBatch | undefined)[] = []
  #head = 0

  get isEmpty(): boolean {
    return this.#head === this.#batches.length
  }

  get first(): StoredBatch | undefined {
    return this.#batches[this.#head]
  }

  get count(): number {
    return this.#batches.length - this.#head
  }

  /** The batch at this place, the oldest being 0. */
  at(index: number): StoredBatch | undefined {
    return this.#batches[this.#head + index]
  }

  /** Place of the first batch that ends at or behind `offset`; `count` if there is none. */
  placeOf(offset: number): number {
    let low = this.#head
    let high = this.#batches.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#batches[middle]!.lastOffset >= offset) high = middle
      else low = middle + 1
    }
    return low - this.#head
  }

  push(batch: StoredBatch): void {
    this.#batches.push(batch)
  }

  shift(): void {
    this.#batches[this.#head] = undefined
    this.#head += 1
    if (this.#head < 64 || this.#head * 2 < this.#batches.length) return
    this.#batches = this.#batches.slice(this.#head)
    this.#head = 0
  }

  clear(): void {
    this.#batches = []
    this.#head = 0
  }
}

interface Entry {
  readonly tail: LogTail
  readonly batch: StoredBatch
}

export class LogCache {
  readonly #bytesMax: number
  /** Those before the head are undefined, as in a tail. */
  #entries: (Entry | undefined)[] = []
  #head = 0
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get bytes(): number {
    return this.#bytes
  }

  add(tail: LogTail, batch: StoredBatch): void {
    tail.push(batch)
    this.#entries.push({ tail, batch })
    this.#bytes += costOf(batch)
    while (this.#bytes > this.#bytesMax) this.#evictOldest()
  }

  drop(tail: LogTail): void {
    if (tail.isEmpty) return
    for (let i = 0; i < tail.count; i++) this.#bytes -= costOf(tail.at(i)!)
    tail.clear()
    this.#entries = this.#entries.slice(this.#head).filter((entry) => entry?.tail !== tail)
    this.#head = 0
  }

  #evictOldest(): void {
    const { tail, batch } = this.#entries[this.#head]!
    this.#entries[this.#head] = undefined
    this.#head += 1
    if (this.#head > 1024 && this.#head * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head)
      this.#head = 0
    }
    tail.shift() // a tail's oldest batch is its oldest entry
    this.#bytes -= costOf(batch)
  }
}

const costOf = ({ sizeBytes, decodedCount }: StoredBatch): number =>
  sizeBytes + (decodedCount + 1) * recordOverheadBytes
