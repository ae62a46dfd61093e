/**
 * Who writes: producer id and epoch, and the next sequence number of each partition.
 *
 * A new epoch is a new identity, whose sequences begin at 0. Kafka drops what it has already got
 * of an identity, so the same bytes may be sent again.
 */

import type { TopicPartition } from '../port.ts'

const sequenceMask = 0x7fff_ffff

export class ProducerIdentity {
  readonly producerId: bigint
  readonly epoch: number
  readonly isTransactional: boolean
  readonly #sequences = new Map<string, number>()

  constructor(producerId: bigint, epoch: number, isTransactional: boolean) {
    this.producerId = producerId
    this.epoch = epoch
    this.isTransactional = isTransactional
  }

  /** @returns the sequence of the first of these records */
  takeSequences({ topic, partition }: TopicPartition, recordCount: number): number {
    const key = `${topic}:${partition}`
    const first = this.#sequences.get(key) ?? 0
    this.#sequences.set(key, (first + recordCount) & sequenceMask)
    return first
  }
}
