/**
 * What goes to one partition, packed: the Kafka adapter sends the bytes, others read the records.
 *
 * Made when a generation is sealed. Several tasks may have packed records for one partition.
 */

import { type ProduceBatch, type ProduceRecord } from '../port.ts'
import { type PackedRecords } from './packed-records.ts'

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
}
