/**
 * The topics of the shop as its catalogue wants them, and those that the runtime adds.
 *
 * Used by everything that opens the shop, and by `millrace topics`. 1. A partition count is bound
 * where the application reads the topic: its state lies by key and partition. 2. The runtime makes
 * its own topics at start where they are missing; here they are wanted as safe as the catalogue's.
 */

import type { TopicNames } from '../../topologies/shop/shared/topic-names.ts'
import {
  dataKeysTopic,
  deadLetterTopic as deadLetters,
  inventoryReplies,
  topicCatalogue,
} from '../../topologies/shop/shared/topics.ts'
import { BrokerError } from '../broker/errors.ts'
import type { Broker, CleanupPolicy, Topics, TopicSpec } from '../broker/port.ts'
import { wantedAuditTopic } from '../dlq/audit-topic.ts'
import type { KnownTopics } from '../dlq/letter-view.ts'
import { repartitionTopicName } from '../runtime/internal-names.ts'
import { type InternalTopic, internalTopics, partitionCounts } from '../runtime/internal-topics.ts'
import { fittedSpec, type WantedTopic } from '../runtime/topic-steps.ts'
import type { Topic } from '../topic.ts'
import type { Plan } from '../topology/graph.ts'
import { ecomNames } from './topic-names.ts'

export const applicationId = 'shop'

/**
 * Existing topics are left as they are; more partitions than wanted where they do no harm, too.
 *
 * @throws {BrokerError} BROKER_INVALID_REQUEST: one has another partition count
 */
export const createShopTopics = async (
  { topics }: Pick<Broker, 'topics'>,
  names: TopicNames = ecomNames,
): Promise<void> => {
  const replicasMax = await topics.replicasMax()
  const catalogued = cataloguedAs(names)
  const lenient = catalogued.filter(({ takesMore }) => takesMore === true)
  const existing = await topics.describe(lenient.map(({ name }) => name))
  const isLarger = ({ name, partitions }: WantedTopic): boolean =>
    (existing.get(name)?.partitions ?? 0) > partitions
  const wanted = catalogued.filter((topic) => !isLarger(topic))
  try {
    await topics.create(wanted.map((topic) => fittedSpec(topic, replicasMax)))
  } catch (error) {
    if (!(error instanceof BrokerError) || error.code !== 'BROKER_INVALID_REQUEST') throw error
    const message = `${error.message}; millrace topics plan shows all that differs`
    throw new BrokerError(error.code, message, { ...error.details, cause: error })
  }
}

export interface ShopTopicsOptions {
  readonly topics: Topics
  readonly plan: Plan
  readonly applicationId: string
  readonly names: TopicNames
}

/** Of the whole application, its changelogs and repartition topics too. */
export const wantedTopics = async ({
  topics,
  plan,
  applicationId,
  names,
}: ShopTopicsOptions): Promise<readonly WantedTopic[]> => {
  const inputs = new Set(
    plan.subTopologies.flatMap(({ sourceTopics }) => sourceTopics.map((name) => names.of(name))),
  )
  const external = cataloguedAs(names).map((wanted): WantedTopic =>
    inputs.has(wanted.name) ? { ...wanted, kind: 'input', boundBy: boundInput } : wanted,
  )
  const existing = await topics.describe(external.map(({ name }) => name))
  const wantedCounts = new Map(external.map(({ name, partitions }) => [name, partitions]))
  const { deadLetters: deadLetterTopic } = names
  const internalBy = (countOf: (name: string) => number | undefined): readonly InternalTopic[] =>
    internalTopics(
      { applicationId, plan, deadLetterTopic },
      partitionCounts(plan, (logical) => countOf(names.of(logical))),
    )
  const found = internalBy((name) => existing.get(name)?.partitions ?? wantedCounts.get(name))
  const asWanted = internalBy((name) => wantedCounts.get(name))
  const made = await topics.describe(found.map(({ name }) => name))
  // made before an input got another count: that input is what differs
  const internal = found.map((topic, index) => {
    const first = asWanted[index]!
    return made.get(topic.name)?.partitions === first.partitions ? first : topic
  })
  return [
    ...external,
    ...internal.map(({ kind, config, ...topic }): WantedTopic => {
      const { replicas, minInsyncReplicas, maxMessageBytes } = deadLetters
      const safe = { maxMessageBytes, ...config, minInsyncReplicas }
      return { ...topic, kind, config: safe, replicas, boundBy: boundInternal }
    }),
  ]
}

const boundInput =
  'state depends on it, and its keys would meet the wrong state: copy it to a new topic, or start '
  + 'a new application id, which rebuilds its state'

const boundInternal =
  'state depends on it: it has as many partitions as its application had tasks when it was made; '
  + 'restore it as it was, or start a new application id, which rebuilds its state'

const wantedOf = (
  name: string,
  kind: string,
  entry: Omit<(typeof topicCatalogue)[number], 'topic' | 'key' | 'cleanupPolicy'> & {
    readonly cleanupPolicy: CleanupPolicy
  },
): WantedTopic => {
  const { partitions, replicas, cleanupPolicy, retentionMs } = entry
  const { maxMessageBytes, compression, minInsyncReplicas } = entry
  const config = { cleanupPolicy, retentionMs, maxMessageBytes, compression, minInsyncReplicas }
  return { name, kind, partitions, replicas, config } satisfies TopicSpec & WantedTopic
}

const cataloguedAs = (names: TopicNames): readonly WantedTopic[] => [
  ...topicCatalogue.map((entry) => {
    const retentionMs = names.retentionMs(entry)
    return wantedOf(names.of(entry.topic.name), 'output', { ...entry, retentionMs })
  }),
  {
    ...wantedOf(dataKeysTopic.name, 'data keys', dataKeysTopic),
    boundBy: 'of two keys of a customer the first one counts',
  },
  { ...wantedOf(names.deadLetters, 'dead letters', deadLetters), takesMore: true },
  wantedAuditTopic(names.deadLetters),
]

/** Typed handles by their names at the broker, for whoever shows bytes of the shop's records. */
export const knownTopics = (names: TopicNames): KnownTopics => {
  const { name } = inventoryReplies
  const handles = topicCatalogue.map(({ topic }) => topic as Topic<unknown, unknown>)
  return new Map([
    ...handles.map((topic) => [names.of(topic.name), topic] as const),
    [repartitionTopicName(applicationId, name), inventoryReplies as Topic<unknown, unknown>],
  ])
}
