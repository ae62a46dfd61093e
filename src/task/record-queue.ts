/**
 * Undecoded records of one topic-partition, in offset order.
 *
 * Filled by the fetch loop, emptied by the task. 1. Offsets only rise; a batch that starts below
 * the end of the last one is a bug and asserted. 2. `position` is what a commit may say: the
 * offset of the next record to process, or past everything fetched (markers included) when empty.
 * 3. The head stays until `pop`, so that a failed record can be tried again.
 */

import { type RawBatch, type RawRecord } from '../broker/port.ts'

export class RecordQueue {
  readonly topic: string
  readonly partition: number
  #batches: RawBatch[] = []
  #batch = 0
  #record = 0
  #fetchedTo: bigint
  #lastStableOffset: bigint | undefined
  #recordCount = 0
  #sizeBytes = 0

  /** @param position  where processing starts: committed, or the start of the log */
  constructor(topic: string, partition: number, position: bigint) {
    this.topic = topic
    this.partition = partition
    this.#fetchedTo = position
  }

  enqueue(batch: RawBatch): void {
    const first = batch.records[0]
    const start =
      first === undefined ? batch.nextOffset : batch.baseOffset + BigInt(first.offsetDelta)
    if (start < this.#fetchedTo) {
      throw new Error(`${this.topic}-${this.partition}: fetched ${start} after ${this.#fetchedTo}`)
    }
    this.#fetchedTo = batch.nextOffset
    this.#lastStableOffset = batch.lastStableOffset
    if (first === undefined) return
    this.#batches.push(batch)
    this.#recordCount += batch.records.length
    this.#sizeBytes += batch.sizeBytes
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
    const batch = this.#batches[this.#batch]
    if (batch === undefined) return this.#fetchedTo
    return batch.baseOffset + BigInt(batch.records[this.#record]!.offsetDelta)
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

  /** The next records, head first, at most `count`; the queue stays as it is. */
  ahead(count: number): readonly RawRecord[] {
    const found: RawRecord[] = []
    let start = this.#record
    for (let i = this.#batch; i < this.#batches.length && found.length < count; i++) {
      const { records } = this.#batches[i]!
      const end = Math.min(records.length, start + count - found.length)
      for (let at = start; at < end; at++) found.push(records[at]!)
      start = 0
    }
    return found
  }

  peek(): RawRecord | undefined {
    return this.#batches[this.#batch]?.records[this.#record]
  }

  pop(): void {
    const batch = this.#batches[this.#batch]!
    this.#record += 1
    this.#recordCount -= 1
    if (this.#record < batch.records.length) return
    this.#record = 0
    this.#batch += 1
    this.#sizeBytes -= batch.sizeBytes
    if (this.#batch < 32 && this.#batch < this.#batches.length) return
    this.#batches = this.#batches.slice(this.#batch) // rarely: shift() per batch would be O(n)
    this.#batch = 0
  }
}
