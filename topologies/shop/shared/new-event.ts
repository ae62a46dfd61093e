/**
 * Makes an event envelope; every flow calls this, so all events have one hidden class.
 */

import { type EventEnvelope, firstVersion, type MessageVersion } from './envelope.ts'
import { uuidV5 } from './ids.ts'
import { isoTime } from './iso-time.ts'

export interface EventOrigin {
  readonly source: string
  readonly aggregateId: string
  readonly aggregateVersion: number
  readonly correlationId: string
  readonly causationId: string
  readonly nowMs: number
  /** Of the data; the first one if absent. */
  readonly version?: MessageVersion
}

/**
 * @param transition  names the step within the aggregate; the event id is UUIDv5(aggregateId,
 *                    transition), so it must not name two different facts
 */
export const newEvent = <T extends string, D>(
  eventType: T,
  data: D,
  origin: EventOrigin,
  transition: string,
): EventEnvelope<T, D> => ({
  eventId: uuidV5(origin.aggregateId, transition),
  eventType,
  eventVersion: (origin.version ?? firstVersion).text,
  timestamp: isoTime(origin.nowMs),
  source: origin.source,
  aggregateId: origin.aggregateId,
  aggregateVersion: origin.aggregateVersion,
  data,
  metadata: {
    correlationId: origin.correlationId,
    causationId: origin.causationId,
    schemaVersion: (origin.version ?? firstVersion).schemaVersion,
  },
})
