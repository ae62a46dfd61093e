/**
 * Opens, restores and closes the tasks of this instance.
 *
 * Called by the stream loop. Takeover order: the old owner is fenced (by the caller) → committed
 * offsets with requireStable → changelog high watermarks → restore to them → run. 1. No task runs
 * before all are restored. 2. A closed task is never used again; opening makes new ones over the
 * same engine, which only ever holds committed data. 3. Repartition topics are purged below the
 * committed offsets, now and then.
 */

import { type Engine } from '../../state/engine.ts'
import { positionKey } from '../../state/key-layout.ts'
import { decodePosition, judgePosition, type Position } from '../../state/position.ts'
import { prefixEnd, namespacePrefix } from '../../state/key-layout.ts'
import { WriteBatch } from '../../state/write-batch.ts'
import {
  type Broker,
  type CommittedOffset,
  type PartitionOffsets,
  type TopicPartition,
} from '../broker/port.ts'
import { type Clock } from '../clock.ts'
import { RuntimeError } from '../errors/classes.ts'
import { type Logger } from '../logger.ts'
import { type RuntimeConfig } from '../runtime-config.ts'
import { bytes as bytesSerde } from '../serde/bytes.ts'
import { EffectRunner } from '../task/effect-runner.ts'
import { decodeOffsetMetadata, mergeOffsetMetadata } from '../task/offset-metadata.ts'
import { RecordScope } from '../task/record-scope.ts'
import { StreamTask, type TaskStore } from '../task/stream-task.ts'
import { type TaskCounters } from '../task/task-counters.ts'
import { type Topology } from '../topology/topology.ts'
import {
  inputsOf,
  openInputs,
  openStores,
  sinkOf,
  sinksOf,
  type TaskIdentity,
  taskIdentity,
} from './open-task.ts'
import { type RefusedInputs } from './refused-inputs.ts'
import { refuseRemade } from './remade-changelogs.ts'
import { restoreStores, type RestoreJob } from './restore.ts'
import { type RestoreProgress } from './restore-progress.ts'
import { type TopicPlan } from './topic-plan.ts'

export interface TaskManagerOptions {
  readonly applicationId: string
  readonly topology: Topology
  readonly broker: Broker
  readonly engine: Engine
  readonly topics: TopicPlan
  readonly clusterId: string
  readonly clock: Clock
  readonly config: RuntimeConfig
  readonly logger: Logger
  readonly counters: TaskCounters
  readonly progress: RestoreProgress
  readonly refusedInputs: RefusedInputs
  /** A completed external call waits for its task. */
  onCompletion(): void
  /** A step of a topology broke a rule while no record was in flight. */
  onFault(fault: Error): void
}

export interface RunningTask {
  readonly task: StreamTask
  readonly effects: EffectRunner
}

export class TaskManager {
  readonly #options: TaskManagerOptions
  #running: readonly RunningTask[] = []

  constructor(options: TaskManagerOptions) {
    this.#options = options
  }

  get running(): readonly RunningTask[] {
    return this.#running
  }

  /**
   * Opens these tasks, restored and positioned, effects not yet called.
   *
   * @throws {BrokerError | StoreError | RuntimeError} nothing runs; `action` says what to do
   */
  async open(taskIds: readonly string[]): Promise<void> {
    const { topology, broker, applicationId, topics } = this.#options
    const identities = taskIds.map((id) => taskIdentity(topology.plan.subTopologies, id))
    const inputs = identities.flatMap((task) => inputsOf(task, topics))
    const committed = await broker.groups.committedOffsets(applicationId, inputs)
    const offsets = await this.#resolveOffsets(inputs, committed)
    const opened = identities.map((task) => this.#openTask(task, offsets))
    await this.#restore(opened)
    this.#running = opened.map(({ task }) => ({
      task,
      effects: new EffectRunner({
        task,
        clock: this.#options.clock,
        counters: this.#options.counters,
        onCompletion: this.#options.onCompletion,
      }),
    }))
  }

  /** Takes up external calls that were open; after it, tasks may be given records. */
  startEffects(): void {
    for (const { effects } of this.#running) effects.recover()
  }

  /** Drops everything that is not committed. */
  close(): void {
    for (const { task, effects } of this.#running) {
      effects.close()
      task.close()
    }
    this.#running = []
  }

  /** Deletes what every reader has committed from the repartition topics. */
  async purgeRepartitionTopics(): Promise<void> {
    const {
      broker,
      topics,
      topology: {
        plan: { internalTopics },
      },
    } = this.#options
    const internal = new Set(internalTopics.map((name) => topics.physicalName(name)))
    const inputs = this.#running
      .flatMap(({ task }) => task.inputs)
      .map(({ queue: { topic, partition } }) => ({ topic, partition }))
      .filter(({ topic }) => internal.has(topic))
    const committed = await broker.groups.committedOffsets(this.#options.applicationId, inputs)
    for (const { topic, partition, offset } of committed) {
      await broker.topics.purge({ topic, partition }, offset)
    }
  }

  /** Committed positions, or the start of the log where there are none. */
  async #resolveOffsets(
    inputs: readonly TopicPartition[],
    committed: readonly CommittedOffset[],
  ): Promise<ReadonlyMap<string, OpeningOffset>> {
    const offsets = new Map<string, OpeningOffset>()
    for (const { topic, partition, offset, metadata } of committed) {
      offsets.set(`${topic}-${partition}`, { offset, metadata, isFirst: false })
    }
    for (const { topic, partition } of inputs) {
      if (offsets.has(`${topic}-${partition}`)) continue
      const { logStartOffset } = await this.#options.broker.topics.offsets({ topic, partition })
      offsets.set(`${topic}-${partition}`, { offset: logStartOffset, metadata: '', isFirst: true })
    }
    return offsets
  }

  #openTask(
    identity: TaskIdentity,
    offsets: ReadonlyMap<string, OpeningOffset>,
  ): { readonly task: StreamTask; readonly stores: ReadonlyMap<string, TaskStore> } {
    const { topology, engine, topics, config } = this.#options
    const records = new RecordScope()
    const stores = openStores(identity, {
      ...this.#options,
      undo: records.undoLog,
      cachedSlotsMax: config.cachedSlotsMax,
      engine,
      stores: topology.plan.stores,
    })
    const known = inputsOf(identity, topics).map(({ topic, partition }) =>
      offsets.get(`${topic}-${partition}`)!,
    )
    const task = new StreamTask({
      ...this.#options,
      id: identity.id,
      sub: identity.sub,
      partition: identity.partition,
      inputs: openInputs(identity, topics, offsets),
      metadata: known
        .map(({ metadata }) => decodeOffsetMetadata(metadata))
        .reduce(mergeOffsetMetadata),
      records,
      stores,
      sinks: sinksOf(identity, topics),
      deadLetters: {
        ...sinkOf(topics.deadLetters),
        serdes: { key: bytesSerde, value: bytesSerde },
      },
      refusedInputs: this.#options.refusedInputs.byPosition,
    })
    if (known.some(({ isFirst }) => isFirst)) task.markConsumed()
    return { task, stores }
  }

  async #restore(
    opened: readonly {
      readonly task: StreamTask
      readonly stores: ReadonlyMap<string, TaskStore>
    }[],
  ): Promise<void> {
    const { broker, engine, clock, config, progress, applicationId } = this.#options
    const jobs: RestoreJob[] = []
    await refuseRemade(
      broker,
      opened.flatMap(({ stores }) => [...stores.values()].map(({ head }) => head)),
    )
    for (const { task, stores } of opened) {
      for (const store of stores.values()) jobs.push(await this.#restoreJob(task, store))
    }
    await restoreStores(jobs, {
      broker,
      engine,
      clock,
      progress,
      clientId: `${applicationId}-restore`,
      batchBytes: config.restoreBatchBytes,
      maxWaitMs: config.fetchMaxWaitMs,
    })
  }

  /** Judges the local copy against the changelog as it is now, and wipes it if it must be. */
  async #restoreJob(task: StreamTask, { store, head }: TaskStore): Promise<RestoreJob> {
    const { broker, engine, clock, logger } = this.#options
    const { topic, partition, clusterId, topicId } = head.identity
    const facts = await broker.topics.offsets({ topic, partition })
    const bytes = engine.get(positionKey(topic, partition))
    const position = bytes === undefined ? undefined : decodePosition(bytes)
    const epochEndOffset = await this.#epochEnd(head.identity, position, facts)
    const judgement = judgePosition(position, {
      ...judgedFacts(facts),
      ...(epochEndOffset === undefined ? {} : { epochEndOffset }),
      clusterId,
      topicId,
      nowMs: clock.nowMs(),
      deleteRetentionMs: store.changelog.deleteRetentionMs ?? defaultDeleteRetentionMs,
      marginMs: deleteRetentionMarginMs,
    })
    const { highWatermark } = facts
    const job = { taskId: task.taskId, storeName: store.name, head, highWatermark }
    switch (judgement.verdict) {
      case 'resume':
        return { ...job, fromOffset: position!.offset }
      case 'restoreFromStart':
        await this.#deleteRows(task, store.name) // a wipe may have ended half-way
        return { ...job, fromOffset: facts.logStartOffset }
      case 'wipe':
        logger.warn(
          { store: store.name, task: task.taskId, reason: judgement.reason },
          'the local store is wiped and restored from its changelog',
        )
        await this.#wipe(task, store.name, head)
        return { ...job, fromOffset: facts.logStartOffset }
      case 'refuse':
        throw new RuntimeError(
          'STREAMS_STATE_MISMATCH',
          `store ${store.name} of task ${task.taskId}: ${judgement.reason}`,
        )
    }
  }

  /** A leader that lacked records may have been elected since, and have written others there. */
  async #epochEnd(
    { topic, partition }: TopicPartition,
    position: Position | undefined,
    facts: PartitionOffsets,
  ): Promise<bigint | undefined> {
    if (position === undefined || position.leaderEpoch >= facts.leaderEpoch) return undefined
    return this.#options.broker.topics.epochEnd({ topic, partition }, position.leaderEpoch)
  }

  /** The position goes first: rows without one are never trusted, a position without rows is. */
  async #wipe(task: StreamTask, storeName: string, head: TaskStore['head']): Promise<void> {
    const batch = new WriteBatch()
    head.forget(batch)
    await this.#options.engine.commit(batch)
    head.moved()
    await this.#deleteRows(task, storeName)
  }

  async #deleteRows(task: StreamTask, storeName: string): Promise<void> {
    const gte = namespacePrefix(task.taskId, storeName)
    await this.#options.engine.deleteRange({ gte, lt: prefixEnd(gte) })
    task.store(storeName)!.slots.clear()
  }
}

interface OpeningOffset {
  readonly offset: bigint
  readonly metadata: string
  readonly isFirst: boolean
}

const judgedFacts = ({
  logStartOffset,
  highWatermark,
  leaderEpoch,
}: PartitionOffsets): {
  logStartOffset: bigint
  highWatermark: bigint
  leaderEpoch: number
} => ({ logStartOffset, highWatermark, leaderEpoch })

const defaultDeleteRetentionMs = 86_400_000
/** A position may be this much younger than delete.retention and is rebuilt all the same. */
const deleteRetentionMarginMs = 3_600_000
