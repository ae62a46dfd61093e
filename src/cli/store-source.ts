/**
 * Where reads of stores come from: a running instance, or the files of a stopped one.
 *
 * The files are read as they were last applied. After a crash they may lack the last transactions,
 * which the next start restores from the changelogs; nothing is written here.
 */

import type { Engine } from '../../state/engine.ts'
import type { Broker } from '../broker/port.ts'
import { physicalNameOf, type TopicNames } from '../runtime/internal-topics.ts'
import { storeByName, StoreQuery } from '../runtime/queries.ts'
import type { GlobalRows } from '../stores/global-rows.ts'
import type { Store } from '../stores/store.ts'
import type { Plan } from '../topology/graph.ts'
import { readGlobal } from './read-globals.ts'
import { storeReaders } from './store-readers.ts'

export interface StoreSource {
  query<Opened, Reader>(store: Store<Opened, Reader>): StoreQuery<Reader>
  /** @throws {RuntimeError} STREAMS_CONFIG: no such store; the message lists them */
  named(name: string): Store
  /** A global table by its topic; undefined if there is none. */
  global(topicName: string): Promise<GlobalRows<unknown, unknown> | undefined>
}

const cachedSlotsMax = 1_000

export interface StoredStateOptions {
  /** Of the instance's state; stays the caller's. */
  readonly engine: Engine
  readonly broker: Broker
  readonly applicationId: string
  readonly plan: Plan
  readonly topicNames?: TopicNames
}

/** @throws {BrokerError} the topics cannot be described */
export const storedState = async ({
  engine,
  broker,
  applicationId,
  plan,
  topicNames,
}: StoredStateOptions): Promise<StoreSource> => {
  const physicalName = (topic: string): string =>
    physicalNameOf({ applicationId, plan, topicNames }, topic)
  const taskIds = new Map<string, readonly string[]>()
  for (const sub of plan.subTopologies) {
    const described = await broker.topics.describe(sub.sourceTopics.map(physicalName))
    const widest = Math.max(0, ...[...described.values()].map(({ partitions }) => partitions))
    const ids = Array.from({ length: widest }, (_, partition) => `${sub.id}_${partition}`)
    for (const name of sub.stores) taskIds.set(name, ids)
  }
  return {
    query: (store) => {
      const readers = storeReaders(store, { engine, cachedSlotsMax, taskIds })
      return new StoreQuery(store.name, () => readers)
    },
    named: (name) => storeByName(plan.stores, name),
    global: (name) => readGlobal(broker, plan, name),
  }
}
