/**
 * Runs a topology synchronously, without a broker: several partitions, all its tasks, real stores.
 *
 * For tests of topologies. It drives the same tasks as production: encoded bytes, record scopes,
 * dead letters, slots over a memory engine. 1. Every record is committed before the next is taken.
 * 2. What is written to a topic that the topology reads comes back in at once, repartition topics
 * included. 3. Time stands still unless the test moves it. 4. `restart` builds everything anew from
 * what was committed, as a new process would. 5. With `rebuildBeforeEachRecord` outputs must be
 * the same; where they differ, a step keeps state outside of a store.
 */

import { MemoryDisk } from '../../state/memory/memory-disk.ts'
import { MemoryEngine } from '../../state/memory/memory-engine.ts'
import { RawRecord } from '../broker/port.ts'
import { partitionOf } from '../broker/partitioner.ts'
import { silentLogger } from '../logger.ts'
import { type Headers, noHeaders, StreamRecord } from '../record.ts'
import { resolveConfig, type RuntimeConfig } from '../runtime-config.ts'
import { bytes } from '../serde/bytes.ts'
import { type GlobalRows, GlobalTables } from '../stores/global-rows.ts'
import type { Store } from '../stores/store.ts'
import type { Timestamped } from '../stores/table-store.ts'
import {
  allTaskIds,
  inputsOf,
  openInputs,
  openStores,
  sinkOf,
  sinksOf,
  type TaskIdentity,
  taskIdentity,
} from '../runtime/open-task.ts'
import { sealGeneration } from '../runtime/generation.ts'
import { StoreQuery } from '../runtime/queries.ts'
import { macrotask } from '../runtime/sleep.ts'
import { EffectRunner } from '../task/effect-runner.ts'
import { decodeOffsetMetadata } from '../task/offset-metadata.ts'
import { RecordScope } from '../task/record-scope.ts'
import { migrationsOf } from '../task/store-migration.ts'
import { StreamTask } from '../task/stream-task.ts'
import { TaskCounters } from '../task/task-counters.ts'
import type { Topic } from '../topic.ts'
import type { Topology } from '../topology/topology.ts'
import { applicationId, DriverTopics } from './driver-topics.ts'
import { ManualClock } from './manual-clock.ts'
import { refuseChange } from './refuse-change.ts'
import { unsentBatch } from './unsent-batch.ts'
import { StreamTime } from '../stores/stream-time.ts'

export interface DriverOptions {
  /** Of every topic; default 1. */
  readonly partitions?: number
  /** Wall clock at the start, in ms; default 0. */
  readonly startMs?: number
  readonly rebuildBeforeEachRecord?: boolean
  readonly config?: Partial<RuntimeConfig>
}

export interface PipeOptions {
  /** Default: the wall clock. */
  readonly timestampMs?: number
  readonly headers?: Headers
}

/** A failed record as it would lie in the dead-letter topic. */
export interface DriverDeadLetter {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: Readonly<Record<string, string>>
}

/** A record together with the handle of its topic. */
export interface DriverOutput {
  readonly topic: Topic<unknown, unknown>
  readonly record: StreamRecord<unknown, unknown>
}

export class TopologyDriver {
  readonly clock: ManualClock
  #topology: Topology
  readonly #options: DriverOptions
  readonly #config: RuntimeConfig
  #topics: DriverTopics
  readonly #engine: MemoryEngine
  readonly #disk = new MemoryDisk()
  readonly #counters = new TaskCounters()
  readonly #outputs: Output[] = []
  /** What was written, by topic and partition; the index is the offset. */
  readonly #log = new Map<string, Output[]>()
  readonly #committed = new Map<string, { offset: bigint; metadata: string }>()
  #globals: GlobalTables
  #tasks: readonly DriverTask[] = []

  constructor(topology: Topology, options: DriverOptions = {}) {
    this.#topology = topology
    this.#options = options
    this.#config = resolveConfig({ maxTaskIdleMs: 0, ...options.config })
    this.#topics = new DriverTopics(topology, options.partitions ?? 1)
    this.clock = new ManualClock(options.startMs ?? 0)
    this.#engine = MemoryEngine.create(this.#disk)
    this.#globals = this.#readGlobals()
    this.#open()
  }

  /**
   * Writes one record and processes it and all it causes.
   *
   * @throws {TopologyError | RuntimeError} what would stop the task; a record that only fails is
   *                                        found in `deadLetters()`
   */
  pipe<K, V>(
    topic: Topic<K, V>,
    key: NoInfer<K>,
    value: NoInfer<V>,
    options: PipeOptions = {},
  ): void {
    const keyBytes = key === undefined ? null : topic.key.encode(key)
    const valueBytes = value === undefined ? null : topic.value.encode(value)
    this.pipeBytes(topic, keyBytes, valueBytes, options)
  }

  /** The same with raw bytes: for records that no serde would make. */
  pipeBytes(
    { name }: { readonly name: string },
    key: Uint8Array | null,
    value: Uint8Array | null,
    { timestampMs = this.clock.nowMs(), headers = noHeaders }: PipeOptions = {},
  ): void {
    const partition = key === null ? 0 : partitionOf(key, this.#topics.partitions)
    const physical = this.#topics.physicalName(name)
    this.#append({ topic: physical, partition, key, value, timestampMs, headers })
    this.#settle()
  }

  /** Moves the wall clock, firing punctuators on the way at their times. */
  advanceWallClock(byMs: number): void {
    const untilMs = this.clock.nowMs() + byMs
    for (;;) {
      const nextMs = Math.min(...this.#tasks.map(({ task }) => task.nextWakeMs()))
      if (nextMs >= untilMs) break
      if (nextMs > this.clock.nowMs()) this.clock.advanceTo(nextMs)
      this.#turn()
    }
    this.clock.advanceTo(untilMs)
    this.#turn()
  }

  /** Moves the wall clock at once: a punctuator that missed several firings fires once, now. */
  jumpWallClock(byMs: number): void {
    this.#turn() // punctuators not seen yet are scheduled from now
    this.clock.advanceBy(byMs)
    this.#turn()
  }

  /** Waits for external calls and processes their answers, until none is open or all back off. */
  async settleEffects(): Promise<void> {
    for (let idle = 0; idle < idleTurnsMax; idle++) {
      await macrotask()
      for (const { task, effects } of this.#tasks) {
        for (let next = effects.take(); next !== undefined; next = effects.take()) {
          const error = task.completeEffect(next.node, next.completion)
          if (error !== undefined) throw error
          this.#commit()
          effects.settled(next)
          idle = 0
        }
      }
      this.#settle()
    }
  }

  /** Removes and returns what was written to a topic so far, decoded. */
  read<K, V>(topic: Topic<K, V>): StreamRecord<K, V>[] {
    return this.#take([this.#topics.physicalName(topic.name)]).map((output) =>
      decoded(topic, output),
    )
  }

  /** As `read`, of several topics in the order of writing. */
  readAll(topics: readonly Topic<unknown, unknown>[]): DriverOutput[] {
    const named = new Map(topics.map((topic) => [this.#topics.physicalName(topic.name), topic]))
    return this.#take([...named.keys()]).map((output) => {
      const topic = named.get(output.topic)!
      return { topic, record: decoded(topic, output) }
    })
  }

  values<K, V>(topic: Topic<K, V>): V[] {
    return this.read(topic).map(({ value }) => value)
  }

  /** Removes and returns the dead letters so far. */
  deadLetters(): DriverDeadLetter[] {
    return this.#take([this.#topics.deadLetters.name]).map(({ key, value, headers }) => ({
      key,
      value,
      headers: Object.fromEntries(
        headers.map((header) => [header.key, Buffer.from(header.value ?? []).toString()]),
      ),
    }))
  }

  /** Committed state, as an interactive query sees it. */
  query<Opened, Reader>(store: Store<Opened, Reader>): StoreQuery<Reader> {
    return new StoreQuery(store.name, () =>
      this.#tasks.flatMap(({ task }) => {
        const found = task.store(store.name)
        if (found === undefined) return []
        return [{ partition: task.partition, reader: store.reader(found.slots) }]
      }),
    )
  }

  /**
   * Stops and starts again from committed state; external calls in flight are forgotten.
   *
   * @param topology  another version of it, which must find its tasks where they were: stores that
   * were raised to a new version are migrated first
   * @throws {RuntimeError} STREAMS_STATE_MISMATCH: it would be refused; or rows would have to move,
   * which takes a changelog
   */
  restart(topology = this.#topology): void {
    refuseChange(this.#topology, topology)
    for (const { task, effects } of this.#tasks) {
      effects.close()
      task.close()
    }
    this.#topology = topology
    this.#topics = new DriverTopics(topology, this.#topics.partitions)
    this.#globals = this.#readGlobals()
    this.#open()
  }

  /** Rows of a global table as tasks see them. */
  globalRows<K, V>(topic: Topic<K, V>): readonly (readonly [K, Timestamped<V>])[] {
    const rows = this.#globals.rows(topic.name) as GlobalRows<K, V>
    return [...rows.entries()]
  }

  get counters(): Readonly<TaskCounters> {
    return this.#counters
  }

  #open(): void {
    const { plan } = this.#topology
    const ids = allTaskIds(plan.subTopologies, this.#topics)
    this.#tasks = ids.map((id) => this.#openTask(id))
    this.#migrate()
    for (const { task, effects } of this.#tasks) {
      this.#refill(task)
      effects.recover()
    }
    this.#settle()
  }

  #migrate(): void {
    for (const { task } of this.#tasks) {
      const { taskId, stores } = task
      task.beginMigrations(migrationsOf(stores, { engine: this.#engine, taskId }))
      while (task.isMigrating) task.migrateRows(Infinity)
    }
    this.#commit()
  }

  #readGlobals(): GlobalTables {
    const globals = new GlobalTables(this.#topology.plan.globals.values())
    for (const log of this.#log.values()) {
      for (const output of log) globals.find(output.topic)?.apply(output)
    }
    return globals
  }

  #openTask(id: string): DriverTask {
    const identity = taskIdentity(this.#topology.plan.subTopologies, id)
    const records = new RecordScope()
    const inputs = openInputs(identity, this.#topics, this.#offsetsOf(identity))
    const first = inputs[0]!.queue
    const committed = this.#committed.get(`${first.topic}-${first.partition}`)
    const metadata = decodeOffsetMetadata(committed?.metadata ?? '')
    const time = new StreamTime(metadata.streamTimeMs)
    const [clock, counters] = [this.clock, this.#counters]
    const task = new StreamTask({
      id,
      applicationId,
      inputs,
      records,
      clock,
      counters,
      topology: this.#topology,
      sub: identity.sub,
      partition: identity.partition,
      metadata,
      time,
      stores: openStores(identity, {
        engine: this.#engine,
        topics: this.#topics,
        clusterId: 'driver',
        undo: records.undoLog,
        time,
        cachedSlotsMax: this.#config.cachedSlotsMax,
        stores: this.#topology.plan.stores,
      }),
      sinks: sinksOf(identity, this.#topics),
      deadLetters: { ...sinkOf(this.#topics.deadLetters), serdes: { key: bytes, value: bytes } },
      globals: this.#globals,
      refusedInputs: new Map(),
      config: this.#config,
      logger: silentLogger,
    })
    return { task, effects: new EffectRunner({ task, clock, counters, onCompletion() {} }) }
  }

  #offsetsOf(identity: TaskIdentity): ReadonlyMap<string, { readonly offset: bigint }> {
    return new Map(
      inputsOf(identity, this.#topics).map(({ topic, partition }) => {
        const at = `${topic}-${partition}`
        return [at, this.#committed.get(at) ?? { offset: 0n }]
      }),
    )
  }

  #append(output: Output): void {
    const at = `${output.topic}-${output.partition}`
    const log = this.#log.get(at) ?? []
    this.#log.set(at, log)
    log.push(output)
    this.#globals.find(output.topic)?.apply(output)
    for (const { task } of this.#tasks) this.#enqueue(task, output, BigInt(log.length - 1))
  }

  #enqueue(task: StreamTask, output: Output, offset: bigint): void {
    const { topic, partition, timestampMs, key, value, headers } = output
    for (const { queue } of task.inputs) {
      if (queue.topic !== topic || queue.partition !== partition) continue
      queue.enqueue({
        topic,
        partition,
        baseOffset: offset,
        nextOffset: offset + 1n,
        sizeBytes: 0,
        records: [new RawRecord(0, timestampMs, key, value, headers)],
        logStartOffset: 0n,
        lastStableOffset: offset + 1n,
        highWatermark: offset + 1n,
        leaderEpoch: 0,
      })
    }
  }

  /** Records written but not processed before the restart. */
  #refill(task: StreamTask): void {
    for (const {
      queue: { topic, partition, fetchedTo },
    } of task.inputs) {
      const rest = this.#log.get(`${topic}-${partition}`)?.slice(Number(fetchedTo)) ?? []
      rest.forEach((output, index) => this.#enqueue(task, output, fetchedTo + BigInt(index)))
    }
  }

  /** Punctuates once, then processes whatever there is. */
  #turn(): void {
    for (const { task } of this.#tasks) {
      for (const { queue, progress } of task.inputs) {
        progress.observe(this.clock.nowMs(), queue.position)
      }
      if (task.punctuate(this.clock.nowMs()) > 0) this.#commit()
    }
    this.#settle()
  }

  #settle(): void {
    let progressed = true
    while (progressed) {
      progressed = false
      for (const { task } of this.#tasks) {
        if (this.#options.rebuildBeforeEachRecord === true) task.rebuild()
        while (task.processNext(this.clock.nowMs())) {
          progressed = true
          task.punctuate(this.clock.nowMs())
          this.#commit()
          if (this.#options.rebuildBeforeEachRecord === true) task.rebuild()
        }
      }
    }
  }

  #commit(): void {
    const generation = sealGeneration(
      this.#tasks.map(({ task }) => task),
      this.clock.nowMs(),
    )
    if (generation === undefined) return
    this.#disk.apply(unsentBatch(generation, this.clock.nowMs()).finish())
    for (const { topic, partition, offset, metadata } of generation.offsets) {
      this.#committed.set(`${topic}-${partition}`, { offset, metadata })
    }
    for (const sealed of generation.tasks) {
      const { task, outputs, effects } = sealed
      task.committed(sealed)
      task.applied(sealed)
      for (const output of outputs.inOrder()) {
        this.#outputs.push(output)
        this.#append(output)
      }
      this.#tasks.find((running) => running.task === task)!.effects.start(effects)
    }
  }

  #take(topics: readonly string[]): Output[] {
    const found = this.#outputs.filter(({ topic }) => topics.includes(topic))
    const rest = this.#outputs.filter(({ topic }) => !topics.includes(topic))
    this.#outputs.splice(0, this.#outputs.length, ...rest)
    return found
  }
}

interface DriverTask {
  readonly task: StreamTask
  readonly effects: EffectRunner
}

interface Output {
  readonly topic: string
  readonly partition: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly timestampMs: number
  readonly headers: Headers
}

const decoded = <K, V>(topic: Topic<K, V>, output: Output): StreamRecord<K, V> =>
  new StreamRecord(
    (output.key === null ? undefined : topic.key.decode(output.key)) as K,
    (output.value === null ? undefined : topic.value.decode(output.value)) as V,
    output.timestampMs,
    output.headers,
  )

/** Turns of the event loop without an answer after which external calls are left to themselves. */
const idleTurnsMax = 3
