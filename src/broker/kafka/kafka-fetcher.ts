/**
 * Long poll over any number of partitions on any number of leaders, for one consumer loop.
 *
 * Made by `KafkaBroker.fetcher`. 1. Polls stay on their way when the caller is answered without
 * them: their answers are told by a later fetch from the same offsets. 2. While there is more to
 * read, the next requests are sent before the answers are told; at the end of the log they are
 * sent a moment later. 3. A partition asked for the first time is
 * answered at once, and so are first records after a pause. 4. Moved leaders and lost connections
 * are waited out; partitions that can be read are answered meanwhile. 5. High watermarks are as
 * old as `askedAtMs` says.
 */

import { BrokerError } from '../errors.ts'
import type { Fetcher, FetchOptions, FetchRequest, RawBatch } from '../port.ts'
import type { Cluster } from './cluster.ts'
import { FetchedBatch } from './fetched-batch.ts'
import { FetchLanes } from './fetch-lanes.ts'
import { PartitionFetch } from './partition-fetch.ts'
import { noRecords, openRecords } from './records/decode.ts'

export interface KafkaFetcherOptions {
  readonly cluster: Cluster
  /** Unique within the client. */
  readonly name: string
  onClose(fetcher: KafkaFetcher): void
}

/** A poll is on its way for so long at most, so that a moved leader or a new wish is not missed. */
const pollMsMax = 500
/**
 * Between an answer and the next request at the end of the log, in ms. A trickle of records comes
 * in many small batches: asked for one by one they took a sixth of this process's CPU and as much
 * of the broker's. It is the request that waits: an answer that waits grows old.
 */
const paceMs = 3
/** Answers that are due at the end of the wait are waited for a little longer. */
const graceMs = 100

export class KafkaFetcher implements Fetcher {
  readonly #options: KafkaFetcherOptions
  readonly #lanes: FetchLanes
  readonly #partitions = new Map<string, PartitionFetch>()
  #resume: (() => void) | undefined
  #isFetching = false
  /** Not before; in monotonic ms. */
  #sendAtMs = -Infinity
  #isWoken = false
  #isClosed = false

  constructor(options: KafkaFetcherOptions) {
    this.#options = options
    const { cluster, name } = options
    this.#lanes = new FetchLanes({ cluster, name, onChange: () => this.#resume?.() })
  }

  async fetch(
    requests: readonly FetchRequest[],
    options: FetchOptions,
  ): Promise<readonly RawBatch[]> {
    if (this.#isClosed) throw closed()
    if (this.#isFetching) {
      throw new BrokerError('BROKER_INVALID_REQUEST', 'the fetcher has a fetch in flight')
    }
    this.#isFetching = true
    this.#isWoken = false
    try {
      const wanted = requests.map((request) => this.#want(request, options))
      await this.#untilDue(wanted, options)
      return this.#tell(wanted)
    } finally {
      this.#isFetching = false
    }
  }

  wakeUp(): void {
    if (!this.#isFetching) return
    this.#isWoken = true
    this.#resume?.()
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.wakeUp()
    this.#lanes.drop()
    this.#options.onClose(this)
  }

  #want(request: FetchRequest, { isolation }: FetchOptions): PartitionFetch {
    const key = `${request.topic}:${request.partition}`
    let partition = this.#partitions.get(key)
    if (partition === undefined) {
      partition = new PartitionFetch(this.#options.cluster.clock, request)
      this.#partitions.set(key, partition)
    }
    partition.want(request, isolation)
    return partition
  }

  async #untilDue(wanted: readonly PartitionFetch[], { maxWaitMs }: FetchOptions): Promise<void> {
    const { clock } = this.#options.cluster
    const deadlineMs = clock.monotonicMs() + maxWaitMs
    for (;;) {
      this.#throwFailure(wanted)
      // one look at the clock: what is too early to send must not be too late to wait for
      const nowMs = clock.monotonicMs()
      const leftMs = deadlineMs - nowMs
      if (this.#isDue(wanted, leftMs)) return
      if (this.#isClosed) throw closed()
      this.#sendUnsent(wanted, leftMs, nowMs)
      await this.#change(this.#pauseMs(wanted, leftMs, nowMs))
    }
  }

  #isDue(wanted: readonly PartitionFetch[], leftMs: number): boolean {
    // offsets of a partition that was never heard of cannot be told
    if (wanted.some(({ heard }) => heard === undefined)) return false
    if (wanted.some(({ hasNews }) => hasNews)) return true
    if (leftMs <= 0 && wanted.every(({ isAnswered }) => isAnswered)) return true
    return this.#isWoken || this.#isClosed || leftMs <= -graceMs
  }

  #pauseMs(wanted: readonly PartitionFetch[], leftMs: number, nowMs: number): number {
    let pauseMs = Math.min(pollMsMax, leftMs > 0 ? leftMs : leftMs + graceMs)
    for (const { retryAtMs, isOnItsWay } of wanted) {
      const sendAtMs = Math.max(retryAtMs, this.#sendAtMs)
      if (!isOnItsWay && sendAtMs > nowMs) pauseMs = Math.min(pauseMs, sendAtMs - nowMs)
    }
    // unheard partitions hold the answer up beyond the wait
    return pauseMs > 0 ? pauseMs : graceMs
  }

  #sendUnsent(wanted: readonly PartitionFetch[], leftMs: number, nowMs: number): void {
    const unsent = wanted.filter(
      (partition) =>
        !partition.isOnItsWay
        && !(partition.isAnswered && leftMs <= 0)
        && partition.retryAtMs <= nowMs,
    )
    const isNew = unsent.some(({ heard }) => heard === undefined)
    if (!isNew && nowMs < this.#sendAtMs) return
    this.#lanes.send(unsent, isNew ? 0 : Math.max(0, Math.min(pollMsMax, Math.ceil(leftMs))))
  }

  #throwFailure(wanted: readonly PartitionFetch[]): void {
    const { retryTimeoutMs } = this.#options.cluster
    const mayTell = this.#isDue(wanted, Infinity)
    for (const partition of wanted) {
      const { failure, topic, partition: index } = partition
      if (failure !== undefined) {
        partition.failure = undefined
        throw failure
      }
      if (partition.failingMs > retryTimeoutMs && !mayTell) {
        partition.failureTold()
        throw new BrokerError(
          'BROKER_UNAVAILABLE',
          `fetch of ${topic}-${index}: its leader was not reached for ${retryTimeoutMs} ms`,
          { topic, partition: index },
        )
      }
    }
  }

  #change(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const resume = () => {
        this.#resume = undefined
        cancel()
        resolve()
      }
      const cancel = this.#options.cluster.clock.setTimer(Math.max(1, waitMs), resume)
      this.#resume = resume
    })
  }

  #tell(wanted: readonly PartitionFetch[]): readonly RawBatch[] {
    const taken = wanted.map((partition) => {
      const { heard, offset } = partition
      return { partition, heard: heard!, offset, encoded: partition.take() }
    })
    const hasRecords = taken.some(({ encoded }) => encoded !== undefined)
    if (hasRecords && wanted.every(({ isAtEnd }) => isAtEnd)) {
      this.#sendAtMs = this.#options.cluster.clock.monotonicMs() + paceMs
    } else if (hasRecords && !this.#isClosed) {
      this.#lanes.send(
        wanted.filter(({ isOnItsWay }) => !isOnItsWay),
        pollMsMax,
      )
    }
    return taken.map(({ partition, heard, offset, encoded }) => {
      const opened = encoded === undefined ? noRecords(offset) : openRecords(encoded)
      return new FetchedBatch(partition, heard, opened)
    })
  }
}

const closed = (): BrokerError => new BrokerError('BROKER_CLOSED', 'the fetcher is closed')
