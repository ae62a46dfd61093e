/**
 * One sub-topology × one partition: stores that last, and a pipeline that is replaced at a throw.
 *
 * Called by the stream loop and by the topology driver; knows neither broker nor commit.
 * 1. `processNext`, `punctuate` and `completeEffect` are synchronous and all or nothing: see
 * `TaskPipeline`. 2. A TopologyError and a handler's `fail` are thrown: the task must be closed
 * dirty; of other failures see `TaskFailures`. 3. Nothing leaves the task but by `seal`: see
 * `TaskCommits`.
 */

import type { Clock } from '../clock.ts'
import type { RecordError, TopologyError } from '../errors/classes.ts'
import type { Logger } from '../logger.ts'
import type { StreamRecord } from '../record.ts'
import type { RecordView } from '../broker/records/record-view.ts'
import type { RawRecord } from '../broker/port.ts'
import type { RuntimeConfig } from '../runtime-config.ts'
import type { GlobalRows, Globals } from '../stores/global-rows.ts'
import type { Store } from '../stores/store.ts'
import type { EffectCompletion, EffectNode } from '../topology/effect-node.ts'
import type { Plan, SubTopology } from '../topology/graph.ts'
import type { DropReason } from '../topology/scope.ts'
import type { TaskServices } from '../topology/task-scope.ts'
import type { Topology } from '../topology/topology.ts'
import type { Punctuator, PunctuationTime } from '../topology/punctuator.ts'
import type { AppliedInputs } from './applied-inputs.ts'
import { DeadLetters } from './dead-letters.ts'
import { FailurePolicy } from './failure-policy.ts'
import type { OffsetMetadata } from './offset-metadata.ts'
import { LookAhead } from './look-ahead.ts'
import { PartitionGroup } from './partition-group.ts'
import { type StampHeaders, withHeaders } from './producer-headers.ts'
import { PunctuationSchedule } from './punctuation-schedule.ts'
import { inputOrigin, ownOrigin, type RecordOrigin } from './record-origin.ts'
import type { RecordQueue } from './record-queue.ts'
import type { EffectRequest, RecordScope } from './record-scope.ts'
import type { StoreMigration } from './store-migration.ts'
import { SourceCopy } from './source-copy.ts'
import { TaskClock } from './task-clock.ts'
import { TaskCommits } from './task-commits.ts'
import { dropCounters, type TaskCounters } from './task-counters.ts'
import { TaskFailures } from './task-failures.ts'
import type { TaskGeneration } from './task-generation.ts'
import type { TaskInput } from './task-input.ts'
import { TaskMigrations } from './task-migrations.ts'
import { decodeRecord, encodeOutput, type TaskSink, type TaskSource } from './task-io.ts'
import { TaskPipeline } from './task-pipeline.ts'
import type { TaskStore } from './task-store.ts'
import type { StreamTime } from '../stores/stream-time.ts'

export interface StreamTaskOptions {
  readonly id: string
  readonly applicationId: string
  readonly topology: Topology
  readonly sub: SubTopology
  readonly partition: number
  readonly inputs: readonly TaskInput[]
  readonly metadata: OffsetMetadata
  /** As of the metadata; shared with the stores. */
  readonly time: StreamTime
  readonly records: RecordScope
  readonly stores: ReadonlyMap<string, TaskStore>
  readonly globals: Globals
  /** By logical topic name. */
  readonly sinks: ReadonlyMap<string, TaskSink>
  readonly deadLetters: TaskSink
  /** `topic-partition@offset` of inputs whose outputs the broker refused. */
  readonly refusedInputs: ReadonlyMap<string, Error>
  readonly config: RuntimeConfig
  readonly clock: Clock
  readonly counters: TaskCounters
  readonly logger: Logger
  /** Headers of every output; as they came if absent. */
  readonly stampHeaders?: StampHeaders | undefined
  /** A fault was seen between two records: the task will refuse whatever comes next. */
  onFault?(fault: TopologyError): void
}

/** What a record of one input goes through before it reaches the pipeline. */
interface InputPath {
  readonly origin: RecordOrigin
  /** If its records need not be decoded. */
  readonly copy: SourceCopy | undefined
  /** If there is something to prefetch. */
  readonly lookAhead: LookAhead | undefined
}

export class StreamTask implements TaskServices {
  readonly plan
  readonly sub: SubTopology
  readonly taskId: string
  readonly partition: number
  readonly #options: StreamTaskOptions
  readonly #records: RecordScope
  readonly #group: PartitionGroup
  readonly #inputs: ReadonlyMap<RecordQueue, InputPath>
  readonly #schedule: PunctuationSchedule
  readonly #policy: FailurePolicy
  readonly #failures: TaskFailures
  readonly #counters: TaskCounters
  readonly #clock: TaskClock
  readonly #commits: TaskCommits
  readonly #migrations: TaskMigrations
  readonly #pipeline: TaskPipeline

  constructor(options: StreamTaskOptions) {
    this.#options = options
    this.plan = options.topology.plan
    this.sub = options.sub
    this.taskId = options.id
    this.partition = options.partition
    this.#records = options.records
    this.#counters = options.counters
    this.#group = new PartitionGroup(
      options.inputs.map(({ queue }) => queue),
      options.config.maxTaskIdleMs,
    )
    this.#schedule = new PunctuationSchedule(options.metadata.schedules)
    this.#policy = new FailurePolicy(options.config)
    this.#clock = new TaskClock({
      inputs: options.inputs,
      latestNowMs: options.metadata.latestNowMs,
      maxFutureSkewMs: options.config.maxFutureSkewMs,
      ownTopics: ownTopicsOf(this.plan),
    })
    const deadLetters = deadLettersOf(options)
    this.#failures = new TaskFailures({ ...options, policy: this.#policy, deadLetters })
    this.#migrations = new TaskMigrations(options)
    this.#commits = new TaskCommits({
      ...options,
      schedule: this.#schedule,
      deadLetters,
      taskClock: this.#clock,
    })
    this.#pipeline = new TaskPipeline({ ...options, services: this, failures: this.#failures })
    this.#pipeline.build()
    this.#inputs = new Map(
      options.inputs.map((input, index) => [input.queue, this.#pathOf(input, index)]),
    )
  }

  // ── before the first record ──────────────────────────────────────────────────────────────────

  /** Stores whose rows are of older versions: no record may be processed before they are done. */
  beginMigrations(migrations: readonly StoreMigration[]): void {
    this.#migrations.begin(migrations)
  }

  get isMigrating(): boolean {
    return this.#migrations.isRunning
  }

  /**
   * Migrates some rows into the generation being processed.
   *
   * @returns how many
   * @throws {RuntimeError} close the task dirty
   */
  migrateRows(rowsMax: number): number {
    return this.#migrations.run(rowsMax)
  }

  // ── the data path ────────────────────────────────────────────────────────────────────────────

  /**
   * Processes the next record in event-time order, and fires what its time makes due.
   *
   * Stream-time punctuations follow their record at once: what they find must not depend on how
   * many records a turn of the loop takes.
   *
   * @returns false if nothing is ready: inputs empty, waiting for a slower input, or backing off
   * @throws {TopologyError | RuntimeError} close the task dirty
   */
  processNext(nowMs: number): boolean {
    this.#clock.saw(nowMs)
    if (this.#failures.isBackingOff()) return false
    const queue = this.#group.next(nowMs)
    if (queue === undefined) return false
    const raw = queue.peek()!
    const error = this.#attempt(queue, raw)
    if (error === undefined) this.#policy.passed()
    else if (!this.#failures.settle(error, raw)) return true
    queue.pop()
    this.#commits.consumed()
    this.#counters.recordsProcessed += 1
    if (this.#pipeline.scope.punctuators.length > 0) {
      this.#punctuateOn('streamTime', this.streamTimeMs())
    }
    return true
  }

  /** Fires what is due, each firing in a record scope of its own. @returns how many fired */
  punctuate(nowMs: number): number {
    this.#clock.saw(nowMs)
    const fired =
      this.#punctuateOn('streamTime', this.streamTimeMs()) + this.#punctuateOn('wallClock', nowMs)
    const { saveWithinMs } = this.#schedule
    if (saveWithinMs !== undefined) this.#commits.saveScheduleWithin(saveWithinMs)
    return fired
  }

  /**
   * Feeds the outcome of an external call back into the topology.
   *
   * @returns the failure of what follows the effect; the completion must be offered again
   */
  completeEffect(node: string, completion: EffectCompletion): RecordError | undefined {
    const effect = this.#pipeline.scope.effects.get(node)
    if (effect === undefined) throw new Error(`task ${this.taskId} has no effect ${node}`)
    const error = this.#pipeline.run(ownOrigin(node, this.partition), () =>
      effect.input.next(completion),
    )
    if (error === undefined) this.#commits.consumed()
    return error
  }

  // ── the commit path ──────────────────────────────────────────────────────────────────────────

  get appliedInputs(): AppliedInputs {
    return this.#commits.appliedInputs
  }

  get hasUncommitted(): boolean {
    return this.#commits.hasUncommitted
  }

  get isWorthCommitting(): boolean {
    return this.#commits.isWorthCommitting
  }

  /**
   * Takes everything since the last seal as one generation; undefined if there is nothing.
   *
   * @param nowMs  timestamp of the changelog records
   * @throws {TopologyError} a fault seen between records: their offsets must not be committed
   */
  seal(nowMs: number): TaskGeneration | undefined {
    this.#pipeline.throwFault()
    const sealed = this.#commits.seal(nowMs)
    return sealed === undefined ? undefined : { task: this, ...sealed }
  }

  /** The transaction ended: what it says of this task is so. */
  committed(generation: TaskGeneration): void {
    this.#commits.committed(generation)
  }

  /** The store has all that the generation says: queries see it from now on. */
  applied(generation: TaskGeneration): void {
    this.#commits.applied(generation)
  }

  /** What a commit says about the inputs: sent with every transaction in which the task wrote. */
  offsets(): TaskGeneration['offsets'] {
    return this.#commits.offsets()
  }

  /** The first commit after an assignment says where processing starts, records or not. */
  markConsumed(): void {
    this.#commits.consumed()
  }

  /** Ends the pipeline; stores and queues are the owner's to drop. */
  close(): void {
    this.#migrations.close()
    this.#pipeline.close()
    for (const { slots } of this.#options.stores.values()) slots.release()
  }

  /** Builds a new pipeline over the same stores: microseconds. */
  rebuild(): void {
    this.#pipeline.rebuild()
  }

  // ── what the loop asks ───────────────────────────────────────────────────────────────────────

  get inputs(): readonly TaskInput[] {
    return this.#options.inputs
  }

  get effects(): ReadonlyMap<string, EffectNode> {
    return this.#pipeline.scope.effects
  }

  get bufferedRecords(): number {
    return this.#group.recordCount
  }

  /** When the task wants a turn though no record arrives: retry, idle wait, punctuation. */
  nextWakeMs(): number {
    const idleMs = this.#group.idleUntilMs ?? Infinity
    const retryMs = this.nowMs() + this.#failures.retryInMs
    const punctuationMs = this.#schedule.nextWallClockMs(this.#pipeline.scope.punctuators)
    return Math.min(idleMs, retryMs, punctuationMs)
  }

  get stores(): Iterable<TaskStore> {
    return this.#options.stores.values()
  }

  store(name: string): TaskStore | undefined {
    return this.#options.stores.get(name)
  }

  // ── TaskServices: what the pipeline asks ─────────────────────────────────────────────────────

  open<Opened>(store: Store<Opened>): Opened {
    const found = this.#options.stores.get(store.name)
    if (found === undefined) throw new Error(`task ${this.taskId} has no store ${store.name}`)
    return found.opened as Opened
  }

  globalRows(topicName: string): GlobalRows<unknown, unknown> {
    return this.#options.globals.rows(topicName)
  }

  stage(topicName: string, record: StreamRecord<unknown, unknown>): void {
    const sink = this.#options.sinks.get(topicName)
    if (sink === undefined) throw new Error(`task ${this.taskId} has no sink ${topicName}`)
    this.#counters.outputsStaged += 1
    const { stampHeaders } = this.#options
    const stamped = stampHeaders === undefined ? record : withHeaders(record, stampHeaders)
    const output = encodeOutput(sink, stamped, this.partition)
    const { origin } = this.#pipeline
    if (origin?.queue === undefined) this.#records.stage(output, -1, -1)
    else this.#records.stage(output, origin.input, origin.queue.headOffset)
  }

  streamTimeMs(): number {
    return this.#options.time.ms
  }

  nowMs(): number {
    return this.#options.clock.nowMs()
  }

  latestNowMs(): number {
    return this.#clock.latestNowMs
  }

  caughtUpToMs(): number {
    let earliestMs = Infinity
    for (const { queue, progress } of this.#options.inputs) {
      earliestMs = Math.min(earliestMs, progress.caughtUpToMs(queue.position))
    }
    return earliestMs
  }

  report(fault: TopologyError): void {
    this.#pipeline.report(fault)
    this.#options.onFault?.(fault)
  }

  countDropped(_node: string, reason: DropReason): void {
    const name = dropCounters[reason]
    this.#counters[name] += 1
  }

  requestEffect(node: string, rowKey: string): void {
    this.#records.requestEffect({ node, rowKey } satisfies EffectRequest)
  }

  // ── inside ───────────────────────────────────────────────────────────────────────────────────

  #attempt(queue: RecordQueue, raw: RawRecord): RecordError | undefined {
    const path = this.#inputs.get(queue)!
    const { origin, copy } = path
    const { source } = origin
    if (this.#options.refusedInputs.size > 0) {
      const refusal = this.#failures.refusalOf(origin)
      if (refusal !== undefined) return refusal
    }
    const { timestampMs } = raw
    if (timestampMs < 0 || this.#clock.isTooFarAhead(timestampMs, source.logicalName)) {
      return this.#failures.error('STREAMS_TIMESTAMP', origin, outOfTime(timestampMs))
    }
    if (copy?.mayTake(raw) === true) {
      this.#options.time.observe(timestampMs)
      return this.#pipeline.run(origin, () => this.#copy(copy, raw, origin))
    }
    let record: StreamRecord<unknown, unknown>
    try {
      record = this.#decoded(path, raw)
    } catch (cause) {
      return this.#failures.error('STREAMS_DESERIALIZATION', origin, cause)
    }
    this.#options.time.observe(timestampMs)
    const stream = this.#pipeline.scope.source(origin.node)!
    return this.#pipeline.run(origin, () => stream.emit(record))
  }

  #copy(copy: SourceCopy, record: RecordView, { input, queue }: RecordOrigin): void {
    const { sinks } = copy
    for (let i = 0; i < sinks.length; i++) {
      const sink = sinks[i]!
      try {
        this.#counters.outputsStaged += 1
        this.#records.stageCopy(copy.place(sink, record), record, input, queue!.headOffset)
      } catch (cause) {
        throw this.#pipeline.scope.gate.fail(sink.node, cause)
      }
    }
  }

  #pathOf(input: TaskInput, index: number): InputPath {
    const { source } = input
    const hasPrefetches = this.#pipeline.scope.prefetches(source.logicalName).length > 0
    return {
      origin: inputOrigin(input, index),
      copy: this.#copyOf(source),
      lookAhead: hasPrefetches ? new LookAhead(input) : undefined,
    }
  }

  /** Whoever stamps headers writes records anew. */
  #copyOf(source: TaskSource): SourceCopy | undefined {
    const { sinks, stampHeaders } = this.#options
    if (stampHeaders !== undefined) return undefined
    return SourceCopy.of({ plan: this.plan, source, sinks, taskPartition: this.partition })
  }

  /** @throws {Error} what the serde says */
  #decoded({ origin, lookAhead }: InputPath, raw: RawRecord): StreamRecord<unknown, unknown> {
    const { source } = origin
    if (lookAhead === undefined) return decodeRecord(source, raw)
    if (lookAhead.isDue) this.#prefetch(source, lookAhead.look())
    return lookAhead.take(raw) ?? decodeRecord(source, raw)
  }

  #prefetch(source: TaskSource, records: readonly StreamRecord<unknown, unknown>[]): void {
    if (records.length < 2) return // one by one is as good
    for (const prefetch of this.#pipeline.scope.prefetches(source.logicalName)) {
      try {
        prefetch.run(records)
      } catch {
        // a hint: the record that is at fault will fail in its own scope
      }
    }
  }

  #punctuateOn(on: PunctuationTime, timeMs: number): number {
    let fired = 0
    for (const punctuator of this.#pipeline.scope.punctuators) {
      if (punctuator.on === on && this.#schedule.isDue(punctuator, timeMs)) {
        this.#fire(punctuator, timeMs)
        fired += 1
      }
    }
    return fired
  }

  #fire(punctuator: Punctuator, timeMs: number): void {
    const origin = ownOrigin(punctuator.name, this.partition)
    const error = this.#pipeline.run(origin, () => punctuator.input.next(timeMs))
    this.#schedule.fired(punctuator, timeMs)
    this.#counters.punctuations += 1
    if (error !== undefined) this.#failures.punctuationFailed(error)
  }
}

const deadLettersOf = ({
  id,
  deadLetters: sink,
  config: { applicationVersion },
  clock,
  ...rest
}: StreamTaskOptions): DeadLetters =>
  new DeadLetters({ ...rest, taskId: id, sink, applicationVersion, nowMs: () => clock.nowMs() })

/** Topics that the topology writes itself, by logical name. */
const ownTopicsOf = ({ nodes }: Plan): ReadonlySet<string> =>
  new Set(nodes.flatMap(({ role, topic }) => (role === 'sink' && topic ? [topic] : [])))

const outOfTime = (timestampMs: number): Error =>
  new Error(`timestamp ${timestampMs} is negative or further ahead than maxFutureSkewMs`)
