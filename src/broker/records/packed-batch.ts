/**
 * What goes to one partition, packed: both adapters take the bytes over as they are.
 *
 * Made when a generation is sealed. Several tasks may have packed records for one partition.
 */

import type { ProduceBatch, ProduceRecord } from '../port.ts'
import type { PackedRecords } from './packed-records.ts'

/** What a topic takes. */
export interface PackedLimits {
  readonly maxMessageBytes: number
  readonly isCompacted: boolean
}

export class PackedBatch implements ProduceBatch {
  readonly topic: string
  readonly partition: number
  readonly parts: PackedRecords[]
  #records: readonly ProduceRecord[] | undefined

  constructor(topic: string, partition: number, parts: PackedRecords[]) {
    this.topic = topic
    this.partition = partition
    this.parts = parts
  }

  /** Taken apart at the first touch; add no more parts after it. */
  get records(): readonly ProduceRecord[] {
    return (this.#records ??= this.parts.flatMap((part) => part.records()))
  }

  /** As `PackedRecords.release`. */
  release(): void {
    for (const part of this.parts) part.release()
  }
}

/**
 * True if what was packed is surely taken, whole segments and each record; timestamps were checked
 * when it was packed. False means that the records must be looked at.
 */
export const isWithin = (
  batch: ProduceBatch,
  { maxMessageBytes, isCompacted }: PackedLimits,
): batch is PackedBatch =>
  batch instanceof PackedBatch
  && batch.parts.length > 0
  && batch.parts.every(
    ({ recordCount, largestSegmentBytes, hasNullKey }) =>
      recordCount > 0 && largestSegmentBytes <= maxMessageBytes && !(isCompacted && hasNullKey),
  )
