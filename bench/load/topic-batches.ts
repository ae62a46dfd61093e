/** Input records by the topic and partition they go to: what a producer takes at once. */

import { partitionOf } from '../../src/broker/partitioner.ts'
import type { ProduceBatch, ProduceRecord } from '../../src/broker/port.ts'
import { noHeaders } from '../../src/record.ts'
import type { InputRecord } from './workload-data.ts'

export class TopicBatches {
  readonly #topics: readonly string[]
  readonly #partitions: number
  #batches: ProduceRecord[][][] = []
  #count = 0

  /** @param topics  by the number of the input */
  constructor(topics: readonly string[], partitions: number) {
    this.#topics = topics
    this.#partitions = partitions
    this.take()
  }

  get count(): number {
    return this.#count
  }

  add({ input, key, value, timestampMs, partition }: InputRecord): void {
    const at = partition ?? partitionOf(key, this.#partitions)
    this.#batches[input]![at]!.push({ key, value, timestampMs, headers: noHeaders })
    this.#count += 1
  }

  /** Hands over what is there and begins anew. */
  take(): readonly ProduceBatch[] {
    const taken = this.#batches.flatMap((batches, input) =>
      batches.flatMap((records, partition) =>
        records.length === 0 ? [] : [{ topic: this.#topics[input]!, partition, records }],
      ),
    )
    this.#count = 0
    this.#batches = this.#topics.map(() => Array.from({ length: this.#partitions }, () => []))
    return taken
  }
}
