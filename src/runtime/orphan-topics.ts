/**
 * Internal topics of an application that its topology does not know any more.
 *
 * Asked at the first start on an empty state directory: the disk that knew the former topology may
 * be lost, the broker remembers it by these topics. 1. Names are all there is to go by: those of an
 * application whose id begins with ours are left out if its dead letter topic gives it away.
 * 2. Topics that hold nothing are no loss.
 */

import type { Broker, TopicDescription, TopicPartition } from '../broker/port.ts'
import type { TopologyDifference } from '../topology/topology-difference.ts'
import { changelogTopicName, deadLetterTopicName, repartitionTopicName } from './internal-names.ts'

export interface OrphanOptions {
  readonly broker: Broker
  readonly applicationId: string
  /** Names of all internal topics that the topology has. */
  readonly known: ReadonlySet<string>
}

/** @throws {BrokerError} try again, or allow it to see the topics */
export const orphanTopics = async (
  options: OrphanOptions,
): Promise<readonly TopologyDifference[]> => {
  const { broker, applicationId, known } = options
  const topics = await broker.topics.list()
  const others = otherApplications(applicationId, topics)
  const orphans: TopologyDifference[] = []
  for (const topic of topics) {
    const owned = ownedName(applicationId, topic.name)
    if (owned === undefined || known.has(topic.name)) continue
    if (others.some((prefix) => topic.name.startsWith(prefix))) continue
    if (await holdsRecords(options, topic, owned.what)) orphans.push(orphanOf(topic, owned))
  }
  return orphans
}

interface Owned {
  readonly what: 'store' | 'repartition topic'
  readonly name: string
}

const ownedName = (applicationId: string, topic: string): Owned | undefined => {
  const changelog = nameWithin(topic, (name) => changelogTopicName(applicationId, name))
  if (changelog !== undefined) return { what: 'store', name: changelog }
  const repartition = nameWithin(topic, (name) => repartitionTopicName(applicationId, name))
  return repartition === undefined ? undefined : { what: 'repartition topic', name: repartition }
}

/** The name that makes this topic's name, if one does. */
const nameWithin = (topic: string, topicOf: (name: string) => string): string | undefined => {
  const [head, tail] = topicOf('\0').split('\0') as [string, string]
  const fits = topic.startsWith(head) && topic.endsWith(tail)
  return fits && topic.length > head.length + tail.length
    ? topic.slice(head.length, topic.length - tail.length)
    : undefined
}

/** What the topics of applications begin with whose ids begin with this one. */
const otherApplications = (
  applicationId: string,
  topics: readonly TopicDescription[],
): readonly string[] =>
  topics.flatMap(({ name }) => {
    const rest = nameWithin(name, (other) => deadLetterTopicName(`${applicationId}-${other}`))
    return rest === undefined ? [] : [`${applicationId}-${rest}-`]
  })

/** A changelog that has records; a repartition topic with some that nobody has committed. */
const holdsRecords = async (
  { broker, applicationId }: OrphanOptions,
  { name: topic, partitions }: TopicDescription,
  what: Owned['what'],
): Promise<boolean> => {
  for (let partition = 0; partition < partitions; partition++) {
    const at: TopicPartition = { topic, partition }
    const { logStartOffset, highWatermark } = await broker.topics.offsets(at)
    let read = logStartOffset
    if (what === 'repartition topic') {
      const [committed] = await broker.groups.committedOffsets(applicationId, [at])
      read = committed?.offset ?? logStartOffset
    }
    if (highWatermark > read) return true
  }
  return false
}

const orphanOf = (
  { name: topic, partitions }: TopicDescription,
  { what, name }: Owned,
): TopologyDifference => ({
  what,
  name,
  was: `topic ${topic} of ${partitions} partitions`,
  is: '',
  consequence: 'losesState',
  effect: 'this state directory is new, but the broker has records of it, which are left behind',
  advice:
    `keep the name ${name}; or delete the topic ${topic}; or, also if it belongs to another `
    + 'application, start once with --accept-topology-change, which leaves it as it is',
})
