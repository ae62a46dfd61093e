/**
 * W1 or W2 on Kafka under a steady load: topics, engines, load and reader of one run.
 *
 * Used by `macro/latency` and `macro/rebalance-pause`. 1. Every output is checked as it comes: a
 * record lost, doubled, changed or out of order ends the run with an error. 2. Producer and reader
 * live in this process, engines in their own. 3. `close` ends the engines and deletes the topics.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { W1Data } from '../workloads/records/w1.ts'
import { W2Data } from '../workloads/records/w2.ts'
import type { BenchKafka } from './bench-kafka.ts'
import { EngineProcess } from './engine-process.ts'
import { OutputFollower } from './output-follower.ts'
import { PacedLoad, preciseNowMs } from './paced-load.ts'

export interface LiveRunOptions {
  readonly workload: 'w1' | 'w2'
  readonly ratePerSec: number
  readonly sessionTimeoutMs?: number
  /** Its engines do; default false. */
  readonly tellsMetrics?: boolean
  /** @param dueMs  when the record was to be sent; both are wall-clock times */
  onAnswer(partition: number, dueMs: number, nowMs: number): void
}

export const livePartitions = 4
const [w2Keys, startDelayMs, answersMaxMs] = [100_000, 200, 60_000]

export class LiveRun {
  readonly #kafka: BenchKafka
  readonly #options: LiveRunOptions
  readonly #applicationId: string
  readonly #directory = mkdtempSync(join(tmpdir(), 'millrace-bench-live-'))
  readonly #engines: EngineProcess[] = []
  readonly #data: W1Data | W2Data
  #load: PacedLoad | undefined
  #follower: OutputFollower | undefined
  #startMs = 0

  private constructor(kafka: BenchKafka, options: LiveRunOptions) {
    this.#kafka = kafka
    this.#options = options
    const { workload, ratePerSec } = options
    this.#applicationId = `bench-${workload}-${process.pid}-${Date.now()}`
    const dueMsOf = (index: number): number => this.#startMs + (index / ratePerSec) * 1_000
    const [records, partitions] = [Infinity, livePartitions] // until the load is stopped
    this.#data =
      workload === 'w1'
        ? new W1Data(records, partitions, dueMsOf)
        : new W2Data({ records, partitions, keys: w2Keys, dueMsOf })
  }

  static async open(kafka: BenchKafka, options: LiveRunOptions): Promise<LiveRun> {
    const run = new LiveRun(kafka, options)
    const config = { cleanupPolicy: 'delete' } as const
    await kafka.broker.topics.create(
      [run.#input, run.#output].map((name) => ({ name, partitions: livePartitions, config })),
    )
    return run
  }

  /** @param instance  the same again goes on with the state of the one before */
  async startEngine(instance: string): Promise<EngineProcess> {
    const { workload, sessionTimeoutMs, tellsMetrics = false } = this.#options
    const engine = await EngineProcess.start({
      bootstrap: this.#kafka.bootstrap,
      applicationId: this.#applicationId,
      workload,
      tellsMetrics,
      inputs: [this.#input],
      outputs: [this.#output],
      stateDir: join(this.#directory, instance),
      ...(sessionTimeoutMs === undefined ? {} : { sessionTimeoutMs }),
    })
    this.#engines.push(engine)
    return engine
  }

  /** Load and reader begin; returns when the first record is due, wall-clock time in ms. */
  startLoad(): number {
    const { ratePerSec, onAnswer } = this.#options
    this.#startMs = preciseNowMs() + startDelayMs
    const { broker } = this.#kafka
    this.#follower = new OutputFollower(
      broker,
      this.#output,
      livePartitions,
      (partition, record, nowMs) => {
        const index = this.#data.answered(partition, record)
        onAnswer(partition, this.#startMs + (index / ratePerSec) * 1_000, nowMs)
      },
    )
    const producer = broker.producer('bench-load')
    const topics = [this.#input]
    const next = () => this.#data.next()
    this.#load = new PacedLoad(
      { producer, topics, partitions: livePartitions, ratePerSec, next },
      this.#startMs,
    )
    return this.#startMs
  }

  /** @throws {Error} an output was not right, or an engine ended meanwhile */
  async pause(ms: number): Promise<void> {
    await Promise.race([sleep(ms), this.#follower!.fault()])
    this.#checkEngines()
  }

  /**
   * Stops the load and waits for the last answers.
   *
   * @returns how many records were sent, and answered once
   * @throws {Error} as `pause`; or records are lost: no answer came within a minute
   */
  async finish(): Promise<number> {
    await this.#load!.stop()
    const endMs = performance.now() + answersMaxMs
    while (this.#data.missing() !== '') {
      if (performance.now() > endMs) throw new Error(this.#data.missing())
      await this.pause(50)
    }
    await this.pause(1_000) // what is there twice would come now
    await this.#follower!.stop()
    return this.#load!.sent
  }

  async close(): Promise<void> {
    await this.#load?.stop().catch(() => {})
    await this.#follower?.stop().catch(() => {})
    await Promise.all(this.#engines.map((engine) => engine.end('SIGKILL')))
    const { topics } = this.#kafka.broker
    const names = (await topics.list()).map(({ name }) => name)
    await topics.delete(names.filter((name) => name.startsWith(`${this.#applicationId}-`)))
    rmSync(this.#directory, { recursive: true, force: true })
  }

  get #input(): string {
    return `${this.#applicationId}-in`
  }

  get #output(): string {
    return `${this.#applicationId}-out`
  }

  #checkEngines(): void {
    const complaint = this.#engines.map((engine) => engine.complaint()).find((text) => text !== '')
    if (complaint !== undefined) throw new Error(complaint)
  }
}
