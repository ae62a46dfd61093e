/**
 * Opens, restores and closes the tasks of this instance.
 *
 * Called by the stream loop and its task share. Takeover order: the old owner is fenced (by the
 * caller) → committed offsets with requireStable → changelog high watermarks → restore to them →
 * run. 1. Opened tasks run when they are admitted; those that run go on meanwhile. 2. A closed task
 * is never used again; opening makes new ones over the same engine, which only ever holds committed
 * data. 3. Repartition topics are purged below the committed offsets, now and then.
 */

import type { Engine } from '../../state/engine.ts'
import { StoreLossError } from '../../state/errors.ts'
import { positionKey } from '../../state/key-layout.ts'
import { decodePosition, judgePosition, type Position } from '../../state/position.ts'
import { prefixEnd, namespacePrefix } from '../../state/key-layout.ts'
import type { SlotMemory } from '../../state/slot-memory.ts'
import { WriteBatch } from '../../state/write-batch.ts'
import type {
  Broker,
  CommittedOffset,
  PartitionOffsets,
  TopicPartition,
  TransactionalProducer,
} from '../broker/port.ts'
import type { Clock } from '../clock.ts'
import { RuntimeError } from '../errors/classes.ts'
import type { Logger } from '../logger.ts'
import type { RuntimeConfig } from '../runtime-config.ts'
import { bytes as bytesSerde } from '../serde/bytes.ts'
import type { Globals } from '../stores/global-rows.ts'
import { StreamTime } from '../stores/stream-time.ts'
import { EffectRunner } from '../task/effect-runner.ts'
import { decodeOffsetMetadata, mergeOffsetMetadata } from '../task/offset-metadata.ts'
import type { StampHeaders } from '../task/producer-headers.ts'
import { RecordScope } from '../task/record-scope.ts'
import { StreamTask } from '../task/stream-task.ts'
import type { TaskStore } from '../task/task-store.ts'
import { migrationsOf } from '../task/store-migration.ts'
import type { TaskCounters } from '../task/task-counters.ts'
import type { Topology } from '../topology/topology.ts'
import { releaseForgotten } from './forgotten-transactions.ts'
import {
  inputsOf,
  openInputs,
  openStores,
  sinkOf,
  sinksOf,
  type TaskIdentity,
  taskIdentity,
} from './open-task.ts'
import type { RefusedInputs } from './refused-inputs.ts'
import { refuseRemade } from './remade-changelogs.ts'
import { restoreStores, type RestoreJob } from './restore.ts'
import type { RestoreProgress } from './restore-progress.ts'
import type { StoreTotals } from './store-metrics.ts'
import type { TopicPlan } from './topic-plan.ts'

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
  /** Shared by the decoded rows of all stores. */
  readonly slotMemory: SlotMemory
  readonly storeTotals: StoreTotals
  readonly refusedInputs: RefusedInputs
  readonly globals: Globals
  /** A store ahead of its changelog is no store to wipe, but a loss to be told. */
  readonly refusesLoss: boolean
  /** Headers of every output; as they came if absent. */
  readonly stampHeaders: StampHeaders | undefined
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
  #opening: readonly string[] = []

  constructor(options: TaskManagerOptions) {
    this.#options = options
  }

  get running(): readonly RunningTask[] {
    return this.#running
  }

  /** Being restored, or waiting for it: not in `running` yet. */
  get opening(): readonly string[] {
    return this.#opening
  }

  /**
   * Opens these tasks, restored and positioned; nothing of them runs before `admit`.
   *
   * One call at a time.
   *
   * @throws {BrokerError | StoreError | RuntimeError} none is open; `action` says what to do
   * @throws the signal's reason
   */
  async open(taskIds: readonly string[], signal?: AbortSignal): Promise<readonly RunningTask[]> {
    const { topology, broker, applicationId, topics } = this.#options
    this.#opening = taskIds
    try {
      const identities = taskIds.map((id) => taskIdentity(topology.plan.subTopologies, id))
      const inputs = identities.flatMap((task) => inputsOf(task, topics))
      const committed = await broker.groups.committedOffsets(applicationId, inputs)
      const offsets = await this.#resolveOffsets(inputs, committed)
      const opened = identities.map((task) => this.#openTask(task, offsets))
      await this.#restore(opened, signal)
      return opened.map(({ task }) => this.#withEffects(task))
    } finally {
      this.#opening = []
    }
  }

  /** Right after `init`. @throws {BrokerError} initialise it again */
  async releaseForgotten(producer: TransactionalProducer): Promise<void> {
    const { topics, applicationId: groupId, logger } = this.#options
    const [partitions, inputs] = [topics.partitions(), topics.inputPartitions()]
    await releaseForgotten(producer, { partitions, inputs, groupId }, logger)
  }

  /** Takes up external calls that were open; after it, the tasks may be given records. */
  admit(opened: readonly RunningTask[]): void {
    this.#running = [...this.#running, ...opened]
    for (const { effects } of opened) effects.recover()
  }

  /** Drops everything of these tasks, or of all, that is not committed. */
  close(taskIds?: ReadonlySet<string>): void {
    const closing = this.#running.filter(({ task }) => taskIds?.has(task.taskId) ?? true)
    this.#running = this.#running.filter((running) => !closing.includes(running))
    closeTasks(closing)
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

  #withEffects(task: StreamTask): RunningTask {
    const { clock, counters, onCompletion } = this.#options
    return { task, effects: new EffectRunner({ task, clock, counters, onCompletion }) }
  }

  #openTask(
    identity: TaskIdentity,
    offsets: ReadonlyMap<string, OpeningOffset>,
  ): { readonly task: StreamTask; readonly stores: ReadonlyMap<string, TaskStore> } {
    const { topology, engine, topics, config, storeTotals } = this.#options
    const records = new RecordScope()
    const known = inputsOf(identity, topics).map(({ topic, partition }) =>
      offsets.get(`${topic}-${partition}`)!,
    )
    const metadata = known
      .map((offset) => decodeOffsetMetadata(offset.metadata))
      .reduce(mergeOffsetMetadata)
    const time = new StreamTime(metadata.streamTimeMs)
    const stores = openStores(identity, {
      ...this.#options,
      undo: records.undoLog,
      time,
      cachedSlotsMax: config.cachedSlotsMax,
      engine,
      countersOf: (name) => storeTotals.of(name),
      stores: topology.plan.stores,
    })
    const task = new StreamTask({
      ...this.#options,
      id: identity.id,
      sub: identity.sub,
      partition: identity.partition,
      inputs: openInputs(identity, topics, offsets),
      metadata,
      time,
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
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { broker, engine, clock, config, progress, applicationId } = this.#options
    const jobs: RestoreJob[] = []
    await refuseRemade(
      broker,
      opened.flatMap(({ stores }) => [...stores.values()].map(({ head }) => head)),
    )
    for (const { task, stores } of opened) {
      signal?.throwIfAborted()
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
      ...(signal && { signal }),
    })
    for (const { task } of opened) this.#migrate(task)
  }

  #migrate(task: StreamTask): void {
    const { engine, logger } = this.#options
    const { taskId, stores } = task
    const migrations = migrationsOf(stores, { engine, taskId })
    if (migrations.length === 0) return
    logger.info({ task: taskId, stores: migrations.map((one) => one.storeName) }, 'migrating rows')
    task.beginMigrations(migrations)
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
        if (judgement.isAhead && this.#options.refusesLoss) {
          throw new StoreLossError(
            'the broker',
            `store ${store.name} of task ${task.taskId}: ${judgement.reason}`,
            changelogWaysOut,
          )
        }
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

  /** A leader that lacked records may have been elected since, and have written others instead. */
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

export const closeTasks = (tasks: readonly RunningTask[]): void => {
  for (const { task, effects } of tasks) {
    effects.close()
    task.close()
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

const changelogWaysOut =
  'restore broker and stores together from a backup; or accept the loss: delete the stores '
  + '(`state/` of the state directory) and start again, then they are rebuilt from what is left, '
  + 'and whoever sent records since then must send them again'
