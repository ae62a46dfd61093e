/**
 * The batches of one partition that wait to be sent, in order, and the one that is on its way.
 *
 * Kept by `BatchSender`. 1. One batch is on its way at a time, so a retry never overtakes. 2. A
 * batch is sealed when it is first sent; a retry sends the same bytes, which Kafka recognises.
 */

import type { BrokerError } from '../errors.ts'
import type { ProduceBatch, ProducedBatch, TopicPartition } from '../port.ts'
import type { Leader } from './cluster.ts'
import type { ProducerIdentity } from './producer-identity.ts'
import type { EncodedBatch } from './records/encode.ts'

/** What one caller sent to one partition: one batch or more. */
export class QueuedSend {
  readonly batch: ProduceBatch
  readonly settled: Promise<ProducedBatch>
  readonly #resolve: (produced: ProducedBatch) => void
  readonly #reject: (error: BrokerError) => void
  #unanswered: number
  #baseOffset = -1n
  #dropped: BrokerError | undefined
  failure: BrokerError | undefined

  constructor(batch: ProduceBatch, encodedCount: number) {
    this.batch = batch
    this.#unanswered = encodedCount
    const { promise, resolve, reject } = Promise.withResolvers<ProducedBatch>()
    this.settled = promise
    this.#resolve = resolve
    this.#reject = reject
    // whoever sent it hears of all its partitions together
    promise.catch(() => {})
  }

  acknowledged(baseOffset: bigint, recordCount: number, leaderEpoch: number): void {
    if (this.#baseOffset < 0n) this.#baseOffset = baseOffset
    this.#unanswered -= 1
    if (this.#dropped !== undefined) return this.fail(this.#dropped)
    if (this.#unanswered > 0) return
    const { topic, partition } = this.batch
    this.#resolve({
      topic,
      partition,
      baseOffset: this.#baseOffset,
      nextOffset: baseOffset + BigInt(recordCount),
      leaderEpoch,
    })
  }

  /** Batches that were not sent will not be; it fails when the one on its way is answered. */
  dropRest(error: BrokerError): void {
    this.#dropped = error
  }

  fail(error: BrokerError): void {
    if (this.failure !== undefined) return
    this.failure = error
    this.#reject(error)
  }
}

export interface QueuedBatch {
  readonly send: QueuedSend
  readonly encoded: EncodedBatch
  readonly identity: () => ProducerIdentity
  /** In monotonic ms. */
  readonly deadlineMs: number
  sealed: Buffer | undefined
  sealedBy: ProducerIdentity | undefined
  attempts: number
  /** An answer was lost: the broker may have it. */
  isUncertain: boolean
}

export class PartitionQueue implements TopicPartition {
  readonly topic: string
  readonly partition: number
  readonly waiting: QueuedBatch[] = []
  leader: Leader | undefined
  isBusy = false
  /** Not before, in monotonic ms. */
  retryAtMs = 0

  constructor({ topic, partition }: TopicPartition) {
    this.topic = topic
    this.partition = partition
  }

  /** The next batch whose caller still wants it. */
  head(): QueuedBatch | undefined {
    while (this.waiting[0]?.send.failure !== undefined) this.waiting.shift()
    return this.waiting[0]
  }
}
