/**
 * What one fetch brought of one partition, checked and filtered, its records still undecoded.
 *
 * Made by `KafkaFetcher`. The cursor decodes as it goes, so that records die young; `records` is
 * for those who want all of them, and decodes them at the first touch.
 */

import type { RawBatch, RawRecord, RecordCursor } from '../port.ts'
import type { HeardOffsets, PartitionFetch } from './partition-fetch.ts'
import type { OpenedRecords } from './records/decode.ts'

export class FetchedBatch implements RawBatch {
  readonly topic: string
  readonly partition: number
  readonly baseOffset: bigint
  readonly nextOffset: bigint
  readonly recordCount: number
  readonly sizeBytes: number
  readonly logStartOffset: bigint
  readonly lastStableOffset: bigint
  readonly highWatermark: bigint
  readonly leaderEpoch: number
  readonly askedAtMs: number
  readonly #opened: OpenedRecords
  #records: readonly RawRecord[] | undefined

  constructor(
    { topic, partition }: Pick<PartitionFetch, 'topic' | 'partition'>,
    heard: HeardOffsets,
    opened: OpenedRecords,
  ) {
    this.topic = topic
    this.partition = partition
    this.baseOffset = BigInt(opened.baseOffset)
    this.nextOffset = BigInt(opened.nextOffset)
    this.recordCount = opened.recordCount
    this.sizeBytes = opened.sizeBytes
    this.logStartOffset = BigInt(heard.logStartOffset)
    this.lastStableOffset = BigInt(heard.lastStableOffset)
    this.highWatermark = BigInt(heard.highWatermark)
    this.leaderEpoch = heard.leaderEpoch
    this.askedAtMs = heard.askedAtMs
    this.#opened = opened
  }

  get records(): readonly RawRecord[] {
    return (this.#records ??= this.cursor().next(this.recordCount))
  }

  cursor(): RecordCursor {
    return this.#opened.cursor()
  }

  /** What was handed out as `records` may be held by anybody. */
  release(): void {
    if (this.#records === undefined) this.#opened.release()
  }
}
