/**
 * Keeps the record queues of all tasks filled: the asynchronous beginning of a record's way.
 *
 * The stream loop starts it, adds the inputs of tasks that are admitted and removes them before
 * their tasks close. 1. One fetch is in flight at a time, over all partitions that are not paused.
 * 2. A partition is paused while its queue is above its byte or record bound. 3. After `remove`,
 * and after `stop` resolved, the queues are not touched any more. 4. A batch with records of
 * schemas that are not known yet is held until the registry has told them, however long that
 * takes; its partition alone waits.
 */

import { BrokerError } from '../broker/errors.ts'
import type { Fetcher, RawBatch } from '../broker/port.ts'
import type { Clock } from '../clock.ts'
import type { Logger } from '../logger.ts'
import type { RuntimeConfig } from '../runtime-config.ts'
import { SchemaRegistryError } from '../schema-registry/errors.ts'
import { askAll, type MissingSchema, missingSchemas } from '../task/missing-schemas.ts'
import type { TaskInput } from '../task/task-input.ts'
import { sleep } from './sleep.ts'

export interface FetchLoopOptions {
  readonly fetcher: Fetcher
  readonly clock: Clock
  readonly config: RuntimeConfig
  readonly logger: Logger
  onRecords(): void
  /** What cannot be retried; the loop has ended. */
  onError(error: unknown): void
}

export class FetchLoop {
  readonly #options: FetchLoopOptions
  #inputs: ReadonlySet<TaskInput> = new Set()
  /** Inputs whose last batch waits for the schema registry, and what that said last. */
  readonly #held = new Map<TaskInput, string | undefined>()
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

  add(inputs: readonly TaskInput[]): void {
    this.#inputs = new Set([...this.#inputs, ...inputs])
    this.#lookAgain()
  }

  remove(inputs: readonly TaskInput[]): void {
    this.#inputs = this.#inputs.difference(new Set(inputs))
    for (const input of inputs) this.#held.delete(input)
    this.#lookAgain()
  }

  /** Call after records were processed: queues that ran low are fetched again. */
  drained(): void {
    if (this.#paused === 0) return
    let nowPaused = 0
    for (const input of this.#inputs) if (this.#isPaused(input)) nowPaused += 1
    if (nowPaused < this.#paused) this.#lookAgain()
  }

  /** Why partitions stand still though there are records; undefined if none does. */
  get trouble(): string | undefined {
    return [...this.#held.values()].find((trouble) => trouble !== undefined)
  }

  #lookAgain(): void {
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
      const wanted = [...this.#inputs].filter(
        (input) => !this.#isPaused(input) && !this.#held.has(input),
      )
      this.#paused = this.#inputs.size - wanted.length - this.#held.size
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
    batches.forEach((batch, index) => {
      const input = wanted[index]!
      if (!this.#inputs.has(input)) return
      const askedAtMs = batch.askedAtMs ?? issuedAtMs
      const missing = missingSchemas(input.source.serdes, batch)
      if (missing.length === 0) return this.#enqueue(input, batch, askedAtMs)
      this.#held.set(input, undefined)
      this.#lookUp(input, missing)
        .then(() => this.#release(input, batch, askedAtMs))
        .catch((error: unknown) => {
          if (this.#isOpen) this.#options.onError(error)
        })
    })
    this.#options.onRecords()
  }

  #enqueue({ queue, progress }: TaskInput, batch: RawBatch, askedAtMs: number): void {
    queue.enqueue(batch)
    // asked in the future: the clock was set back meanwhile, and the answer proves no time
    if (askedAtMs <= this.#options.clock.nowMs()) progress.observe(askedAtMs, batch.highWatermark)
  }

  /** Until the registry has answered, or nobody wants the batch any more. */
  async #lookUp(input: TaskInput, missing: readonly MissingSchema[]): Promise<void> {
    const { clock, logger } = this.#options
    for (let failures = 1; this.#isOpen && this.#inputs.has(input); failures++) {
      try {
        return await askAll(missing)
      } catch (error) {
        if (!(error instanceof SchemaRegistryError)) throw error
        const { topic, partition } = input.queue
        const message = `${topic}-${partition} waits for the schema registry`
        logger.warn({ err: error }, `${message}; it is asked again`)
        this.#held.set(input, `${message}: ${error.message}`)
        await sleep(clock, Math.min(10_000, 50 * 2 ** failures))
      }
    }
  }

  #release(input: TaskInput, batch: RawBatch, askedAtMs: number): void {
    this.#held.delete(input)
    if (!this.#isOpen || !this.#inputs.has(input)) return
    this.#enqueue(input, batch, askedAtMs)
    this.#options.onRecords()
    this.#lookAgain()
  }

  #isPaused({ queue }: TaskInput): boolean {
    const { bufferedPartitionBytes, bufferedRecordsMax } = this.#options.config
    return queue.sizeBytes >= bufferedPartitionBytes || queue.recordCount >= bufferedRecordsMax
  }
}
