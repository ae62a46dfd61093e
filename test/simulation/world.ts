/**
 * One machine that can die: an embedded broker and one instance of an application over two disks.
 *
 * Time is manual, randomness seeded. A crash happens at the k-th write of either disk, before or
 * after it: nothing of the old process runs on, and a new one opens what the disks hold. Since the
 * broker writes to its disk at every step of a transaction, every step of the commit is a crash
 * point.
 */

import { MemoryDisk } from '../../state/memory/memory-disk.ts'
import { MemoryEngine } from '../../state/memory/memory-engine.ts'
import { EmbeddedBroker } from '../../src/broker/embedded/embedded-broker.ts'
import { EmbeddedBrokerFaults } from '../../src/broker/embedded/faults.ts'
import type { Broker } from '../../src/broker/port.ts'
import type { StreamRecord } from '../../src/record.ts'
import { Application } from '../../src/runtime/application.ts'
import { macrotask } from '../../src/runtime/sleep.ts'
import type { RuntimeConfig } from '../../src/runtime-config.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import type { Topic } from '../../src/topic.ts'
import type { Topology } from '../../src/index.ts'
import { connect, type Connection } from './severable.ts'
import { readTopic } from './topics.ts'

/** What runs on the machine. */
export interface Subject {
  readonly applicationId: string
  readonly topology: Topology
  /** Of all sub-topologies: the machine is whole when it runs them. */
  readonly taskCount: number
  createTopics(broker: Broker): Promise<void>
}

export interface WorldOptions {
  readonly config?: Partial<RuntimeConfig>
  /** Between the end of a transaction and its markers, in ms. */
  readonly markerDelayMs?: number
  /** How much later those of the logs come, in ms: longer than a session, an heir meets them. */
  readonly logMarkerDelayMs?: number
  /** A worker that died is followed by one with another transactional id. */
  readonly isReplaced?: boolean
}

export interface CrashPlan {
  /** Counted over both disks from now on. */
  readonly atWrite: number
  readonly when: 'before' | 'after'
  /** Only the worker dies; the broker lives on, as Kafka would. */
  readonly isWorkerOnly?: boolean
}

const quickConfig = {
  commitIntervalMs: 20,
  commitMinIntervalMs: 1,
  sessionTimeoutMs: 600,
  heartbeatIntervalMs: 100,
} as const

export class World {
  readonly clock = new ManualClock(1_000_000)
  readonly brokerDisk = new MemoryDisk()
  readonly stateDisk = new MemoryDisk()
  readonly faults = new EmbeddedBrokerFaults()
  readonly #subject: Subject
  readonly #options: WorldOptions
  broker: Broker | undefined
  #connection: Connection | undefined
  application!: Application
  crashes = 0
  #writes = 0
  #plan: CrashPlan | undefined
  #isDown = true

  constructor(subject: Subject, options: WorldOptions = {}) {
    this.#subject = subject
    this.#options = options
    for (const disk of [this.brokerDisk, this.stateDisk]) {
      disk.beforeCommit = (batch) => this.#beforeWrite(disk, batch)
    }
  }

  get isDown(): boolean {
    return this.#isDown
  }

  planCrash(plan: CrashPlan): void {
    this.#writes = 0
    this.#plan = plan
  }

  /** Starts the process; it may crash while it starts. */
  async open(): Promise<void> {
    this.#isDown = false
    const { clock } = this
    const { applicationId, topology } = this.#subject
    const opening = async (): Promise<void> => {
      this.broker ??= await this.#openBroker()
      this.#connection = connect(this.broker)
      this.application = new Application({
        applicationId,
        topology,
        broker: this.#connection.broker,
        clock,
        instanceId: this.#options.isReplaced === true ? `i${this.crashes}` : 'i',
        config: { ...quickConfig, ...this.#options.config },
        engine: MemoryEngine.create(this.stateDisk),
      })
      await this.application.start()
    }
    let isOpen = false
    let failure: unknown
    opening().then(
      () => {
        isOpen = true
      },
      (error: unknown) => {
        failure = error
      },
    )
    await this.#until(() => isOpen || this.#isDown || failure !== undefined)
    if (failure !== undefined && !this.#isDown) throw failure
  }

  /** Lets time pass and the loop turn until nothing is left to do, or the machine died. */
  async settle(): Promise<void> {
    let quiet = 0
    // records may become stable, and so readable, long after their transaction ended
    const quietTurns = 6 + (this.#options.logMarkerDelayMs ?? 0) / 3
    for (let turn = 0; turn < 5_000 && quiet < quietTurns && !this.#isDown; turn++) {
      this.clock.advanceBy(20)
      const before = this.#writes
      for (let i = 0; i < 4; i++) await macrotask()
      const { lagRecords, openEffects, tasks } = this.application.metrics()
      // an heir has all tasks only after the session of the dead has ended
      const isWhole = tasks === this.#subject.taskCount && this.application.state === 'running'
      const isIdle = isWhole && this.#writes === before && lagRecords === 0 && openEffects === 0
      quiet = isIdle ? quiet + 1 : 0
    }
  }

  /** As kill -9: the disks keep what was written, the process is gone. */
  crash(isWorkerOnly = false): void {
    if (this.#isDown) return
    this.#isDown = true
    this.crashes += 1
    this.#plan = undefined
    this.#connection?.sever()
    this.application?.kill()
    this.stateDisk.crash()
    if (isWorkerOnly && this.broker !== undefined) return
    this.brokerDisk.crash()
    this.broker = undefined
  }

  async close(): Promise<void> {
    const { application, broker } = this
    // the last commit and its markers take time
    const closing = application.close().then(() => broker!.close())
    let isOver = false
    const over = (): void => {
      isOver = true
    }
    closing.then(over, over)
    await this.#until(() => isOver)
    await closing
  }

  read<K, V>(topic: Topic<K, V>): Promise<StreamRecord<K, V>[]> {
    return readTopic(this.broker!, topic)
  }

  async #openBroker(): Promise<Broker> {
    const { clock, faults } = this
    const broker = await EmbeddedBroker.open({
      engine: MemoryEngine.create(this.brokerDisk),
      clock,
      faults,
      seed: 7,
      markerDelayMs: this.#options.markerDelayMs ?? 0,
      logMarkerDelayMs: this.#options.logMarkerDelayMs ?? 0,
    })
    await this.#subject.createTopics(broker)
    return broker
  }

  async #beforeWrite(disk: MemoryDisk, batch: { finish(): Buffer }): Promise<void> {
    this.#writes += 1
    const plan = this.#plan
    if (plan === undefined || this.#writes < plan.atWrite) return
    if (plan.isWorkerOnly === true) return this.#killWorkerAt(disk, batch, plan.when)
    if (plan.when === 'after') disk.apply(batch.finish())
    this.crash()
    await new Promise(() => {}) // the process is gone: nothing goes on from here
  }

  /** The broker finishes its write whatever happens to the worker; the worker's own may be cut. */
  async #killWorkerAt(
    disk: MemoryDisk,
    batch: { finish(): Buffer },
    when: 'before' | 'after',
  ): Promise<void> {
    if (disk === this.stateDisk && when === 'after') disk.apply(batch.finish())
    this.crash(true)
    if (disk === this.stateDisk) await new Promise(() => {})
  }

  async #until(condition: () => boolean): Promise<void> {
    for (let turn = 0; turn < 5_000 && !condition(); turn++) {
      this.clock.advanceBy(20)
      await macrotask()
    }
    if (!condition()) throw new Error('the world neither opens nor closes')
  }
}
