/**
 * Looks for the events of the steps among the records of their topics.
 *
 * An event is as expected if it is there once, under the key of its topic, with the headers that
 * `--record-headers` promises, and with an id that no other record of the topic has.
 */

import type { ConsoleRecord } from './console-record.ts'
import { mismatchOf } from './mismatch-of.ts'
import type { ReadEvent } from './read-event.ts'
import type { ExpectedEvent } from './step.ts'

/** A record, and the event in it. */
export interface TopicEvent {
  readonly record: ConsoleRecord
  readonly event: ReadEvent
}

export type Topics = ReadonlyMap<string, readonly TopicEvent[]>

export interface Sought {
  readonly expected: ExpectedEvent
  readonly found: TopicEvent | undefined
  /** What is wrong; undefined if all is well. */
  readonly reason: string | undefined
}

export const findEvent = (expected: ExpectedEvent, topics: Topics): Sought => {
  const events = topics.get(expected.topic) ?? []
  const found = events.filter(({ event }) => isIt(event, expected))
  const [one] = found
  if (one === undefined || found.length > 1) {
    const who = expected.aggregate ?? JSON.stringify(expected.data)
    const reason = `${expected.topic} has ${found.length} ${expected.type} of ${who}`
    return { expected, found: one, reason }
  }
  const reason = wrongIn(one, expected.topic) ?? repeatedIn(one, events)
  return { expected, found: one, reason: reason && `${expected.type}: ${reason}` }
}

const isIt = (event: ReadEvent, { type, aggregate, data = {} }: ExpectedEvent): boolean =>
  event.eventType === type
  && (aggregate === undefined || event.aggregateId === aggregate)
  && mismatchOf(event.data, data) === undefined

/** The field of the data that is the record's key. */
const keyFields: Readonly<Record<string, string>> = {
  'ecom.inventory': 'productId',
  'ecom.notifications': 'customerId',
}

const headers = {
  traceparent: /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/,
  service: /./,
  version: /./,
  timestamp: /^\d{13}$/,
}

const wrongIn = ({ record, event }: TopicEvent, topic: string): string | undefined => {
  const key = event.data[keyFields[topic] ?? 'orderId']
  if (record.key !== key) return `its key is ${record.key}, not ${String(key)}`
  const isVersioned = event.eventVersion.startsWith(`${event.metadata.schemaVersion}.`)
  if (!isVersioned) return `${event.eventVersion} is no version ${event.metadata.schemaVersion}`
  if (!(event.aggregateVersion >= 1)) return `aggregateVersion is ${event.aggregateVersion}`
  return mismatchOf(Object.fromEntries(record.headers), headers)
}

const repeatedIn = (
  { event: { eventId } }: TopicEvent,
  events: readonly TopicEvent[],
): string | undefined => {
  const count = events.filter(({ event }) => event.eventId === eventId).length
  return count === 1 ? undefined : `${count} records have its id ${eventId}`
}
