/**
 * The topics that an application makes for itself, worked out from its plan and its inputs.
 *
 * Used when an application starts (`topic-plan.ts`) and by `millrace topics`, which may ask before
 * any input exists. 1. A repartition topic gets the partition count of the sub-topology that reads
 * it, as far as that reads external topics too, else of the one that writes it. 2. A changelog has
 * a partition per task. 3. Nothing is asked of a broker here.
 */

import type { TopicConfig, TopicSpec } from '../broker/port.ts'
import type { Plan } from '../topology/graph.ts'
import { changelogTopicName, deadLetterTopicName, repartitionTopicName } from './internal-names.ts'

export interface TopicPlanOptions {
  readonly applicationId: string
  readonly plan: Plan
  readonly deadLetterTopic: string | undefined
  /** At the broker, of external topics that are named otherwise there than in the topology. */
  readonly topicNames?: TopicNames | undefined
}

/** Name at the broker by the name in the topology. */
export type TopicNames = ReadonlyMap<string, string>

export interface InternalTopic extends TopicSpec {
  readonly kind: 'changelog' | 'repartition' | 'dead letters'
}

/** Partition counts of repartition topics and, by sub-topology id, of tasks. */
export interface PartitionCounts {
  readonly repartition: ReadonlyMap<string, number>
  readonly tasks: ReadonlyMap<number, number>
  /** Of any topic the topology names; 0 if it cannot be told. */
  of(logical: string): number
}

/** The name at the broker of a topic that the topology names. */
export const physicalNameOf = (
  { applicationId, plan, topicNames }: Omit<TopicPlanOptions, 'deadLetterTopic'>,
  logical: string,
): string =>
  plan.internalTopics.includes(logical)
    ? repartitionTopicName(applicationId, logical)
    : (topicNames?.get(logical) ?? logical)

/** Topics that somebody else makes, by name at the broker; dead letters whose topic was given. */
export const externalTopics = (options: TopicPlanOptions): readonly string[] => {
  const { plan, deadLetterTopic } = options
  const named = plan.nodes.flatMap(({ topic, internalTopic }) =>
    topic === undefined || internalTopic ? [] : [topic],
  )
  const all = [...named, ...plan.globals.keys()].map((name) => physicalNameOf(options, name))
  return [...new Set([...all, ...(deadLetterTopic === undefined ? [] : [deadLetterTopic])])]
}

/** @param external  partitions of a topic that somebody else makes, by its name in the plan */
export const partitionCounts = (
  plan: Plan,
  external: (name: string) => number | undefined,
): PartitionCounts => {
  const repartition = new Map<string, number>()
  const tasks = new Map<number, number>()
  const of = (name: string): number => external(name) ?? repartition.get(name) ?? 0
  // a chain of repartition topics settles in as many rounds as it is long
  for (let round = 0; round <= plan.internalTopics.length; round++) {
    for (const { id, sourceTopics } of plan.subTopologies) {
      tasks.set(id, Math.max(0, ...sourceTopics.map(of)))
    }
    for (const name of plan.internalTopics) {
      const readers = plan.subTopologies.filter(({ sourceTopics }) => sourceTopics.includes(name))
      const writers = plan.subTopologies.filter(({ sinkTopics }) => sinkTopics.includes(name))
      const read = Math.max(0, ...readers.map(({ id }) => tasks.get(id) ?? 0))
      const written = Math.max(0, ...writers.map(({ id }) => tasks.get(id) ?? 0))
      if (read > 0 || written > 0) repartition.set(name, read > 0 ? read : written)
    }
  }
  return { repartition, tasks, of }
}

/** Repartition topics, changelogs, and the dead letters unless their topic was given. */
export const internalTopics = (
  { applicationId, plan, deadLetterTopic }: TopicPlanOptions,
  { repartition, tasks }: PartitionCounts,
): readonly InternalTopic[] => {
  const topics: InternalTopic[] = []
  for (const [name, partitions] of repartition) {
    const config: TopicConfig = { cleanupPolicy: 'delete', retentionMs: -1 }
    topics.push({
      name: repartitionTopicName(applicationId, name),
      kind: 'repartition',
      partitions,
      config,
    })
  }
  for (const { id, stores } of plan.subTopologies) {
    for (const storeName of stores) {
      const { changelog } = plan.stores.get(storeName)!
      topics.push({
        name: changelogTopicName(applicationId, storeName),
        kind: 'changelog',
        partitions: tasks.get(id)!,
        config: changelog,
      })
    }
  }
  if (deadLetterTopic === undefined) {
    const config: TopicConfig = { cleanupPolicy: 'delete', retentionMs: deadLetterRetentionMs }
    topics.push({
      name: deadLetterTopicName(applicationId),
      kind: 'dead letters',
      partitions: 1,
      config,
    })
  }
  return topics
}

const deadLetterRetentionMs = 14 * 86_400_000
