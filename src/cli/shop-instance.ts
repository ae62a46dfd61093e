/**
 * The shop as one running instance: lock, engines, broker, topics, application, HTTP.
 *
 * The composition root, used by `dev`, `run` and `load`. 1. Parts open in this order and close in
 * the reverse, also when opening fails half-way, and within bounded time. 2. The HTTP server
 * listens before the state is restored, so that health can be asked, and answers 503 to the rest
 * until the instance runs, from before a Kafka answers. 3. One process per state directory; the
 * lock tells others where to reach this one. 4. A disk that fails, under the stores or under the
 * broker, and a directory that vanishes, stop it.
 *
 * Layout of the directory: `lock.json`, `state/` (local stores), `broker/` (topics, unless on
 * Kafka), `broker-commits` (how far these were acknowledged), `instance-id` (on Kafka: which
 * replica it is), `topic-names.json` (what the topics are called).
 */

import type { ShopConfig } from '../../topologies/shop/shared/config.ts'
import { orderCommands } from '../../topologies/shop/shared/topics.ts'
import type { TopicNames } from '../../topologies/shop/shared/topic-names.ts'
import { StateDirectory } from '../../state/directory.ts'
import type { Broker } from '../broker/port.ts'
import { systemClock } from '../clock.ts'
import type { Settings } from '../config/settings.ts'
import { PeerQueries } from '../http/peer-queries.ts'
import { Prometheus } from '../http/prometheus.ts'
import type { StateSources } from '../http/state-collectors.ts'
import type { Logger } from '../logger.ts'
import { BrokerWatch } from '../runtime/broker-watch.ts'
import type { Application } from '../runtime/application.ts'
import type { RuntimeMetrics } from '../runtime/runtime-metrics.ts'
import type { StoreReads } from '../queries/store-reads.ts'
import type { SchemaRegistry } from '../schema-registry/port.ts'
import { CommandError } from './failure.ts'
import { InvariantAlarms } from './invariant-alarms.ts'
import { kafkaSecurityOf } from './kafka-security.ts'
import { listenAt } from './listen-at.ts'
import { LocalShop } from './local-shop.ts'
import { givenMasterKey } from './master-key.ts'
import { openApplication } from './open-application.ts'
import { openEmbeddedBroker } from './open-broker.ts'
import { openKafka } from './open-kafka.ts'
import { openVault } from './open-vault.ts'
import { openPaymentProvider, type PaymentProvider } from './payment-provider.ts'
import { openSchemaAccess } from './schema-access.ts'
import { shopDesk } from './shop-desk.ts'
import { shopGauges } from './shop-gauges.ts'
import { createShopServer } from './shop-server.ts'
import { shopConfigOf, shopStamp } from './shop-settings.ts'
import { createShopTopics } from './shop-topics.ts'
import type { StoreSource } from './store-source.ts'
import { startApplication } from './start-application.ts'
import { stderrLogger } from './stderr-logger.ts'
import { claimNames } from './topic-names.ts'
import { openWaitingRoom } from './waiting-room.ts'

export interface OpenOptions {
  /** Kafka brokers; the embedded broker if absent. */
  readonly bootstrap?: string | undefined
  /** Whether this instance has all partitions: so on the embedded broker. */
  readonly isAlone?: boolean
  /** Ends waiting for Kafka and for the registry of schemas. */
  readonly interrupted: Promise<void>
}

export class ShopInstance {
  readonly shop: LocalShop
  readonly broker: Broker
  /** Of the shop's topics at the broker. */
  readonly names: TopicNames
  /** Such as `http://127.0.0.1:4004`. */
  readonly address: string
  /** Rejects with the error that stopped the instance; resolves after `close`. */
  readonly stopped: Promise<void>
  readonly #app: Application
  readonly #parts: AsyncDisposableStack
  readonly #watch: BrokerWatch | undefined
  #closing: Promise<void> | undefined

  private constructor(app: Application, parts: AsyncDisposableStack, rest: InstanceParts) {
    this.#app = app
    this.#parts = parts
    this.#watch = rest.watch
    this.shop = rest.shop
    this.broker = rest.broker
    this.names = rest.names
    this.address = rest.address
    this.stopped = Promise.race([app.stopped, ...rest.failures])
    this.stopped.catch(() => {}) // who does not ask finds out by closing
  }

  /**
   * Opens everything and waits until the tasks run.
   *
   * @throws {StoreLockedError} another process has the state directory: use that one, or stop it
   * @throws {CommandError} the port is in use; Kafka does not answer
   */
  static async open(settings: Settings, options: OpenOptions): Promise<ShopInstance> {
    await using parts = new AsyncDisposableStack()
    givenMasterKey(settings) // a wrong file is told before names of topics bind the directory
    const logger = stderrLogger(settings.logLevel)
    const provider = openPaymentProvider(settings, logger)
    parts.defer(() => provider.close())
    const alarms = new InvariantAlarms(logger)
    const config = shopConfigOf(settings, { provider, alarms })
    const { directory, names } = takeDirectory(settings, parts)
    const wanted = { ...options, logger, names }
    const { broker, failed, port } = await openBroker(settings, wanted, parts)
    const watch = watchOf({ broker, logger, parts, names })
    const peers = await openPeers(settings, broker, parts)
    const { endpoint } = peers
    const schemas = await openSchemaAccess(settings, broker, parts)
    const { session } = schemas
    const shared = { broker, logger, parts, provider, names, alarms }
    const opened = await openApplication(settings, { ...shared, endpoint, session, config })
    const { app, stores, figures } = opened
    const reads = peers.serve(app, broker)
    const seesAll = options.isAlone === true || broker.kind === 'embedded'
    const shop = await openShop(settings, {
      ...shared,
      app,
      config,
      stores,
      reads,
      seesAll,
      watch,
      names,
    })
    const address = await openHttp(port, {
      ...shared,
      app,
      shop,
      stores,
      figures,
      watch,
      registry: schemas.builtIn,
    })
    directory.setAddress(address)
    parts.defer(() => app.close())
    const failures = [failed, watched(directory, parts)]
    const { interrupted } = options
    await startApplication(app, { watch, interrupted, failures, cut: () => cut(app, broker) })
    const rest = { shop, broker, address, failures, watch, names }
    return new ShopInstance(app, parts.move(), rest)
  }

  /** Whether the broker is away: closing then ends without a last commit. */
  get isBrokerSilent(): boolean {
    return this.#watch?.isSilent === true
  }

  /** Of this state directory, this one too; commands that only read do not count. */
  get starts(): number {
    return this.#app.starts
  }

  metrics(): RuntimeMetrics {
    return this.#app.metrics()
  }

  /**
   * Commits what was processed and closes everything. Idempotent.
   *
   * @throws {CommandError} it takes too long, or the broker is away: given up, as a crash would;
   * the state survives that
   */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    const late = Promise.withResolvers<void>()
    const timers: ReturnType<typeof setTimeout>[] = []
    let why: string | undefined
    const giveUp = (reason: string): void => {
      why ??= reason
      cut(this.#app, this.broker)
      timers.push(setTimeout(late.resolve, killedMaxMs))
    }
    const tooLong = `not closed within ${closeMaxMs / 1000} s and ended as it is`
    timers.push(setTimeout(() => giveUp(tooLong), closeMaxMs))
    void this.#watch?.untilSilent().then(() => giveUp('ended while Kafka does not answer'))
    try {
      await Promise.race([this.#parts.disposeAsync(), late.promise])
    } catch (error) {
      if (why === undefined) throw error // of what was cut off there is nothing to tell
    } finally {
      for (const timer of timers) clearTimeout(timer)
    }
    if (why === undefined) return
    throw new CommandError(`${why}; what was committed is kept, the rest is done again next time`)
  }
}

interface InstanceParts {
  readonly shop: LocalShop
  readonly broker: Broker
  readonly address: string
  readonly failures: readonly Promise<never>[]
  readonly watch: BrokerWatch | undefined
  readonly names: TopicNames
}

/** Longer than a broker's answers may take, a few times over. */
const closeMaxMs = 30_000
/** What is left to close once nothing is committed any more. */
const killedMaxMs = 1_500
const watchEveryMs = 1_000

/** @throws {RuntimeError} STREAMS_STATE_MISMATCH: it was begun with other names of topics */
const takeDirectory = (settings: Settings, parts: AsyncDisposableStack) => {
  const directory = StateDirectory.lock(settings.stateDir)
  parts.defer(() => directory.unlock())
  return { directory, names: claimNames(settings) }
}

/** Rejects when the directory is not ours any more: databases would go on writing into nothing. */
const watched = (directory: StateDirectory, parts: AsyncDisposableStack): Promise<never> => {
  const gone = Promise.withResolvers<never>()
  gone.promise.catch(() => {})
  const timer = setInterval(() => {
    try {
      directory.check()
    } catch (error) {
      gone.reject(error)
    }
  }, watchEveryMs)
  timer.unref()
  parts.defer(() => clearInterval(timer))
  return gone.promise
}

interface OpenedBroker {
  readonly broker: Broker
  /** Rejects when it cannot go on. */
  readonly failed: Promise<never>
  /** Of the HTTP server to be opened. */
  readonly port: number
}

interface BrokerOptions extends OpenOptions {
  readonly logger: Logger
  readonly names: TopicNames
}

const openBroker = async (
  settings: Settings,
  { bootstrap, interrupted, logger, names }: BrokerOptions,
  parts: AsyncDisposableStack,
): Promise<OpenedBroker> => {
  if (bootstrap !== undefined) {
    const { connectTimeoutMs } = settings
    const security = kafkaSecurityOf(settings)
    const waiting = await openWaitingRoom(settings.port, { bootstrap, logger })
    const { port } = waiting
    try {
      const wanted = { bootstrap, connectTimeoutMs, security, interrupted }
      const kafka = await openKafka(wanted, names)
      parts.defer(() => kafka.close())
      return { broker: kafka, failed: new Promise<never>(() => {}), port }
    } finally {
      await waiting.close()
    }
  }
  const broker = await openEmbeddedBroker(settings, parts)
  await createShopTopics(broker, names)
  return { broker, failed: broker.failed, port: settings.port }
}

/** The embedded broker is in this process: it fails aloud, and never goes away. */
const watchOf = ({
  broker,
  logger,
  parts,
  names,
}: Pick<HttpParts, 'broker' | 'logger' | 'parts' | 'names'>): BrokerWatch | undefined => {
  if (broker.kind === 'embedded') return undefined
  const topic = names.of(orderCommands.name)
  const watch = new BrokerWatch({ broker, topic, name: 'Kafka', clock: systemClock, logger })
  parts.defer(() => watch.stop())
  return watch
}

/** As a crash would: closing what is left waits for no answer of the broker any more. */
const cut = (app: Application, broker: Broker): void => {
  app.kill()
  if (broker.kind === 'kafka') broker.close().catch(() => {})
}

interface ShopParts {
  readonly broker: Broker
  readonly parts: AsyncDisposableStack
  readonly app: Application
  readonly config: ShopConfig
  readonly stores: StoreSource
  readonly reads: StoreReads
  readonly seesAll: boolean
  readonly watch: BrokerWatch | undefined
  readonly names: TopicNames
}

/** @throws {CommandError} the master key is not the one that wrapped the data keys */
const openShop = async (
  settings: Settings,
  { broker, parts, app, config, stores, reads, seesAll, watch, names }: ShopParts,
): Promise<LocalShop> => {
  const keepsKey = broker.kind === 'embedded'
  const sealing = { isSealing: config.erasure, isStarting: true }
  const vault = await openVault(settings, { broker, keepsKey, ...sealing, parts })
  const shop = await LocalShop.open({
    broker,
    clock: systemClock,
    stores,
    reads,
    source: 'millrace',
    names,
    seesAll,
    progress: () => ({ isReady: app.state === 'running', lagRecords: app.lagRecords() }),
    isBrokerSilent: watch && (() => watch.isSilent),
    onCommit: (listener) => app.onCommit(() => listener()),
    stamp: shopStamp(settings),
    vault,
  })
  parts.defer(() => shop.close())
  return shop
}

/** @throws {CommandError} `--link-host` is none of this machine */
const openPeers = async (
  { linkHost }: Settings,
  broker: Broker,
  parts: AsyncDisposableStack,
): Promise<PeerQueries> => {
  if (broker.kind === 'embedded') return PeerQueries.alone()
  try {
    const peers = await PeerQueries.open(linkHost)
    parts.defer(() => peers.close())
    return peers
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new CommandError(
      `--link-host ${linkHost} cannot be listened at (${code}): name an address of this machine`,
    )
  }
}

interface HttpParts {
  readonly app: Application
  readonly figures: StateSources
  readonly shop: LocalShop
  readonly stores: StoreSource
  readonly broker: Broker
  readonly logger: Logger
  readonly parts: AsyncDisposableStack
  readonly watch: BrokerWatch | undefined
  readonly provider: PaymentProvider
  readonly names: TopicNames
  readonly alarms: InvariantAlarms
  /** To be served under `/registry`. */
  readonly registry: SchemaRegistry | undefined
}

const openHttp = async (
  port: number,
  { app, shop, stores, figures, watch, registry, ...shared }: HttpParts,
): Promise<string> => {
  const { broker, logger, parts, names } = shared
  const gauges = shopGauges({ app, stores, ...shared })
  const metrics = new Prometheus(() => app.metrics(), gauges, figures)
  parts.defer(app.onCommit(metrics.observeCommit))
  const desk = shopDesk({ broker, logger, names })
  parts.defer(() => desk.close())
  const server = await createShopServer({
    health: () => ({
      isLive: app.state !== 'failed',
      isReady: whyNotReady(app, watch) === undefined && app.inputTrouble === undefined,
      reason: whyNotReady(app, watch) ?? app.inputTrouble,
    }),
    metrics: () => metrics.text(),
    logger,
    shop,
    desk,
    registry,
    whyNotReady: () => whyNotReady(app),
  })
  parts.defer(() => server.close())
  return listenAt(server, port)
}

/** A disk that is full is told as such: restoring is what the instance tries meanwhile. */
const whyNotReady = (app: Application, watch?: BrokerWatch): string | undefined => {
  if (watch?.isSilent === true) return 'Kafka does not answer.'
  if (app.state === 'running') return undefined
  const { state, trouble } = app
  return trouble === undefined ? `The instance is ${state}.` : `The instance waits: ${trouble}`
}
