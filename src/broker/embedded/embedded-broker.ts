/**
 * A durable, transactional broker inside the process: what `millrace dev`, tests and simulations
 * run on. Opened by the runtime or a test; any number of applications of the process may share it.
 *
 * It differs from Kafka: 1. One process, no replication: a leader epoch is a start of the broker.
 * 2. Nothing travels over a wire, so there are no sequence numbers and no lost answers; faults are
 * injected instead. 3. Transactions that the last process left open are aborted at the start
 * (`openTransactionsOnStart`), since their owners are dead. 4. Acknowledged means written by the
 * engine: it survives the process; whether it survives the machine is the engine's durability.
 * 5. Group generations are not durable. 6. Consumed memory: the tail cache and per-key maps of a
 * running compaction; logs are on disk. 7. Clock, randomness and faults are injected; it touches
 * no others, so a manual clock drives everything. 8. A disk that stays full or fails ends it:
 * `failed` says so, and every later write is refused with the error of the disk.
 */

import { randomUUID } from 'node:crypto'
import type { Engine } from '../../../state/engine.ts'
import { StoreLossError } from '../../../state/errors.ts'
import type { Clock } from '../../clock.ts'
import { Prng } from '../../testing/prng.ts'
import { BrokerError } from '../errors.ts'
import type {
  Broker,
  Fetcher,
  Groups,
  Producer,
  Topics,
  TransactionalOptions,
  TransactionalProducer,
} from '../port.ts'
import { Cluster } from './cluster.ts'
import { CommittedOffsets } from './committed-offsets.ts'
import { EmbeddedFetcher } from './embedded-fetcher.ts'
import { EmbeddedProducer } from './embedded-producer.ts'
import { EmbeddedTransactionalProducer } from './embedded-transactional-producer.ts'
import type { EmbeddedBrokerFaults } from './faults.ts'
import { GroupCoordinator } from './group-coordinator.ts'
import { Journal } from './journal.ts'
import { type CleanOptions, LogCleaner } from './log-cleaner.ts'
import { LogCache } from './log-cache.ts'
import { lossOf, type LogWitness } from './log-witness.ts'
import { TopicRegistry } from './topic-registry.ts'
import { TransactionCoordinator } from './transaction-coordinator.ts'

export interface EmbeddedBrokerOptions {
  /** Of its own: the broker uses all of the key space. */
  readonly engine: Engine
  readonly clock: Clock
  /** Ids come from this seed; from the system's randomness if absent. */
  readonly seed?: number
  readonly faults?: EmbeddedBrokerFaults
  /** Close the engine with the broker; default false. */
  readonly ownsEngine?: boolean
  /** Between the answer of a commit and its markers, in ms; default 0: the next macrotask. */
  readonly markerDelayMs?: number
  /**
   * How much later than the committed offsets the records of a transaction become stable, in ms;
   * default 0: together. On Kafka each partition's leader writes its marker in its own time.
   */
  readonly logMarkerDelayMs?: number
  /** Default `abort`; `keep` holds the last stable offset until fenced or timed out, as Kafka. */
  readonly openTransactionsOnStart?: 'abort' | 'keep'
  /** Decoded tails of all partitions together; default 8 MB. */
  readonly cacheBytesMax?: number
  /** How long a rebalance waits for members that do not join, in ms; default 60,000. */
  readonly rebalanceTimeoutMs?: number
  /** Between two runs of `maintain`, in ms; default 30,000; 0 switches the timer off. */
  readonly maintenanceIntervalMs?: number
  /** Fewest new records that make a compaction worth while; default 10,000. */
  readonly dirtyRecordsMin?: number
  /** Keys that one compaction looks at, about 150 bytes of memory each; default 200,000. */
  readonly compactionKeysMax?: number
  /** Notices that acknowledged records are gone; without it they go unnoticed. */
  readonly witness?: LogWitness
  /** Go on without what the witness misses; only where no store is ahead of the broker. */
  readonly acceptsLoss?: boolean
}

const markerRetryMs = 100

export interface BrokerFigures {
  readonly database: Pick<Engine, 'property'>
  readonly logCacheBytes: number
}

export class EmbeddedBroker implements Broker {
  readonly kind = 'embedded'
  readonly topics: Topics
  readonly groups: Groups
  readonly #options: EmbeddedBrokerOptions
  readonly #journal: Journal
  readonly #cluster: Cluster
  readonly #registry: TopicRegistry
  readonly #coordinator: GroupCoordinator
  readonly #transactions: TransactionCoordinator
  readonly #committedOffsets: CommittedOffsets
  readonly #cleaner: LogCleaner
  readonly #logCache: LogCache
  readonly #fetchers = new Set<EmbeddedFetcher>()
  #state: 'open' | 'closing' | 'closed' = 'open'
  #cancelMaintenance: () => void = () => {}
  #maintenance: Promise<void> | undefined
  readonly #failed: PromiseWithResolvers<never>

  private constructor(options: EmbeddedBrokerOptions, parts: Parts) {
    this.#options = options
    this.#journal = parts.journal
    this.#cluster = parts.cluster
    this.#registry = parts.registry
    this.#coordinator = parts.coordinator
    this.#transactions = parts.transactions
    this.#committedOffsets = parts.committedOffsets
    this.#cleaner = parts.cleaner
    this.#logCache = parts.logCache
    this.topics = parts.registry
    this.groups = parts.coordinator
    this.#failed = parts.failed
    this.#scheduleMaintenance()
  }

  /**
   * Recovers what the engine holds: logs, offsets, transactions that were ending.
   *
   * @throws {StoreError} STATE_LOST: acknowledged records are gone; the message has the ways out
   */
  static async open(options: EmbeddedBrokerOptions): Promise<EmbeddedBroker> {
    const { engine, witness, openTransactionsOnStart = 'abort' } = options
    const loss = witness === undefined ? undefined : lossOf(engine, witness)
    if (loss !== undefined && options.acceptsLoss !== true)
      throw new StoreLossError('the embedded broker', loss)
    const parts = await assemble(options)
    const { journal } = parts
    parts.committedOffsets.recover(engine)
    await parts.registry.recover()
    await parts.transactions.recover(engine, parts.registry.logs(), openTransactionsOnStart)
    await journal.durable()
    return new EmbeddedBroker(options, parts)
  }

  /** Rejects with the disk's error once nothing can be written any more; else never settles. */
  get failed(): Promise<never> {
    return this.#failed.promise
  }

  /** Figures of its database, and memory of the tails of its logs: for metrics. */
  get figures(): BrokerFigures {
    const { engine } = this.#options
    return { database: engine, logCacheBytes: this.#logCache.bytes }
  }

  async clusterId(): Promise<string> {
    return this.#cluster.clusterId
  }

  fetcher(_clientId: string): Fetcher {
    this.#checkOpen()
    const { engine, clock, faults } = this.#options
    const fetcher = new EmbeddedFetcher({
      engine,
      clock,
      faults,
      topics: this.#registry,
      onClose: (closed) => this.#fetchers.delete(closed),
    })
    this.#fetchers.add(fetcher)
    return fetcher
  }

  producer(_clientId: string): Producer {
    this.#checkOpen()
    const { clock, faults } = this.#options
    return new EmbeddedProducer({ clock, faults, journal: this.#journal, topics: this.#registry })
  }

  transactionalProducer(options: TransactionalOptions): TransactionalProducer {
    this.#checkOpen()
    const { clock, faults } = this.#options
    return new EmbeddedTransactionalProducer({
      ...options,
      clock,
      faults,
      topics: this.#registry,
      groups: this.#coordinator,
      transactions: this.#transactions,
    })
  }

  /**
   * Retention, compaction and removal of purged rows, over all partitions. A timer calls it; a
   * second call waits for the first and runs again.
   */
  async maintain(options: CleanOptions = { force: false }): Promise<void> {
    while (this.#maintenance !== undefined) await this.#maintenance
    this.#checkOpen()
    this.#maintenance = this.#cleanAll(options)
    try {
      await this.#maintenance
    } finally {
      this.#maintenance = undefined
    }
  }

  /** Ends long polls, waits for what is being written, then closes. */
  async close(): Promise<void> {
    if (this.#state !== 'open') return
    this.#state = 'closing'
    this.#cancelMaintenance()
    this.#cleaner.stop()
    for (const fetcher of this.#fetchers) await fetcher.close()
    await this.#maintenance?.catch(() => {})
    await this.#transactions.settled()
    await this.#journal.durable().catch(() => {})
    this.kill()
    if (this.#options.ownsEngine === true) await this.#options.engine.close()
  }

  /** For crash tests: no more writes from now on, and no answer is a success. */
  kill(): void {
    this.#state = 'closed'
    this.#cancelMaintenance()
    this.#cleaner.stop()
    this.#journal.stop()
    this.#transactions.stop()
    this.#coordinator.stop()
    this.#committedOffsets.stop()
    for (const fetcher of this.#fetchers) void fetcher.close()
  }

  async #cleanAll(options: CleanOptions): Promise<void> {
    for (const log of this.#registry.logs()) {
      if (this.#state !== 'open') return
      if (!log.isDeleted) await this.#cleaner.clean(log, options)
    }
  }

  /** A failure (disk full) is no reason to stop: the next run tries again. */
  #scheduleMaintenance(): void {
    const { clock, maintenanceIntervalMs = 30_000 } = this.#options
    if (maintenanceIntervalMs === 0) return
    this.#cancelMaintenance = clock.setTimer(maintenanceIntervalMs, () => {
      void this.maintain()
        .catch(() => {})
        .finally(() => {
          if (this.#state === 'open') this.#scheduleMaintenance()
        })
    })
  }

  #checkOpen(): void {
    if (this.#state === 'open') return
    throw new BrokerError('BROKER_CLOSED', 'the embedded broker is closed')
  }
}

interface Parts {
  readonly journal: Journal
  readonly failed: PromiseWithResolvers<never>
  readonly cluster: Cluster
  readonly registry: TopicRegistry
  readonly coordinator: GroupCoordinator
  readonly transactions: TransactionCoordinator
  readonly committedOffsets: CommittedOffsets
  readonly cleaner: LogCleaner
  readonly logCache: LogCache
}

const assemble = async (options: EmbeddedBrokerOptions): Promise<Parts> => {
  const { engine, clock, witness, faults, seed } = options
  let prng = seed === undefined ? undefined : new Prng(seed)
  const newUuid = (): string => prng?.uuid() ?? randomUUID()
  const failed = Promise.withResolvers<never>()
  failed.promise.catch(() => {}) // who does not ask is told by the next call
  let onBroken = (): void => {}
  const journal = new Journal({
    engine,
    clock,
    witness,
    onBroken: (error) => {
      onBroken()
      failed.reject(error)
    },
  })
  const cluster = await Cluster.open(engine, journal, newUuid)
  witness?.begin(cluster.clusterId, journal.commits)
  if (seed !== undefined) prng = new Prng(seed + cluster.leaderEpoch) // no id of the last start
  const committedOffsets = new CommittedOffsets(journal)
  const transactions = new TransactionCoordinator({
    journal,
    clock,
    cluster,
    committedOffsets,
    markerRetryMs,
    markerDelayMs: options.markerDelayMs ?? 0,
    logMarkerDelayMs: options.logMarkerDelayMs ?? 0,
  })
  // whoever waits for an offset or a marker is not told an older one: the journal tells them
  onBroken = () => {
    transactions.stop()
    committedOffsets.stop()
  }
  const logCache = new LogCache(options.cacheBytesMax ?? 8 * 1024 * 1024)
  return {
    journal,
    failed,
    cluster,
    committedOffsets,
    transactions,
    logCache,
    registry: new TopicRegistry({
      engine,
      journal,
      cache: logCache,
      cluster,
      committedOffsets,
      newUuid,
    }),
    coordinator: new GroupCoordinator({
      clock,
      committedOffsets,
      faults,
      newUuid,
      rebalanceTimeoutMs: options.rebalanceTimeoutMs ?? 60_000,
    }),
    cleaner: new LogCleaner({
      engine,
      journal,
      clock,
      dirtyRecordsMin: options.dirtyRecordsMin ?? 10_000,
      keysMax: options.compactionKeysMax ?? 200_000,
    }),
  }
}
