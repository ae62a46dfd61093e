/**
 * One instance of an application: a topology on a broker, with local state.
 *
 * ```
 *   created ──start──► starting ──► restoring ──► running ──close──► stopping ──► closed
 *                         │             │  ▲          │
 *                         │             │  └─reopen───┤        (fenced, unknown outcome, rebalance)
 *                         ▼             ▼             ▼
 *                       failed ◄──────────────────────┘        an error whose action is `stop`
 * ```
 * Called by the CLI, by tests and by users. It owns neither broker nor engine: who opened them
 * closes them, after this.
 */

import { randomUUID } from 'node:crypto'
import type { Engine } from '../../state/engine.ts'
import { divideMemory, memoryBudgetDefaultBytes } from '../../state/memory-budget.ts'
import { SlotMemory } from '../../state/slot-memory.ts'
import { BrokerError } from '../broker/errors.ts'
import type { Broker } from '../broker/port.ts'
import { type Clock, keepProcessAlive, systemClock } from '../clock.ts'
import { RuntimeError } from '../errors/classes.ts'
import { type Logger, silentLogger } from '../logger.ts'
import { resolveConfig, type RuntimeConfig } from '../runtime-config.ts'
import type { SchemaSession } from '../schema-registry/schema-session.ts'
import { type GlobalRows, GlobalTables } from '../stores/global-rows.ts'
import type { Store } from '../stores/store.ts'
import { TaskCounters } from '../task/task-counters.ts'
import type { Topic } from '../topic.ts'
import type { Topology } from '../topology/topology.ts'
import { type ApplicationState, assertTransition } from './application-state.ts'
import { type CommitPhases, CommitTimings } from './commit-timings.ts'
import { GlobalReader } from './global-reader.ts'
import { InstanceView, type InstanceViewOptions } from './instance-view.ts'
import { Membership } from './membership.ts'
import { openSchemas, schemaTopics } from './open-schemas.ts'
import { allTaskIds, taskIdentity } from './open-task.ts'
import { type PartitionReader, storeByName, StoreQuery } from './queries.ts'
import type { StampHeaders } from '../task/producer-headers.ts'
import { RefusedInputs } from './refused-inputs.ts'
import { RestoreProgress } from './restore-progress.ts'
import { type RuntimeMetrics, runtimeMetrics } from './runtime-metrics.ts'
import { StateGuard } from './state-guard.ts'
import { onUnhandledRxjsError } from './rxjs-errors.ts'
import { sleep } from './sleep.ts'
import { storeMetrics, type StoreMetrics, StoreTotals } from './store-metrics.ts'
import { StreamLoop } from './stream-loop.ts'
import type { TopicNames } from './internal-topics.ts'
import { sourcePlaces } from './task-meaning.ts'
import { TaskManager } from './task-manager.ts'
import { ToldReasons } from './told-reasons.ts'
import { TopicPlan } from './topic-plan.ts'

export interface ApplicationOptions {
  /** Group id, and prefix of internal topics and transactional ids; stable for ever. */
  readonly applicationId: string
  readonly topology: Topology
  readonly broker: Broker
  /** Holds the state of this instance and of no other. */
  readonly engine: Engine
  /** Distinguishes the instances of one application; stable over restarts. Default `0`. */
  readonly instanceId?: string
  /**
   * Joins the group as a static member under `instanceId`: stopped and started again within
   * `sessionTimeoutMs` it goes on with its tasks, and the others notice nothing. Meanwhile these
   * tasks stand still. A second process under the same id takes the place of the first, which then
   * stops with STREAMS_INSTANCE_ID_IN_USE. Default false.
   */
  readonly isStatic?: boolean
  /** `close` of a static member gives its tasks to the others at once. Default false. */
  readonly leavesOnStop?: boolean
  /** `host:port` at which this instance answers the queries of others, who are told. */
  readonly endpoint?: string
  /**
   * Address of this machine under which instances on other machines see whether this one lives
   * (Kafka only). Default `127.0.0.1`: those of the same machine. Without it a death is noticed
   * when the session ends.
   */
  readonly linkHost?: string
  /**
   * What to do with a local store that has more than its changelog.
   *
   * `restore` (default) follows the changelog, as after an unclean election. `refuse` stops with
   * STATE_LOST: for a broker in the same hands as the stores, about whose loss somebody decides.
   */
  readonly onLostChangelog?: 'restore' | 'refuse'
  /**
   * Estimated bytes of decoded rows that all stores of this instance keep in memory, beside
   * `cachedSlotsMax` for each. With the engine's `memoryBytes` a part of one budget: `divideMemory`
   * makes both of it. Default: that part of the default budget, 72 MiB.
   */
  readonly slotCacheBytes?: number
  /**
   * Starts although the topology has no place for some of the state it finds: rows and internal
   * topics of stores that went or were renamed are deleted, for good. For one start, with every
   * other instance stopped. Default false: refused with STREAMS_STATE_MISMATCH.
   */
  readonly acceptsTopologyChange?: boolean
  /**
   * Names at the broker of external topics that the topology names otherwise; of the dead letters
   * see `config`. State and internal topics do not hang on them, but committed offsets do: with
   * other names an application begins at the starts of those topics.
   */
  readonly topicNames?: TopicNames
  /** Where serdes find their schemas; needed if the topology has some that keep them elsewhere. */
  readonly schemaSession?: SchemaSession
  /** Headers of every output, out of those of its input; as they came if absent. */
  readonly stampHeaders?: StampHeaders
  readonly config?: Partial<RuntimeConfig>
  readonly clock?: Clock
  readonly logger?: Logger
}

interface Cluster {
  readonly topics: TopicPlan
  readonly clusterId: string
  readonly guard: StateGuard
}

export class Application {
  readonly #options: ApplicationOptions
  readonly #config: RuntimeConfig
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #counters = new TaskCounters()
  readonly #timings = new CommitTimings()
  readonly #progress = new RestoreProgress()
  readonly #storeTotals = new StoreTotals()
  readonly #slotMemory: SlotMemory
  /** Tells this process from an earlier one of the same instance. */
  readonly #incarnation = randomUUID()
  readonly #listeners = new Set<(state: ApplicationState) => void>()
  readonly #stopped = Promise.withResolvers<void>()
  /** Resolves when nobody wants it to start any more. */
  readonly #leaving = Promise.withResolvers<void>()
  #state: ApplicationState = 'created'
  #isKilled = false
  #starts = 0
  #trouble: string | undefined
  #globals: GlobalReader | undefined
  #globalTables: GlobalTables | undefined
  #tasks: TaskManager | undefined
  #loop: StreamLoop | undefined
  #view: InstanceView | undefined
  #release: (() => void) | undefined

  /** @throws {RuntimeError} STREAMS_CONFIG: an option is unknown or out of bounds */
  constructor(options: ApplicationOptions) {
    if (!/^[\w.-]+$/.test(options.applicationId)) {
      throw new RuntimeError(
        'STREAMS_CONFIG',
        `application id "${options.applicationId}" may hold `
          + 'letters, digits, ".", "_" and "-" only, since it names topics',
      )
    }
    this.#options = options
    this.#config = resolveConfig(options.config)
    this.#slotMemory = new SlotMemory(slotCacheBytesOf(options))
    this.#clock = options.clock ?? systemClock
    this.#logger = options.logger ?? silentLogger
    this.#stopped.promise.catch(() => {}) // who does not ask must not end the process
  }

  get state(): ApplicationState {
    return this.#state
  }

  /** How often an application began to run on this state; 0 before this one does. */
  get starts(): number {
    return this.#starts
  }

  /** Of this process; random, told to the group alone: whoever knows it belongs there. */
  get incarnation(): string {
    return this.#incarnation
  }

  /**
   * Why it does not run, where that is known: what the state's disk, the broker or the registry of
   * schemas said last.
   */
  get trouble(): string | undefined {
    return this.#trouble
  }

  /**
   * Why partitions stand still though the instance runs and has records; undefined if none does.
   * Not ready, then: the registry of schemas is away, or refuses us.
   */
  get inputTrouble(): string | undefined {
    return this.#loop?.inputTrouble
  }

  /** Resolves after `close`; rejects with the error that stopped the instance. */
  get stopped(): Promise<void> {
    return this.#stopped.promise
  }

  /**
   * Joins the group, restores the state and processes. A broker that is away is waited for.
   *
   * @returns  when all tasks run for the first time
   * @throws {RuntimeError} STREAMS_CLOSED: started before, or closed before it ran
   * @throws {RuntimeError | TopologyError | BrokerError | StoreError} the state is `failed`
   */
  async start(): Promise<void> {
    if (this.#state !== 'created') {
      throw new RuntimeError(
        'STREAMS_CLOSED',
        `the application is ${this.#state}: it starts once; make a new one to start again`,
      )
    }
    this.#to('starting')
    const release = keepProcessAlive()
    const unlisten = onUnhandledRxjsError((error) => this.#loop?.fail(error))
    this.#release = () => {
      unlisten()
      release()
    }
    const running = Promise.withResolvers<void>()
    this.#run(running.resolve).then(
      () => {
        this.#ended('closed')
        running.reject(
          new RuntimeError('STREAMS_CLOSED', 'the application was closed before it ran'),
        )
      },
      (error: unknown) => {
        this.#ended('failed', error)
        running.reject(error)
      },
    )
    await running.promise
  }

  /**
   * Commits what was processed, closes the tasks, leaves the group; a static member keeps its place
   * there for as long as its session lasts, unless `leavesOnStop`. Idempotent.
   */
  async close(): Promise<void> {
    if (this.#state === 'created') this.#to('closed')
    if (this.#state === 'closed' || this.#state === 'failed') return
    if (this.#state !== 'stopping') this.#to('stopping')
    this.#leaving.resolve()
    this.#loop?.stop()
    await this.#stopped.promise
  }

  /** Abandons everything at once, as a crash does. For tests and for a last resort. */
  kill(): void {
    this.#isKilled = true
    this.#leaving.resolve()
    this.#loop?.kill()
  }

  /**
   * Reads committed state of this instance.
   *
   * @throws {RuntimeError} STREAMS_CLOSED by its methods while no task runs: ask again
   */
  query<Opened, Reader>(store: Store<Opened, Reader>): StoreQuery<Reader> {
    const readers = (): readonly PartitionReader<Reader>[] =>
      (this.#tasks?.running ?? []).flatMap(({ task }) => {
        const found = task.store(store.name)
        if (found === undefined || task.isMigrating) return []
        return [{ partition: task.partition, reader: store.reader(found.slots) }]
      })
    return new StoreQuery(store.name, readers, () => this.#isOpening(store.name))
  }

  /** @throws {RuntimeError} STREAMS_CONFIG: no such store; the message lists them */
  queryByName(name: string): StoreQuery<unknown> {
    return this.query(storeByName(this.#options.topology.plan.stores, name))
  }

  /**
   * For queries over all instances; see `src/queries`.
   *
   * @throws {RuntimeError} STREAMS_CLOSED: the topics are not known yet, ask again
   */
  view(): InstanceView {
    if (this.#view !== undefined) return this.#view
    throw new RuntimeError('STREAMS_CLOSED', 'the instance is starting; ask again')
  }

  /**
   * Rows of a global table as the tasks see them now.
   *
   * @param topic  of the table
   * @throws {RuntimeError} STREAMS_CLOSED while it is not read yet: ask again
   */
  globalRows<K, V>(topic: Topic<K, V>): GlobalRows<K, V> {
    const rows = this.#globalTables?.find(topic.name)
    if (rows !== undefined) return rows as GlobalRows<K, V>
    throw new RuntimeError('STREAMS_CLOSED', `global table ${topic.name} is not read; ask again`)
  }

  /** @returns the function that removes the listener */
  onStateChange(listener: (state: ApplicationState) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /**
   * Tells how long the phases of each commit took, in ms.
   *
   * @returns the function that removes the listener
   */
  onCommit(listener: (phases: CommitPhases) => void): () => void {
    this.#timings.listeners.add(listener)
    return () => this.#timings.listeners.delete(listener)
  }

  metrics(): RuntimeMetrics {
    return runtimeMetrics({
      state: this.#state,
      counters: this.#counters,
      timings: this.#timings,
      progress: this.#progress,
      running: this.#tasks?.running ?? [],
      openingTasks: this.#tasks?.opening.length ?? 0,
      reopenings: this.#loop?.reopenings ?? 0,
    })
  }

  /** What each store of this instance does and holds; reading it costs a few microseconds. */
  storeMetrics(): ReadonlyMap<string, StoreMetrics> {
    return storeMetrics({
      names: [...this.#options.topology.plan.stores.keys()],
      totals: this.#storeTotals,
      progress: this.#progress,
      running: this.#tasks?.running ?? [],
    })
  }

  /** Estimated bytes of decoded rows, and their bound. */
  slotCache(): { readonly bytes: number; readonly bytesMax: number } {
    const { bytes, bytesMax } = this.#slotMemory
    return { bytes, bytesMax }
  }

  /** Records known to wait, fetched or not; -1 while no task runs. */
  lagRecords(): number {
    return this.metrics().lagRecords
  }

  async #run(onFirstRunning: () => void): Promise<void> {
    const { applicationId, broker, engine, topology } = this.#options
    const { plan } = topology
    const [config, clock, logger] = [this.#config, this.#clock, this.#logger]
    const cluster = await this.#findCluster()
    if (cluster === undefined) return
    const { clusterId, topics, guard } = cluster
    this.#starts = await guard.settle()
    await this.#openSchemas(topics)
    const globals = new GlobalTables(plan.globals.values())
    await this.#readGlobals(globals, topics)
    this.#globalTables = globals
    const refusedInputs = new RefusedInputs()
    this.#tasks = new TaskManager({
      applicationId,
      topology,
      broker,
      engine,
      topics,
      clusterId,
      clock,
      config,
      logger,
      refusedInputs,
      globals,
      counters: this.#counters,
      progress: this.#progress,
      slotMemory: this.#slotMemory,
      storeTotals: this.#storeTotals,
      refusesLoss: this.#options.onLostChangelog === 'refuse',
      stampHeaders: this.#options.stampHeaders,
      onCompletion: () => this.#loop?.wake(),
      onFault: (fault) => this.#loop?.fail(fault),
    })
    const membership = this.#membership(topics)
    this.#view = this.#viewOf({ topics, tasks: this.#tasks, membership })
    this.#loop = new StreamLoop({
      applicationId,
      broker,
      engine,
      clock,
      config,
      logger,
      membership,
      refusedInputs,
      instanceId: this.#options.instanceId ?? '0',
      transactionalId: this.#transactionalId,
      tasks: this.#tasks,
      timings: this.#timings,
      hasPlainSteps: plan.subTopologies.some(({ hasPlainSteps }) => hasPlainSteps),
      onOpening: (trouble) => {
        this.#trouble = trouble ?? this.#trouble
        this.#to('restoring')
      },
      onRunning: () => {
        this.#trouble = undefined
        this.#to('running')
        onFirstRunning()
      },
    })
    if (this.#state === 'stopping') this.#loop.stop()
    if (this.#isKilled) this.#loop.kill()
    await this.#loop.run()
  }

  #viewOf(parts: Pick<InstanceViewOptions, 'topics' | 'tasks' | 'membership'>): InstanceView {
    const { instanceId = '0', topology } = this.#options
    const { subTopologies, stores } = topology.plan
    const incarnation = this.#incarnation
    return new InstanceView({ ...parts, instanceId, incarnation, subTopologies, stores })
  }

  async #openSchemas(topics: TopicPlan): Promise<void> {
    const { topology, schemaSession: session } = this.#options
    const named = schemaTopics(topology.plan, (logical) => topics.physicalName(logical))
    await openSchemas(named, {
      session,
      clock: this.#clock,
      logger: this.#logger,
      isLeaving: () => this.#isKilled || this.#state !== 'starting',
      leaving: this.#leaving.promise,
      onTrouble: (trouble) => {
        this.#trouble = trouble
      },
    })
  }

  /** Returns when all of them are read, or nobody waits for it any more. */
  async #readGlobals(globals: GlobalTables, topics: TopicPlan): Promise<void> {
    const { applicationId, broker } = this.#options
    this.#globals = new GlobalReader({
      globals,
      broker,
      topics,
      clientId: applicationId,
      config: this.#config,
      clock: this.#clock,
      logger: this.#logger,
      onFault: (error) => this.#loop?.fail(error),
    })
    const reader = this.#globals
    void this.#leaving.promise.then(() => reader.close())
    await reader.catchUp()
  }

  /** @returns undefined if it was closed while the broker could not be reached */
  async #findCluster(): Promise<Cluster | undefined> {
    const { applicationId, broker, engine, topology, topicNames } = this.#options
    const { acceptsTopologyChange = false } = this.#options
    const { deadLetterTopic } = this.#config
    const told = new ToldReasons()
    for (let failures = 1; !this.#isKilled && this.#state === 'starting'; failures++) {
      try {
        const { plan } = topology
        const clusterId = await broker.clusterId()
        const guard = new StateGuard({
          engine,
          broker,
          applicationId,
          clusterId,
          plan,
          acceptsTopologyChange,
          logger: this.#logger,
        })
        const options = { applicationId, plan, deadLetterTopic, topicNames }
        const topics = await TopicPlan.apply(broker, options, (found) => guard.judge(found))
        this.#trouble = undefined
        return { topics, clusterId, guard }
      } catch (error) {
        if (!(error instanceof BrokerError) || error.action !== 'retry') throw error
        const reason = error.message
        this.#trouble = `the broker cannot be reached: ${reason}`
        const message = 'the broker cannot be reached; tried again'
        if (told.isNew(reason)) this.#logger.warn({ reason }, message)
        const waitMs = Math.min(10_000, 50 * 2 ** failures)
        await Promise.race([sleep(this.#clock, waitMs), this.#leaving.promise])
      }
    }
    return undefined
  }

  #membership(topics: TopicPlan): Membership {
    const { applicationId, broker, topology, instanceId = '0', endpoint = '' } = this.#options
    const { linkHost = '127.0.0.1', isStatic = false, leavesOnStop = false } = this.#options
    const { topicNames } = this.#options
    const { sessionTimeoutMs, heartbeatIntervalMs, maxStallMs } = this.#config
    return new Membership({
      broker,
      clock: this.#clock,
      groupId: applicationId,
      identity: {
        instanceId,
        isStatic,
        endpoint,
        incarnation: this.#incarnation,
        transactionalId: this.#transactionalId,
      },
      leavesOnStop,
      sessionTimeoutMs,
      heartbeatIntervalMs,
      maxStallMs,
      linkHost,
      topics: Object.keys(topics.sourcePartitions()),
      sources: sourcePlaces(topology.plan, topicNames),
      allTasks: () => allTaskIds(topology.plan.subTopologies, topics),
      onRebalance: () => this.#loop?.rebalance(),
      onLost: (error) => this.#loop?.fail(error),
    })
  }

  /** Stable over restarts, so that a new life of an instance ends what its former one left open. */
  get #transactionalId(): string {
    return `${this.#options.applicationId}-${this.#options.instanceId ?? '0'}`
  }

  #isOpening(storeName: string): boolean {
    const { subTopologies } = this.#options.topology.plan
    const running = this.#tasks?.running ?? []
    const migrating = running.filter(({ task }) => task.isMigrating)
    const ids = [...(this.#tasks?.opening ?? []), ...migrating.map(({ task }) => task.taskId)]
    return ids.some((id) => taskIdentity(subTopologies, id).sub.stores.includes(storeName))
  }

  #ended(state: 'closed' | 'failed', error?: unknown): void {
    this.#release?.()
    this.#globals?.close().catch(() => {}) // nothing of it is kept
    this.#to(state)
    if (state === 'closed') this.#stopped.resolve()
    else this.#stopped.reject(error)
  }

  #to(state: ApplicationState): void {
    if (state === this.#state) return
    // a reopening while stopping stays `stopping`: it only finishes what was begun
    if (this.#state === 'stopping' && (state === 'restoring' || state === 'running')) return
    assertTransition(this.#state, state)
    this.#state = state
    this.#logger.debug({ state }, 'application state')
    for (const listener of this.#listeners) listener(state)
  }
}

/** @throws {RuntimeError} STREAMS_CONFIG */
const slotCacheBytesOf = ({ slotCacheBytes }: ApplicationOptions): number => {
  if (slotCacheBytes === undefined) {
    return divideMemory(memoryBudgetDefaultBytes, { hasBroker: true }).slotCacheBytes
  }
  if (slotCacheBytes >= 0) return slotCacheBytes
  throw new RuntimeError('STREAMS_CONFIG', `slotCacheBytes is ${slotCacheBytes}: bytes, from 0`)
}
