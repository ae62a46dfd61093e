/**
 * Keeps the record queues of all tasks filled: the asynchronous beginning of a record's way.
 *
 * One per assignment; the stream loop starts it when tasks are open and stops it before they
 * close. 1. One fetch is in flight at a time, over all partitions that are not paused. 2. A
 * partition is paused while its queue is above its byte or record bound. 3. After `stop` resolved,
 * no queue is touched any more.
 */

import { BrokerError } from '../broker/errors.ts'
import { type Fetcher } from '../broker/port.ts'
import { type Clock } from '../clock.ts'
import { type RuntimeConfig } from '../runtime-config.ts'
import { type TaskInput } from '../task/stream-task.ts'
import { sleep } from './sleep.ts'

export interface FetchLoopOptions {
  readonly fetcher: Fetcher
  readonly inputs: readonly TaskInput[]
  readonly clock: Clock
  readonly config: RuntimeConfig
  onRecords(): void
  /** What cannot be retried; the loop has ended. */
  onError(error: unknown): void
}

export class FetchLoop {
  readonly #options: FetchLoopOptions
  #isOpen = true
  #paused = 0
  #ended: Promise<void> | undefined
  #resume: (() => void) | undefined

  constructor(options: FetchLoopOptions) {
    this.#options = options
  }

  start(): void {
    this.#ended = this.#run().catch((error: unknown) => {
      if (this.#isOpen) this.#options.onError(error)
    })
  }

  /** Call after records were processed: queues that ran low are fetched again. */
  drained(): void {
    if (this.#paused === 0) return
    const nowPaused = this.#options.inputs.filter((input) => this.#isPaused(input)).length
    if (nowPaused >= this.#paused) return
    if (this.#resume !== undefined) this.#resume()
    else this.#options.fetcher.wakeUp()
  }

  async stop(): Promise<void> {
    this.#isOpen = false
    this.#resume?.()
    this.#options.fetcher.wakeUp()
    await this.#ended
    await this.#options.fetcher.close()
  }

  async #run(): Promise<void> {
    let failures = 0
    while (this.#isOpen) {
      const wanted = this.#options.inputs.filter((input) => !this.#isPaused(input))
      this.#paused = this.#options.inputs.length - wanted.length
      if (wanted.length === 0) {
        await new Promise<void>((resolve) => {
          this.#resume = resolve
        })
        this.#resume = undefined
        continue
      }
      try {
        await this.#fetch(wanted)
        failures = 0
      } catch (error) {
        if (!(error instanceof BrokerError) || error.action !== 'retry') throw error
        failures += 1
        await sleep(this.#options.clock, Math.min(5_000, 20 * 2 ** failures))
      }
    }
  }

  async #fetch(wanted: readonly TaskInput[]): Promise<void> {
    const { fetcher, clock, config } = this.#options
    const issuedAtMs = clock.nowMs()
    const batches = await fetcher.fetch(
      wanted.map(({ queue: { topic, partition, fetchedTo: offset } }) => ({
        topic,
        partition,
        offset,
        maxBytes: config.fetchPartitionBytes,
      })),
      { isolation: 'read_committed', maxWaitMs: config.fetchMaxWaitMs },
    )
    if (!this.#isOpen) return
    const nowMs = clock.nowMs()
    batches.forEach((batch, index) => {
      const { queue, progress } = wanted[index]!
      queue.enqueue(batch)
      const askedAtMs = batch.askedAtMs ?? issuedAtMs
      // asked in the future: the clock was set back meanwhile, and the answer proves no time
      if (askedAtMs <= nowMs) progress.observe(askedAtMs, batch.highWatermark)
    })
    this.#options.onRecords()
  }

  #isPaused({ queue }: TaskInput): boolean {
    const { bufferedPartitionBytes, bufferedRecordsMax } = this.#options.config
    return queue.sizeBytes >= bufferedPartitionBytes || queue.recordCount >= bufferedRecordsMax
  }
}
