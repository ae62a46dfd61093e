/**
 * What the audit keeps of an event: the event as it is, and where it was written.
 *
 * Made by the audit flow, read by whoever rebuilds an order. The entry's id follows from the
 * event's: a reader that meets it twice has met one fact.
 */

import type { ShopEvent } from './events.ts'
import { uuidV5 } from './ids.ts'

export interface AuditEntry {
  /** UUIDv5 of the event's id. */
  readonly entryId: string
  /** Where the event was written. */
  readonly topic: string
  readonly event: ShopEvent
}

export const auditEntryOf = (topic: string, event: ShopEvent): AuditEntry => ({
  entryId: uuidV5(event.eventId, 'audit'),
  topic,
  event,
})
