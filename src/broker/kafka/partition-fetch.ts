/**
 * What a fetcher knows of one partition: the request on its way, the answer not yet told, and the
 * offsets it heard last.
 *
 * Kept by `KafkaFetcher`, filled by `FetchLanes`. 1. An answer counts only if it is that of the
 * newest request. 2. Records stay undecoded until they are told. 3. A topic that was made again
 * under its name is another one: its partitions are never mixed.
 */

import type { Clock } from '../../clock.ts'
import type { BrokerError } from '../errors.ts'
import type { FetchOptions, FetchRequest } from '../port.ts'
import type { Leader } from './cluster.ts'
import { brokerErrorOf, kafkaFailure, noError } from './errors.ts'
import type { FetchedPartition } from './protocol/fetch.ts'
import { type EncodedRecords, nextOffsetOf } from './records/decode.ts'

export type Isolation = FetchOptions['isolation']

export interface HeardOffsets {
  readonly logStartOffset: number
  readonly lastStableOffset: number
  readonly highWatermark: number
  readonly leaderEpoch: number
  readonly askedAtMs: number
}

/** One wire request; compared by identity. */
export interface SentRequest {
  readonly isolation: Isolation
  readonly sentAtMs: number
}

const retryFirstMs = 10
const retryMostMs = 250

export class PartitionFetch {
  readonly topic: string
  readonly partition: number
  offset = -1
  maxBytes = 0
  leader: Leader | undefined
  /** Of the topic that was asked first. */
  topicId: string | undefined
  heard: HeardOffsets | undefined
  /** Answered since the fetch was called. */
  isAnswered = false
  /** Not before; in monotonic ms. */
  retryAtMs = 0
  failure: BrokerError | undefined
  readonly #clock: Clock
  #sent: SentRequest | undefined
  #isolation: Isolation = 'read_committed'
  #answer: EncodedRecords | undefined
  #told: HeardOffsets | undefined
  #failures = 0
  #failingSinceMs = 0

  constructor(clock: Clock, { topic, partition }: FetchRequest) {
    this.#clock = clock
    this.topic = topic
    this.partition = partition
  }

  /** The caller wants to go on from here. What was fetched ahead is kept if it begins there. */
  want({ offset, maxBytes }: FetchRequest, isolation: Isolation): void {
    this.isAnswered = false
    this.maxBytes = maxBytes
    const wanted = Number(offset)
    if (wanted === this.offset && isolation === this.#isolation) return
    this.offset = wanted
    this.#isolation = isolation
    this.#sent = undefined
    this.#answer = undefined
    this.failure = undefined
  }

  get isOnItsWay(): boolean {
    return this.#sent !== undefined
  }

  get isolation(): Isolation {
    return this.#isolation
  }

  /** Something the caller was not told of yet. */
  get hasNews(): boolean {
    const { heard } = this
    if (this.#answer !== undefined) return true
    if (heard === undefined) return false
    const told = this.#told
    return (
      told === undefined
      || heard.highWatermark !== told.highWatermark
      || heard.lastStableOffset !== told.lastStableOffset
    )
  }

  /** Nothing was left to read when it was asked last. */
  get isAtEnd(): boolean {
    const { heard } = this
    if (heard === undefined) return false
    const isCommitted = this.#isolation === 'read_committed'
    return this.offset >= (isCommitted ? heard.lastStableOffset : heard.highWatermark)
  }

  sent(request: SentRequest): void {
    this.#sent = request
  }

  /** Not sent after all: there was no free connection. */
  unsent(request: SentRequest): void {
    if (this.#sent === request) this.#sent = undefined
  }

  answered(request: SentRequest, fetched: FetchedPartition): void {
    if (this.#sent !== request) return
    this.#sent = undefined
    if (fetched.errorCode !== noError) {
      this.#failed(fetched.errorCode)
      return
    }
    this.#failures = 0
    this.isAnswered = true
    const { highWatermark, lastStableOffset, logStartOffset, buffer, end } = fetched
    this.heard = {
      highWatermark,
      lastStableOffset,
      logStartOffset,
      leaderEpoch: this.leader?.leaderEpoch ?? -1,
      askedAtMs: request.sentAtMs,
    }
    const aborted = request.isolation === 'read_committed' ? fetched.aborted : null
    const records = { buffer, start: 0, end, aborted, offset: this.offset }
    if (nextOffsetOf(records) > this.offset) this.#answer = records
  }

  /** The connection was lost, or the leader could not be found. */
  lost(request: SentRequest, error: BrokerError): void {
    if (this.#sent !== request) return
    this.#sent = undefined
    if (error.action === 'retry') this.#retryLater()
    if (error.action !== 'retry') this.failure = error
  }

  /** Failing for so long, in ms. */
  get failingMs(): number {
    return this.#failures === 0 ? 0 : this.#clock.monotonicMs() - this.#failingSinceMs
  }

  /** The caller was told that it fails: whether it still does must be asked anew. */
  failureTold(): void {
    this.#failures = 0
    this.retryAtMs = 0
  }

  /** Undecoded; from now on the next records are wanted. */
  take(): EncodedRecords | undefined {
    const answer = this.#answer
    this.#answer = undefined
    this.#told = this.heard
    if (answer !== undefined) this.offset = nextOffsetOf(answer)
    return answer
  }

  #failed(errorCode: number): void {
    const { topic, partition, offset } = this
    const { handling } = kafkaFailure(errorCode)
    if (handling === 'fail') {
      this.failure = brokerErrorOf(errorCode, `fetch of ${topic}-${partition} at ${offset}`, {
        topic,
        partition,
      })
      return
    }
    this.#retryLater()
  }

  #retryLater(): void {
    const nowMs = this.#clock.monotonicMs()
    if (this.#failures === 0) this.#failingSinceMs = nowMs
    this.#failures += 1
    this.leader = undefined
    this.retryAtMs = nowMs + Math.min(retryMostMs, retryFirstMs * 2 ** this.#failures)
  }
}
