/**
 * Compares what a state directory was made by with what is about to run on it.
 *
 * Called once per start, before a task opens. Kept in the store itself under a meta key, as JSON.
 * 1. Another application, a store with another layout, or another partition count of an input is
 * refused with the difference and the way out; nothing is touched. 2. New stores are welcome.
 */

import { metaKey } from '../../state/key-layout.ts'
import { type Engine } from '../../state/engine.ts'
import { WriteBatch } from '../../state/write-batch.ts'
import { RuntimeError } from '../errors/classes.ts'
import { type Plan } from '../topology/graph.ts'
import { type TopicPlan } from './topic-plan.ts'

interface StateFacts {
  readonly version: 1
  readonly applicationId: string
  readonly clusterId: string
  /** Layout by store name. */
  readonly stores: Readonly<Record<string, string>>
  /** Partition count by external and repartition source topic. */
  readonly partitions: Readonly<Record<string, number>>
  /** How often an application began to run on this state. */
  readonly starts: number
}

const factsKey = metaKey('made-by')
const noPrefix = new Uint8Array(0)

export interface StateGuardOptions {
  readonly engine: Engine
  readonly applicationId: string
  readonly clusterId: string
  readonly plan: Plan
  readonly topics: TopicPlan
}

/**
 * @returns how often an application began to run on this state, this time too
 * @throws {RuntimeError} STREAMS_STATE_MISMATCH: start with the topology or cluster it names
 */
export const guardState = async (options: StateGuardOptions): Promise<number> => {
  const now = factsOf(options)
  const bytes = options.engine.get(factsKey)
  const before = bytes === undefined ? undefined : readFacts(bytes)
  if (before !== undefined) refuseDifferences(before, now)
  const starts = (before?.starts ?? 0) + 1
  const merged: StateFacts = { ...now, starts, stores: { ...before?.stores, ...now.stores } }
  const batch = new WriteBatch()
  batch.put(noPrefix, factsKey, Buffer.from(JSON.stringify(merged)))
  await options.engine.commit(batch)
  return starts
}

const factsOf = ({
  applicationId,
  clusterId,
  plan,
  topics,
}: StateGuardOptions): Omit<StateFacts, 'starts'> => ({
  version: 1,
  applicationId,
  clusterId,
  stores: Object.fromEntries([...plan.stores].map(([name, { layout }]) => [name, layout])),
  partitions: topics.sourcePartitions(),
})

const readFacts = (bytes: Uint8Array): StateFacts => {
  const facts = JSON.parse(Buffer.from(bytes).toString()) as StateFacts
  if (facts.version === 1) return facts
  throw mismatch(`the state was made by a newer Millrace (layout ${String(facts.version)})`)
}

const refuseDifferences = (before: StateFacts, now: Omit<StateFacts, 'starts'>): void => {
  if (before.applicationId !== now.applicationId) {
    throw mismatch(
      `the state belongs to application ${before.applicationId}, not `
        + `${now.applicationId}; choose another --state-dir`,
    )
  }
  if (before.clusterId !== now.clusterId) {
    throw mismatch(
      `the state belongs to cluster ${before.clusterId}, this one is `
        + `${now.clusterId}; start on that cluster, or choose another --state-dir; delete this one `
        + 'only if the changelogs of the application are on this cluster: it is restored from them',
    )
  }
  for (const [name, layout] of Object.entries(now.stores)) {
    const known = before.stores[name]
    if (known !== undefined && known !== layout) {
      throw mismatch(
        `store ${name} was made as "${known}" and is now "${layout}"; give the new `
          + 'store another name, or run the version of the application that made it',
      )
    }
  }
  for (const [topic, count] of Object.entries(now.partitions)) {
    const known = before.partitions[topic]
    if (known !== undefined && known !== count) {
      throw mismatch(
        `topic ${topic} had ${known} partitions and has ${count} now, so keys would `
          + 'meet the wrong state; copy the topic to a new one with the old count, or start a new '
          + 'application id, which rebuilds its state',
      )
    }
  }
}

const mismatch = (message: string): RuntimeError =>
  new RuntimeError('STREAMS_STATE_MISMATCH', message)
