/**
 * Undecoded records of one topic-partition, in offset order; some at the head are decoded.
 *
 * Filled by the fetch loop, emptied by the task. 1. Offsets only rise; a batch that starts below
 * the end of the last one is a bug and asserted. 2. `position` is what a commit may say: the
 * offset of the next record to process, or past everything fetched (markers included) when empty.
 * 3. The head stays until `pop`, so that a failed record can be tried again.
 */

import type { RawBatch, RawRecord, RecordCursor } from '../broker/port.ts'

/** Decoded at once; few enough to die young, enough to make the call cheap. */
const decodedAtOnce = 256

export class RecordQueue {
  readonly topic: string
  readonly partition: number
  readonly #copies: boolean
  /** Finished ones are left empty: their buffers are large. */
  #batches: (RawBatch | undefined)[] = []
  #batch = 0
  /** Of the batch at the head; undefined if all its records are decoded already. */
  #cursor: RecordCursor | undefined
  #decoded: readonly RawRecord[] = []
  #record = 0
  #head: RawRecord | undefined
  /** Of the batch at the head. */
  #baseOffset = 0
  /** Records of the head batch that were not popped. */
  #left = 0
  #fetchedTo: bigint
  #lastStableOffset: bigint | undefined
  #recordCount = 0
  #sizeBytes = 0

  /**
   * @param position  where processing starts: committed, or the start of the log
   * @param copies  nothing decoded shares memory with its bytes: finished batches are released
   */
  constructor(topic: string, partition: number, position: bigint, copies = false) {
    this.topic = topic
    this.partition = partition
    this.#copies = copies
    this.#fetchedTo = position
  }

  enqueue(batch: RawBatch): void {
    const count = countOf(batch)
    const start = count === 0 ? batch.nextOffset : firstOffsetOf(batch)
    if (start < this.#fetchedTo) {
      throw new Error(`${this.topic}-${this.partition}: fetched ${start} after ${this.#fetchedTo}`)
    }
    this.#fetchedTo = batch.nextOffset
    this.#lastStableOffset = batch.lastStableOffset
    if (count === 0) return
    this.#batches.push(batch)
    this.#recordCount += count
    this.#sizeBytes += batch.sizeBytes
    if (this.#head === undefined) this.#open(batch)
  }

  get recordCount(): number {
    return this.#recordCount
  }

  /** Bytes of every batch that is not finished. */
  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** Where the next fetch starts. */
  get fetchedTo(): bigint {
    return this.#fetchedTo
  }

  get position(): bigint {
    const head = this.#head
    if (head === undefined) return this.#fetchedTo
    return this.#batches[this.#batch]!.baseOffset + BigInt(head.offsetDelta)
  }

  /** Offset of the record that `peek` shows, as a number. */
  get headOffset(): number {
    return this.#baseOffset + this.#head!.offsetDelta
  }

  /** True if committed records are known to wait at the broker, or nothing is known yet. */
  get lagsBehindBroker(): boolean {
    return this.#lastStableOffset === undefined || this.#fetchedTo < this.#lastStableOffset
  }

  /** Offsets between here and the last stable one: records, and markers among them. */
  get lag(): number {
    if (this.#lastStableOffset === undefined) return this.#recordCount
    const ahead = this.#lastStableOffset - this.position
    return ahead > 0n ? Number(ahead) : 0
  }

  /**
   * The next records, head first, at most `count`, as far as they are decoded.
   *
   * The queue stays as it is.
   */
  ahead(count: number): readonly RawRecord[] {
    const found = this.#decoded.slice(this.#record, this.#record + count)
    if (this.#cursor !== undefined) return found
    for (let i = this.#batch + 1; i < this.#batches.length && found.length < count; i++) {
      const batch = this.#batches[i]!
      if (batch.recordCount !== undefined) break
      found.push(...batch.records.slice(0, count - found.length))
    }
    return found
  }

  peek(): RawRecord | undefined {
    return this.#head
  }

  pop(): void {
    this.#recordCount -= 1
    this.#left -= 1
    this.#record += 1
    if (this.#left === 0) return this.#nextBatch()
    if (this.#record === this.#decoded.length) this.#decode()
    this.#head = this.#decoded[this.#record]
  }

  #nextBatch(): void {
    const finished = this.#batches[this.#batch]!
    this.#sizeBytes -= finished.sizeBytes
    if (this.#copies) finished.release?.()
    this.#batches[this.#batch] = undefined
    this.#batch += 1
    if (this.#batch >= 32 || this.#batch >= this.#batches.length) {
      this.#batches = this.#batches.slice(this.#batch) // rarely: shift() per batch would be O(n)
      this.#batch = 0
    }
    const next = this.#batches[this.#batch]
    if (next !== undefined) return this.#open(next)
    this.#cursor = undefined
    this.#decoded = []
    this.#head = undefined
  }

  #open(batch: RawBatch): void {
    this.#left = countOf(batch)
    this.#baseOffset = Number(batch.baseOffset)
    this.#cursor = batch.recordCount === undefined ? undefined : batch.cursor?.()
    if (this.#cursor === undefined) {
      this.#decoded = batch.records
      this.#record = 0
    } else this.#decode()
    this.#head = this.#decoded[0]
  }

  #decode(): void {
    this.#decoded = this.#cursor?.next(decodedAtOnce) ?? []
    this.#record = 0
    if (this.#decoded.length > 0) return
    throw new Error(
      `${this.topic}-${this.partition}: a batch holds ${this.#left} records less than it says`,
    )
  }
}

// not destructured: a touch of `records` may decode all of them
const countOf = (batch: RawBatch): number => batch.recordCount ?? batch.records.length

/** Exact for decoded records; else the batch's base, which is not above it. */
const firstOffsetOf = (batch: RawBatch): bigint => {
  const { baseOffset, recordCount } = batch
  return recordCount === undefined ? baseOffset + BigInt(batch.records[0]!.offsetDelta) : baseOffset
}
