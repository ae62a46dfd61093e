/**
 * One line of the audit: what was done to a dead letter, by whom, when and why.
 *
 * Written by `audit-writer.ts` under the letter's id as key, as JSON, so that other tools can read
 * the topic too. 1. An edit carries the new value; the letter itself is never changed. 2. It names
 * the topic id: letters of a topic that was made anew begin anew.
 */

import { json } from '../serde/json.ts'
import { DeskError } from './desk-error.ts'
import type { TextPayload } from './payload.ts'

export const auditTopicName = (deadLetterTopic: string): string => `${deadLetterTopic}-audit`

interface AuditFacts {
  /** Id of the dead letter. */
  readonly letter: string
  /** Of the dead-letter topic. */
  readonly topicId: string
  /** ISO 8601. */
  readonly at: string
  /** `user@host` */
  readonly by: string
  readonly reason?: string
  /** Of the record: topic it failed in, class and code of the failure. */
  readonly topic: string
  readonly class: string
  readonly code: string
  /** SHA-256 as hex: of an edit, of the value in force before it; else of the letter's own. */
  readonly oldHash: string | null
}

export interface EditedEntry extends AuditFacts {
  readonly what: 'edited'
  readonly newHash: string
  readonly value: TextPayload
}

export interface ReplayedEntry extends AuditFacts {
  readonly what: 'replayed'
  readonly to: {
    readonly topic: string
    readonly partition: number
    /** Absent where the broker did not tell. */
    readonly offset?: string
  }
  /** Of this record, counted from 1. */
  readonly attempt: number
  /** Id of the first dead letter of this record. */
  readonly first: string
  /** Of the value that was sent: another than `oldHash` if the letter was edited. */
  readonly newHash: string | null
}

export interface DiscardedEntry extends AuditFacts {
  readonly what: 'discarded'
}

export type AuditEntry = EditedEntry | ReplayedEntry | DiscardedEntry

const serde = json<AuditEntry>()

export const encodeAuditEntry = (entry: AuditEntry): Uint8Array => serde.encode(entry)

/** @throws {DeskError} DLQ_REFUSED: it is none that this version knows, so statuses are unknown */
export const decodeAuditEntry = (bytes: Uint8Array | null): AuditEntry => {
  const entry = parsed(bytes)
  if (entry !== undefined && kinds.has(entry.what)) return entry
  throw new DeskError(
    'DLQ_REFUSED',
    `the audit has an entry that this version does not know: ${textOf(bytes).slice(0, shownMax)}`,
  )
}

const shownMax = 200

const parsed = (bytes: Uint8Array | null): AuditEntry | undefined => {
  try {
    return bytes === null ? undefined : serde.decode(bytes)
  } catch {
    return undefined
  }
}

const textOf = (bytes: Uint8Array | null): string =>
  bytes === null ? 'null' : Buffer.from(bytes).toString()

const kinds: ReadonlySet<string> = new Set(['edited', 'replayed', 'discarded'])
