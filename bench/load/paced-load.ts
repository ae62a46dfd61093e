/**
 * Sends records at a steady rate: record i is due at `startMs + i / rate`, whatever happens.
 *
 * 1. A send that takes long makes later records late, not rarer: who measures from the time a
 * record was due sees it (no coordinated omission). 2. One send at a time, of all that is due:
 * what waits meanwhile goes with the next, so nothing lingers for its own sake.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Producer } from '../../src/broker/port.ts'
import { TopicBatches } from './topic-batches.ts'
import type { InputRecord } from './workload-data.ts'

export interface PacedLoadOptions {
  readonly producer: Producer
  /** By the number of the input. */
  readonly topics: readonly string[]
  readonly partitions: number
  readonly ratePerSec: number
  /** Record after record. */
  next(): InputRecord
}

/** Wall-clock time in ms, with fractions. */
export const preciseNowMs = (): number => performance.timeOrigin + performance.now()

export class PacedLoad {
  readonly startMs: number
  readonly #options: PacedLoadOptions
  readonly #running: Promise<void>
  #sent = 0
  #isStopped = false

  /** Begins at `startMs`, wall-clock time. */
  constructor(options: PacedLoadOptions, startMs: number) {
    this.#options = options
    this.startMs = startMs
    this.#running = this.#run()
    this.#running.catch(() => {}) // `stop` tells
  }

  /** Acknowledged so far. */
  get sent(): number {
    return this.#sent
  }

  /** @throws {BrokerError} something could not be sent: since then nothing was */
  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#running
  }

  async #run(): Promise<void> {
    const { producer, topics, partitions, ratePerSec, next } = this.#options
    const batches = new TopicBatches(topics, partitions)
    while (!this.#isStopped) {
      const due = Math.floor(((preciseNowMs() - this.startMs) / 1_000) * ratePerSec)
      while (this.#sent + batches.count < due) batches.add(next())
      if (batches.count === 0) {
        await sleep(1)
        continue
      }
      const { count } = batches
      await producer.send(batches.take())
      this.#sent += count
    }
  }
}
