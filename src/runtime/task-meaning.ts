/**
 * What task ids mean to an instance: which sub-topology has which sources.
 *
 * Instances of two versions of a topology may share a group for a while. A task id that meant one
 * thing to the leader and another to the member would leave partitions to nobody, or to two, whose
 * commits the group could not tell apart.
 */

import type { Plan } from '../topology/graph.ts'
import type { TopicNames } from './internal-topics.ts'

/** Number of the sub-topology by the name of a source at the broker, of an internal one's here. */
export type SourcePlaces = Readonly<Record<string, number>>

/** @param topicNames  so that instances that name the same topic otherwise never share a group */
export const sourcePlaces = (
  { subTopologies }: Plan,
  topicNames: TopicNames = new Map(),
): SourcePlaces =>
  Object.fromEntries(
    subTopologies.flatMap(({ id, sourceTopics }) =>
      sourceTopics.map((topic) => [topicNames.get(topic) ?? topic, id]),
    ),
  )

/**
 * Why a member cannot be given tasks of the leader; undefined if it can.
 *
 * It may have more than the leader. Who does not say what it has is of before, and not judged.
 */
export const unsharedReason = (
  leader: SourcePlaces,
  member: SourcePlaces | undefined,
): string | undefined => {
  if (member === undefined) return undefined
  for (const [topic, id] of Object.entries(leader)) {
    const other = member[topic]
    if (other === id) continue
    const what =
      other === undefined
        ? `lacks topic ${topic}, which the leader's has in ${id}`
        : `has topic ${topic} in sub-topology ${other}, the leader's has it in ${id}`
    return `its topology ${what}: stop the instances of the other version first`
  }
  return undefined
}
