/** The events among the records of topics, decoded. */

import type { TopicEvent, Topics } from './find-events.ts'
import type { EventReader } from './read-event.ts'
import type { TopicRecords } from './read-topics.ts'

/** Topics of events: all else, such as changelogs, has other values in the same format, or none. */
const isOfEvents = (topic: string): boolean =>
  topic.startsWith('ecom.') && !topic.endsWith('-commands') && topic !== 'ecom.data-keys'

/** @throws  a schema is not known */
export const eventsOf = async (records: TopicRecords, reader: EventReader): Promise<Topics> => {
  const topics = new Map<string, readonly TopicEvent[]>()
  for (const [topic, all] of records) {
    if (!isOfEvents(topic)) continue
    const events: TopicEvent[] = []
    for (const record of all) {
      const event = await reader.read(record.value)
      if (event !== undefined) events.push({ record, event })
    }
    topics.set(topic, events)
  }
  return topics
}
