/**
 * The shop as one running instance: lock, engines, broker, topics, application, HTTP.
 *
 * The composition root, used by `dev`, `run` and `load`. 1. Parts open in this order and close in
 * the reverse, also when opening fails half-way. 2. The HTTP server listens before the state is
 * restored, so that health can be asked, and answers 503 to the rest until the instance runs.
 * 3. One process per state directory; the lock tells others where to reach this one.
 *
 * Layout of the directory: `lock.json`, `state/` (local stores), `broker/` (topics, unless on
 * Kafka), `instance-id` (on Kafka: which replica it is).
 */

import { type FastifyInstance } from 'fastify'
import { shopRoutes } from '../../topologies/shop/http/shop-routes.ts'
import { orderTotals } from '../../topologies/shop/orders/stores.ts'
import { shopTopology } from '../../topologies/shop/shop.ts'
import { StateDirectory } from '../../state/directory.ts'
import { EmbeddedBroker } from '../broker/embedded/embedded-broker.ts'
import { type Broker } from '../broker/port.ts'
import { systemClock } from '../clock.ts'
import { type Settings } from '../config/settings.ts'
import { createHttpServer, listenOnLoopback } from '../http/http-server.ts'
import { HttpProblem } from '../http/problem.ts'
import { Prometheus } from '../http/prometheus.ts'
import { type Logger } from '../logger.ts'
import { storeByName } from '../runtime/queries.ts'
import { Application } from '../runtime/application.ts'
import { type RuntimeMetrics } from '../runtime/runtime-metrics.ts'
import { type Topology } from '../topology/topology.ts'
import { CommandError } from './failure.ts'
import { instanceIdOf } from './instance-id.ts'
import { kafkaSecurityOf } from './kafka-security.ts'
import { LocalShop } from './local-shop.ts'
import { openEngine } from './open-engine.ts'
import { openKafka } from './open-kafka.ts'
import { shopConfigOf } from './shop-settings.ts'
import { createShopTopics, deadLetterTopic } from './shop-topics.ts'
import { type StoreSource } from './store-source.ts'
import { stderrLogger } from './stderr-logger.ts'

export const applicationId = 'shop'

export interface OpenOptions {
  /** Kafka brokers; the embedded broker if absent. */
  readonly bootstrap?: string | undefined
  /** Whether this instance has all partitions: so on the embedded broker. */
  readonly isAlone?: boolean
  /** Ends waiting for Kafka. */
  readonly interrupted: Promise<void>
}

export class ShopInstance {
  readonly shop: LocalShop
  readonly broker: Broker
  /** Such as `http://127.0.0.1:4004`. */
  readonly address: string
  readonly #app: Application
  readonly #parts: AsyncDisposableStack

  private constructor(
    app: Application,
    parts: AsyncDisposableStack,
    rest: { readonly shop: LocalShop; readonly broker: Broker; readonly address: string },
  ) {
    this.#app = app
    this.#parts = parts
    this.shop = rest.shop
    this.broker = rest.broker
    this.address = rest.address
  }

  /**
   * Opens everything and waits until the tasks run.
   *
   * @throws {StoreLockedError} another process has the state directory: use that one, or stop it
   * @throws {CommandError} the port is in use; Kafka does not answer
   */
  static async open(settings: Settings, options: OpenOptions): Promise<ShopInstance> {
    await using parts = new AsyncDisposableStack()
    const logger = stderrLogger(settings.logLevel)
    const directory = StateDirectory.lock(settings.stateDir)
    parts.defer(() => directory.unlock())
    const broker = await openBroker(settings, options, parts)
    const { app, topology } = await openApplication(settings, { broker, logger, parts })
    const stores: StoreSource = {
      query: (store) => app.query(store),
      named: (name) => storeByName(topology.plan.stores, name),
    }
    const shop = await LocalShop.open({
      broker,
      clock: systemClock,
      stores,
      source: 'millrace',
      seesAll: options.isAlone === true || broker.kind === 'embedded',
      progress: () => ({ isReady: app.state === 'running', lagRecords: app.lagRecords() }),
    })
    parts.defer(() => shop.close())
    const address = await openHttp(settings, { app, shop, stores, logger, parts })
    directory.setAddress(address)
    parts.defer(() => app.close())
    await app.start()
    return new ShopInstance(app, parts.move(), { shop, broker, address })
  }

  /** Rejects with the error that stopped the instance; resolves after `close`. */
  get stopped(): Promise<void> {
    return this.#app.stopped
  }

  metrics(): RuntimeMetrics {
    return this.#app.metrics()
  }

  /** Commits what was processed and closes everything. Idempotent. */
  async close(): Promise<void> {
    await this.#parts.disposeAsync()
  }
}

const openBroker = async (
  settings: Settings,
  { bootstrap, interrupted }: OpenOptions,
  parts: AsyncDisposableStack,
): Promise<Broker> => {
  if (bootstrap !== undefined) {
    const { connectTimeoutMs } = settings
    const security = kafkaSecurityOf(settings)
    const kafka = await openKafka({ bootstrap, connectTimeoutMs, security, interrupted })
    parts.defer(() => kafka.close())
    return kafka
  }
  const engine = await openEngine(settings, 'broker')
  parts.defer(() => engine.close())
  const broker = await EmbeddedBroker.open({ engine, clock: systemClock })
  parts.defer(() => broker.close())
  await createShopTopics(broker)
  return broker
}

const openApplication = async (
  settings: Settings,
  {
    broker,
    logger,
    parts,
  }: {
    readonly broker: Broker
    readonly logger: Logger
    readonly parts: AsyncDisposableStack
  },
): Promise<{ readonly app: Application; readonly topology: Topology }> => {
  const engine = await openEngine(settings, 'state')
  parts.defer(() => engine.close())
  const topology = shopTopology(shopConfigOf(settings))
  const app = new Application({
    applicationId,
    instanceId: broker.kind === 'embedded' ? '0' : instanceIdOf(settings.stateDir),
    topology,
    broker,
    engine,
    clock: systemClock,
    logger,
    config: { ...settings.runtime, deadLetterTopic, applicationVersion: '0.1.0' },
  })
  return { app, topology }
}

interface HttpParts {
  readonly app: Application
  readonly shop: LocalShop
  readonly stores: StoreSource
  readonly logger: Logger
  readonly parts: AsyncDisposableStack
}

const openHttp = async (
  { port }: Settings,
  { app, shop, stores, logger, parts }: HttpParts,
): Promise<string> => {
  const metrics = new Prometheus(
    () => app.metrics(),
    [
      {
        name: 'shop_total',
        help: 'Counters of the orders flow, over all partitions.',
        label: 'counter',
        values: () => (app.state === 'running' ? sums(stores.query(orderTotals).range()) : {}),
      },
    ],
  )
  parts.defer(app.onCommit(metrics.observeCommit))
  const server: FastifyInstance = createHttpServer({
    health: () => ({ isLive: app.state !== 'failed', isReady: app.state === 'running' }),
    metrics: () => metrics.text(),
    logger,
  })
  parts.defer(() => server.close())
  await server.register(async (scope) => {
    scope.addHook('onRequest', async () => {
      if (app.state !== 'running') throw new HttpProblem(503, `The instance is ${app.state}.`)
    })
    shopRoutes(scope, shop)
  })
  try {
    return await listenOnLoopback(server, port)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    throw new CommandError(
      `port ${port} is in use; choose another with --port (0 takes any free one)`,
    )
  }
}

const sums = (rows: Iterable<readonly [string, number]>): Record<string, number> => {
  const totals: Record<string, number> = {}
  for (const [name, value] of rows) totals[name] = (totals[name] ?? 0) + value
  return totals
}
