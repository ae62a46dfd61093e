/** Reads the topics of the expected events, one run of Kafka's consumer each, and decodes them. */

import type { ConsoleConsumer } from './console-consumer.ts'
import type { TopicEvent, Topics } from './find-events.ts'
import type { EventReader } from './read-event.ts'
import { readTopic } from './read-topic.ts'

export interface EventSource {
  readonly consumer: ConsoleConsumer
  readonly reader: EventReader
  readonly signal: AbortSignal
}

/** A virtual machine each: more at once would only wait for each other. */
const atOnce = 3

/** @throws  a topic cannot be read, or a schema is not known */
export const readEvents = async (
  names: readonly string[],
  source: EventSource,
): Promise<Topics> => {
  const topics = new Map<string, readonly TopicEvent[]>()
  const left = [...names]
  const readNext = async (): Promise<void> => {
    for (let name = left.shift(); name !== undefined; name = left.shift()) {
      topics.set(name, await eventsOf(name, source))
    }
  }
  await Promise.all(Array.from({ length: atOnce }, readNext))
  return topics
}

const eventsOf = async (
  topic: string,
  { consumer, reader, signal }: EventSource,
): Promise<readonly TopicEvent[]> => {
  const events: TopicEvent[] = []
  for (const record of await readTopic(consumer, topic, signal)) {
    const event = await reader.read(record.value)
    if (event !== undefined) events.push({ record, event })
  }
  return events
}
