/**
 * Reads the committed records of a topic as they come, and tells when it had them.
 *
 * Partitions from their first record on, each in order. What the listener throws ends it: `stop`
 * throws it again, and `fault` rejects at once.
 */

import type { Broker, Fetcher, FetchRequest, RawRecord } from '../../src/broker/port.ts'
import { preciseNowMs } from './paced-load.ts'

/** @param nowMs  when the fetch answered that brought it, wall-clock time */
export type OnOutput = (partition: number, record: RawRecord, nowMs: number) => void

const [fetchBytes, fetchMaxWaitMs] = [1_048_576, 500]

export class OutputFollower {
  readonly #fetcher: Fetcher
  readonly #onOutput: OnOutput
  readonly #running: Promise<void>
  #requests: FetchRequest[]
  #isStopped = false

  constructor(broker: Broker, topic: string, partitions: number, onOutput: OnOutput) {
    this.#fetcher = broker.fetcher('bench-follow')
    this.#onOutput = onOutput
    this.#requests = Array.from({ length: partitions }, (_, partition) => ({
      topic,
      partition,
      offset: 0n,
      maxBytes: fetchBytes,
    }))
    this.#running = this.#run()
    this.#running.catch(() => {}) // `stop` and `fault` tell
  }

  /** Never resolves; rejects with what ended it. */
  fault(): Promise<never> {
    return this.#running.then(() => new Promise<never>(() => {}))
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#fetcher.wakeUp()
    await this.#running.finally(() => this.#fetcher.close())
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      const batches = await this.#fetcher.fetch(this.#requests, {
        isolation: 'read_committed',
        maxWaitMs: fetchMaxWaitMs,
      })
      const nowMs = preciseNowMs()
      for (const { partition, records } of batches) {
        for (const record of records) this.#onOutput(partition, record, nowMs)
      }
      this.#requests = batches.map(({ topic, partition, nextOffset: offset }) => {
        return { topic, partition, offset, maxBytes: fetchBytes }
      })
    }
  }
}
