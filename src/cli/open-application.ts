/**
 * The application of an instance of the shop: its database, its topology, its settings.
 *
 * Called by `shop-instance.ts`, which starts and closes it. On the embedded broker it is the only
 * one and keeps no identity; on Kafka it is one replica among others.
 */

import type { ShopConfig } from '../../topologies/shop/shared/config.ts'
import { shopFailureClasses } from '../../topologies/shop/shared/shop-error.ts'
import type { TopicNames } from '../../topologies/shop/shared/topic-names.ts'
import { shopTopology } from '../../topologies/shop/shop.ts'
import type { Engine } from '../../state/engine.ts'
import type { MemoryBudget } from '../../state/memory-budget.ts'
import { EmbeddedBroker } from '../broker/embedded/embedded-broker.ts'
import type { Broker } from '../broker/port.ts'
import { systemClock } from '../clock.ts'
import type { Settings } from '../config/settings.ts'
import type { StateSources } from '../http/state-collectors.ts'
import type { Logger } from '../logger.ts'
import { Application } from '../runtime/application.ts'
import { storeByName } from '../runtime/queries.ts'
import type { SchemaSession } from '../schema-registry/schema-session.ts'
import type { Topology } from '../topology/topology.ts'
import { instanceIdOf } from './instance-id.ts'
import { openEngine } from './open-engine.ts'
import { shopIdentity, shopStamp } from './shop-settings.ts'
import { applicationId } from './shop-topics.ts'
import { stateMemoryOf } from './state-memory.ts'
import type { StoreSource } from './store-source.ts'

export interface ApplicationParts {
  readonly broker: Broker
  readonly logger: Logger
  readonly parts: AsyncDisposableStack
  /** Where the other replicas ask. */
  readonly endpoint: string
  readonly session: SchemaSession | undefined
  readonly config: ShopConfig
  readonly names: TopicNames
}

export interface OpenedApplication {
  readonly app: Application
  /** Those of the tasks of this instance. */
  readonly stores: StoreSource
  readonly figures: StateSources
}

/** Not started; its database is closed with the parts. */
export const openApplication = async (
  settings: Settings,
  { broker, logger, parts, endpoint, session, config, names }: ApplicationParts,
): Promise<OpenedApplication> => {
  const memory = stateMemoryOf(settings, { hasBroker: broker.kind === 'embedded' })
  const engine = await openEngine(settings, 'state', memory)
  parts.defer(() => engine.close())
  const topology = shopTopology(config)
  const stampHeaders = shopStamp(settings)
  const app = new Application({
    applicationId,
    ...(broker.kind === 'kafka' && replicaOf(settings)),
    endpoint,
    topology,
    topicNames: names.byCatalogue,
    broker,
    engine,
    clock: systemClock,
    logger,
    linkHost: settings.linkHost,
    slotCacheBytes: memory.slotCacheBytes,
    acceptsTopologyChange: settings.acceptTopologyChange,
    onLostChangelog: broker.kind === 'embedded' ? 'refuse' : 'restore',
    ...(session !== undefined && { schemaSession: session }),
    ...(stampHeaders !== undefined && { stampHeaders }),
    config: {
      ...settings.runtime,
      deadLetterTopic: names.deadLetters,
      applicationVersion: shopIdentity.version,
      failureClasses: shopFailureClasses,
    },
  })
  const figures = stateFigures({ app, broker, engine, memory })
  return { app, stores: runningStores(app, topology), figures }
}

const runningStores = (app: Application, { plan }: Topology): StoreSource => ({
  query: (store) => app.query(store),
  named: (name) => storeByName(plan.stores, name),
  global: async (name) => {
    const topic = plan.globals.get(name)
    return topic && app.globalRows(topic)
  },
})

const stateFigures = ({
  app,
  broker,
  engine,
  memory,
}: {
  readonly app: Application
  readonly broker: Broker
  readonly engine: Engine
  readonly memory: MemoryBudget
}): StateSources => {
  const embedded = broker instanceof EmbeddedBroker ? broker : undefined
  return {
    stores: () => app.storeMetrics(),
    databases: { state: engine, ...(embedded && { broker: embedded.figures.database }) },
    budgetBytes: memory.totalBytes,
    parts: () => ({
      'decoded-rows': app.slotCache().bytes,
      ...(embedded && { 'broker-logs': embedded.figures.logCacheBytes }),
    }),
  }
}

const replicaOf = ({ stateDir, instanceId, leaveOnStop }: Settings) => ({
  instanceId: instanceIdOf(stateDir, instanceId),
  isStatic: instanceId !== undefined,
  leavesOnStop: leaveOnStop,
})
