/**
 * Whether the shop on a Kafka reads topics of another naming profile.
 *
 * Called before its topics are made, by `run` and `load`. A state directory knows its names; a
 * Kafka that is met with a new one tells by the offsets that the group has committed. Names of a
 * file cannot be told from others.
 */

import { profileNames, TopicNames } from '../../topologies/shop/shared/topic-names.ts'
import { orderCommands } from '../../topologies/shop/shared/topics.ts'
import type { Broker } from '../broker/port.ts'
import { RuntimeError } from '../errors/classes.ts'
import { visibleTopics } from './visible-topics.ts'

/**
 * @param groupId  of the application
 * @throws {RuntimeError} STREAMS_STATE_MISMATCH: the message has the flag it needs
 * @throws {BrokerError} the broker does not answer
 */
export const refuseOtherNames = async (
  broker: Broker,
  names: TopicNames,
  groupId: string,
): Promise<void> => {
  if (await hasOffsets(broker, names, groupId)) return
  for (const profile of profileNames) {
    const other = TopicNames.profile(profile)
    if (other.equals(names) || !(await hasOffsets(broker, other, groupId))) continue
    throw new RuntimeError(
      'STREAMS_STATE_MISMATCH',
      `${groupId} on this cluster reads the topics of ${profile}, not those of ${names.label}: its `
        + `state would go on with other topics; start with --topic-names ${profile}`,
    )
  }
}

/** Every order begins with a command: no other topic is read as long. */
const hasOffsets = async (
  { topics, groups }: Broker,
  names: TopicNames,
  groupId: string,
): Promise<boolean> => {
  const topic = names.of(orderCommands.name)
  const partitions = (await visibleTopics(topics, [topic])).get(topic)?.partitions ?? 0
  const all = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
  return (await groups.committedOffsets(groupId, all)).length > 0
}
