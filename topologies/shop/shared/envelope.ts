/**
 * The envelope of every event and command of the shop (spec: shop.md §2).
 *
 * 1. `eventId` of a derived event is UUIDv5(entity, transition): a replay makes the same id, so a
 *    reader may drop duplicates by it. 2. `aggregateVersion` rises with each change of the
 * aggregate; not every change is an event, so it may jump. 3. Values are never mutated once made.
 */

export interface Metadata {
  /** The same for everything that follows from one request. */
  readonly correlationId: string
  /** Id of the event or command that led to this one. */
  readonly causationId: string
  readonly schemaVersion: number
}

export interface EventEnvelope<T extends string, D> {
  readonly eventId: string
  readonly eventType: T
  /** Semantic version of the data; readers accept any minor of a major they know. */
  readonly eventVersion: string
  /** When it was decided, ISO-8601. */
  readonly timestamp: string
  readonly source: string
  readonly aggregateId: string
  readonly aggregateVersion: number
  readonly data: D
  readonly metadata: Metadata
}

export interface CommandEnvelope<T extends string, D> {
  /** Same id, same body: answered as before. Same id, other body: refused. */
  readonly commandId: string
  readonly commandType: T
  readonly commandVersion: string
  readonly timestamp: string
  readonly source: string
  readonly data: D
  readonly metadata: Metadata
}

/** Of a message that is written now. */
export interface MessageVersion {
  /** Semantic; the major is what readers check. */
  readonly text: string
  /** The major, in the metadata. */
  readonly schemaVersion: number
}

/** Of everything whose maker does not say otherwise. */
export const firstVersion: MessageVersion = { text: '1.0.0', schemaVersion: 1 }
