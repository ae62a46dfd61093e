/**
 * The log of one partition: where it ends, what is stable, and how records get in.
 *
 * Appended to by `EmbeddedProducer` and `TransactionCoordinator`, read by `LogReader`, shortened
 * by `LogCleaner` and `purge`. 1. Offsets are given at the call of append, in order; records are
 * visible (high watermark, tail, last stable offset) when their journal group is durable. A group
 * that fails leaves a gap, as compaction does. 2. lastStableOffset = first offset of the oldest
 * open transaction, else the high watermark. 3. Every movement is told to the listeners. 4. The
 * first append of a start notes where its leader epoch begins.
 */

import type { PartitionOffsets, ProduceBatch, TopicConfig } from '../port.ts'
import { AbortedRanges } from './aborted-ranges.ts'
import { encodeBatch } from './batch-codec.ts'
import type { Journal } from './journal.ts'
import { type LogCache, LogTail } from './log-cache.ts'
import { type LogRow, logRows } from './log-rows.ts'
import {
  abortedKey,
  batchKey,
  encodeAborted,
  encodeCount,
  encodeJson,
  epochKey,
  type PartitionRow,
  partitionKey,
} from './rows.ts'
import { type BatchHeader, batchKinds, type StoredBatch } from './stored-batch.ts'

/** A log counts as read for this long after a fetch; only then its tail is cached. */
const followedForMs = 10_000

export interface ProducerIdentity {
  readonly producerId: number
  readonly producerEpoch: number
}

export const noIdentity: ProducerIdentity = { producerId: -1, producerEpoch: 0 }

export interface PartitionLogOptions {
  readonly logId: number
  readonly topic: string
  readonly partition: number
  readonly config: TopicConfig
  readonly leaderEpoch: number
  readonly journal: Journal
  readonly cache: LogCache
  /** What an earlier start left; absent for a new log. */
  readonly recovered?: PartitionRow & {
    readonly endOffset: number
    readonly epochs: readonly LeaderEpoch[]
  }
}

export interface LeaderEpoch {
  readonly leaderEpoch: number
  /** Where the log ended when this epoch began. */
  readonly startOffset: number
}

export interface AppendedRange {
  readonly baseOffset: number
  readonly nextOffset: number
}

export class PartitionLog {
  readonly logId: number
  readonly topic: string
  readonly partition: number
  /** Replaced when the topic's settings change. */
  config: TopicConfig
  readonly leaderEpoch: number
  readonly tail = new LogTail()
  readonly aborted = new AbortedRanges()
  readonly listeners = new Set<() => void>()
  logStartOffset: number
  highWatermark: number
  lastStableOffset: number
  cleanedUntilOffset: number
  cleanRecordCount: number
  isDeleted = false
  readonly #journal: Journal
  readonly #cache: LogCache
  #nextOffset: number
  #followedUntilMs = -1
  /** Of earlier starts that wrote here, in order. */
  readonly #earlierEpochs: readonly LeaderEpoch[]
  readonly #epochStartOffset: number
  #isEpochNoted = false
  /** Producer id → first offset of its open transaction here. */
  readonly #openTransactions = new Map<number, number>()

  constructor(options: PartitionLogOptions) {
    const { recovered } = options
    this.logId = options.logId
    this.topic = options.topic
    this.partition = options.partition
    this.config = options.config
    this.leaderEpoch = options.leaderEpoch
    this.#journal = options.journal
    this.#cache = options.cache
    this.logStartOffset = recovered?.logStartOffset ?? 0
    this.cleanedUntilOffset = recovered?.cleanedUntilOffset ?? 0
    this.cleanRecordCount = recovered?.cleanRecordCount ?? 0
    this.#nextOffset = recovered?.endOffset ?? 0
    this.#earlierEpochs = recovered?.epochs ?? []
    this.#epochStartOffset = this.#nextOffset
    this.highWatermark = this.#nextOffset
    this.lastStableOffset = this.#nextOffset
  }

  get isCompacted(): boolean {
    return this.config.cleanupPolicy !== 'delete'
  }

  offsets(): PartitionOffsets {
    return {
      logStartOffset: BigInt(this.logStartOffset),
      lastStableOffset: BigInt(this.lastStableOffset),
      highWatermark: BigInt(this.highWatermark),
      leaderEpoch: this.leaderEpoch,
    }
  }

  /**
   * Where the log ended when a later epoch than this one began; the end if there is none. What was
   * open then and was aborted since does not count: nobody can have seen it as committed, unless
   * the decision was in what the log lost.
   */
  epochEndOffset(leaderEpoch: number): number {
    if (this.leaderEpoch <= leaderEpoch) return this.highWatermark
    const later = this.#earlierEpochs.find((epoch) => epoch.leaderEpoch > leaderEpoch)
    return this.aborted.firstOpenAt(later?.startOffset ?? this.#epochStartOffset)
  }

  /** A fetch asked here: from now on the tail is worth keeping for a while. */
  follow(nowMs: number): void {
    this.#followedUntilMs = nowMs + followedForMs
  }

  /**
   * Adds records, already checked against the limits; durable when the journal says so.
   *
   * Keys, values and headers are kept by reference: nobody may write into them afterwards.
   */
  append(batch: ProduceBatch, identity: ProducerIdentity, nowMs: number): AppendedRange {
    const baseOffset = this.#nextOffset
    const isFollowed = nowMs < this.#followedUntilMs
    for (const row of logRows(batch)) this.#appendRow(row, identity, isFollowed)
    return { baseOffset, nextOffset: this.#nextOffset }
  }

  /**
   * Ends a transaction here. The marker takes an offset.
   *
   * @param firstOffset  of the transaction in this log
   */
  appendMarker(
    kind: typeof batchKinds.commit | typeof batchKinds.abort,
    identity: ProducerIdentity,
    firstOffset: number,
    nowMs: number,
  ): void {
    const { producerId } = identity
    const offset = this.#nextOffset
    this.#nextOffset += 1
    const header: BatchHeader = {
      kind,
      transactional: true,
      ...identity,
      baseOffset: offset,
      lastOffset: offset,
      maxTimestampMs: nowMs,
      cleanedAtMs: 0,
      sizeBytes: 0,
      recordCount: 0,
    }
    this.#noteEpoch()
    this.#journal.put(batchKey(this.logId, offset), encodeBatch(header, []))
    if (kind === batchKinds.abort) {
      this.#journal.put(abortedKey(this.logId, offset), encodeAborted(producerId, firstOffset))
    }
    this.#journal.onDurable(() => {
      this.#openTransactions.delete(producerId)
      if (kind === batchKinds.abort) {
        this.aborted.add(producerId, { firstOffset, markerOffset: offset })
      }
      const kept = { ...header, decodedCount: 0, records: [] }
      this.#grown(header, this.tail.isEmpty ? undefined : kept)
    })
  }

  /** At start: a transaction that the last run left open holds the last stable offset back. */
  recoverOpenTransaction(producerId: number, firstOffset: number): void {
    this.#openTransactions.set(producerId, firstOffset)
    this.#updateStableOffset()
  }

  /** Records below are gone for readers at once; their rows go at the next maintenance. */
  raiseLogStart(offset: number): void {
    if (offset <= this.logStartOffset) return
    this.logStartOffset = Math.min(offset, this.highWatermark)
    this.savePartitionRow()
    this.#tellListeners()
  }

  savePartitionRow(): void {
    const { logStartOffset, highWatermark, cleanedUntilOffset, cleanRecordCount } = this
    const row: PartitionRow = {
      logStartOffset,
      highWatermark,
      cleanedUntilOffset,
      cleanRecordCount,
    }
    this.#journal.put(partitionKey(this.logId), encodeJson(row))
  }

  /** Rows were rewritten: what is cached may hold records that are gone. */
  dropTail(): void {
    this.#cache.drop(this.tail)
  }

  markDeleted(): void {
    this.isDeleted = true
    this.dropTail()
    this.#tellListeners()
  }

  #appendRow(row: LogRow, identity: ProducerIdentity, isFollowed: boolean): void {
    const baseOffset = this.#nextOffset
    const { recordCount, sizeBytes, maxTimestampMs } = row
    this.#nextOffset += recordCount
    const header: BatchHeader = {
      kind: batchKinds.data,
      transactional: identity.producerId >= 0,
      ...identity,
      baseOffset,
      lastOffset: this.#nextOffset - 1,
      maxTimestampMs,
      cleanedAtMs: 0,
      sizeBytes,
      recordCount,
    }
    this.#noteEpoch()
    this.#journal.put(batchKey(this.logId, header.lastOffset), row.encode(header))
    const kept = isFollowed ? row.kept(header) : undefined
    this.#journal.onDurable(() => {
      const { producerId } = identity
      if (producerId >= 0 && !this.#openTransactions.has(producerId)) {
        this.#openTransactions.set(producerId, baseOffset)
      }
      this.#grown(header, kept)
    })
  }

  #noteEpoch(): void {
    if (this.#isEpochNoted) return
    const key = epochKey(this.logId, this.leaderEpoch)
    this.#journal.put(key, encodeCount(this.#epochStartOffset))
    this.#journal.onDurable(() => {
      this.#isEpochNoted = true
    })
  }

  #grown({ lastOffset }: BatchHeader, kept: StoredBatch | undefined): void {
    if (this.isDeleted) return
    this.highWatermark = lastOffset + 1
    if (kept === undefined) this.#cache.drop(this.tail)
    else this.#cache.add(this.tail, kept)
    this.#updateStableOffset()
    this.#tellListeners()
  }

  #updateStableOffset(): void {
    let stable = this.highWatermark
    for (const firstOffset of this.#openTransactions.values()) {
      if (firstOffset < stable) stable = firstOffset
    }
    this.lastStableOffset = stable
  }

  #tellListeners(): void {
    for (const listener of this.listeners) listener()
  }
}
