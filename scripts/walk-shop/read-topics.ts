/** Reads several topics, one run of Kafka's consumer each. */

import type { ConsoleConsumer } from './console-consumer.ts'
import type { ConsoleRecord } from './console-record.ts'
import { readTopic } from './read-topic.ts'

export type TopicRecords = ReadonlyMap<string, readonly ConsoleRecord[]>

/** A virtual machine each: more at once would only wait for each other. */
const atOnce = 3

/** @throws  a topic cannot be read */
export const readTopics = async (
  names: readonly string[],
  consumer: ConsoleConsumer,
  signal: AbortSignal,
): Promise<TopicRecords> => {
  const topics = new Map<string, readonly ConsoleRecord[]>()
  const left = [...names]
  const readNext = async (): Promise<void> => {
    for (let name = left.shift(); name !== undefined; name = left.shift()) {
      topics.set(name, await readTopic(consumer, name, signal))
    }
  }
  await Promise.all(Array.from({ length: atOnce }, readNext))
  return topics
}
