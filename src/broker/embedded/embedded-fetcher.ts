/**
 * Long poll over any number of partitions, for one consumer loop.
 *
 * Made by `EmbeddedBroker.fetcher`. 1. It listens at the logs of its last request, and only
 * looks again when one of them moved. 2. A partition asked for the first time is answered at once:
 * the caller knew nothing of it, so everything moved. 3. Logs that move in one turn (a commit of
 * the journal) are answered together.
 */

import type { Engine } from '../../../state/engine.ts'
import type { Clock } from '../../clock.ts'
import { BrokerError } from '../errors.ts'
import type { Fetcher, FetchOptions, FetchRequest, RawBatch } from '../port.ts'
import type { EmbeddedBrokerFaults } from './faults.ts'
import { readLog } from './log-reader.ts'
import type { PartitionLog } from './partition-log.ts'
import type { TopicRegistry } from './topic-registry.ts'

export interface EmbeddedFetcherOptions {
  readonly engine: Engine
  readonly clock: Clock
  readonly topics: TopicRegistry
  readonly faults: EmbeddedBrokerFaults | undefined
  onClose(fetcher: EmbeddedFetcher): void
}

export class EmbeddedFetcher implements Fetcher {
  readonly #options: EmbeddedFetcherOptions
  /**
   * High watermark that the last answer told of each log that we listen at; −1 if none yet. The
   * last stable offset never moves without it: a marker takes an offset.
   */
  readonly #seen = new Map<PartitionLog, number>()
  readonly #onMoved = (): void => this.#resume?.()
  #resume: (() => void) | undefined
  #isFetching = false
  #isClosed = false
  #isWoken = false

  constructor(options: EmbeddedFetcherOptions) {
    this.#options = options
  }

  async fetch(
    requests: readonly FetchRequest[],
    options: FetchOptions,
  ): Promise<readonly RawBatch[]> {
    if (this.#isClosed) throw new BrokerError('BROKER_CLOSED', 'the fetcher is closed')
    if (this.#isFetching) {
      throw new BrokerError('BROKER_INVALID_REQUEST', 'the fetcher has a fetch in flight')
    }
    this.#isFetching = true
    this.#isWoken = false
    const { faults, clock } = this.#options
    try {
      if (faults === undefined) return await this.#fetch(requests, options)
      const answer = await faults.run('fetch', clock, () => this.#fetch(requests, options))
      return answer.map((batch) => shortened(batch, faults))
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
    for (const log of this.#seen.keys()) log.listeners.delete(this.#onMoved)
    this.#seen.clear()
    this.#options.onClose(this)
  }

  async #fetch(
    requests: readonly FetchRequest[],
    options: FetchOptions,
  ): Promise<readonly RawBatch[]> {
    const { clock, topics } = this.#options
    const logs = requests.map((request) => topics.log(request))
    const startedMs = clock.monotonicMs()
    for (const log of logs) log.follow(startedMs)
    const news = this.#listenAt(logs)
    for (let isNews = news; ; isNews = false) {
      const answer = this.#read(logs, requests, options)
      const waitMs = startedMs + options.maxWaitMs - clock.monotonicMs()
      const isDone =
        isNews
        || waitMs <= 0
        || this.#isWoken
        || this.#isClosed
        || this.#hasNews(logs, requests, answer)
      if (isDone) {
        this.#remember(logs)
        return answer
      }
      await this.#waitForMove(waitMs)
    }
  }

  /** @returns true if one of the logs was not listened at before */
  #listenAt(logs: readonly PartitionLog[]): boolean {
    let isNew = false
    for (const log of logs) {
      if (this.#seen.has(log)) continue
      isNew = true
      log.listeners.add(this.#onMoved)
      this.#seen.set(log, -1)
    }
    if (this.#seen.size > logs.length) this.#forgetOthers(new Set(logs))
    return isNew
  }

  #forgetOthers(logs: ReadonlySet<PartitionLog>): void {
    for (const log of this.#seen.keys()) {
      if (logs.has(log)) continue
      log.listeners.delete(this.#onMoved)
      this.#seen.delete(log)
    }
  }

  #read(
    logs: readonly PartitionLog[],
    requests: readonly FetchRequest[],
    { isolation }: FetchOptions,
  ): readonly RawBatch[] {
    const { engine } = this.#options
    return requests.map((request, index) => {
      const log = logs[index]!
      if (log.isDeleted) throw deleted(request)
      const fromOffset = Number(request.offset)
      if (fromOffset < log.logStartOffset || fromOffset > log.highWatermark) {
        throw outOfRange(request, log)
      }
      return readLog(log, engine, { fromOffset, maxBytes: request.maxBytes, isolation })
    })
  }

  #hasNews(
    logs: readonly PartitionLog[],
    requests: readonly FetchRequest[],
    answer: readonly RawBatch[],
  ): boolean {
    for (let i = 0; i < logs.length; i++) {
      const log = logs[i]!
      const batch = answer[i]!
      if (batch.records.length > 0 || batch.nextOffset !== requests[i]!.offset) return true
      if (this.#seen.get(log) !== log.highWatermark) return true
    }
    return false
  }

  #remember(logs: readonly PartitionLog[]): void {
    if (this.#isClosed) return
    for (const log of logs) this.#seen.set(log, log.highWatermark)
  }

  #waitForMove(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#options.clock.setTimer(waitMs, () => this.#resume?.())
      this.#resume = () => {
        this.#resume = undefined
        cancel()
        resolve()
      }
    })
  }
}

/** A fault: the broker answered less than there is. */
const shortened = (batch: RawBatch, faults: EmbeddedBrokerFaults): RawBatch => {
  const count = faults.recordsMax(batch.records.length)
  if (count === batch.records.length) return batch
  const records = batch.records.slice(0, count)
  const last = records.at(-1)!
  return { ...batch, records, nextOffset: batch.baseOffset + BigInt(last.offsetDelta + 1) }
}

const outOfRange = ({ topic, partition, offset }: FetchRequest, log: PartitionLog): BrokerError =>
  new BrokerError(
    'BROKER_OFFSET_OUT_OF_RANGE',
    `fetch of ${topic}-${partition} at ${offset}: it `
      + `holds ${log.logStartOffset} to ${log.highWatermark}; records are missing, and `
      + 'the position is never reset by itself: restore the log, or decide by hand',
    { topic, partition },
  )

const deleted = ({ topic, partition }: FetchRequest): BrokerError =>
  new BrokerError('BROKER_UNKNOWN_TOPIC', `topic ${topic} was deleted`, { topic, partition })
