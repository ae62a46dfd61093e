/**
 * What can be asked of dead letters, whoever carries it out: all of it plain JSON.
 *
 * Implemented by the desk on a broker and by a client of a running process' HTTP API. Changes are
 * made page by page, each page a transaction, so that callers keep a rate and show progress; a
 * command that is run again goes on, since what is settled is not selected any more.
 */

import type { AuditEntry } from './audit-entry.ts'
import type { LetterSelection, LetterStatus } from './letter-selection.ts'
import type { LetterStats } from './letter-stats.ts'
import type { Payload, TextPayload } from './payload.ts'

export interface PageRequest {
  readonly selection: LetterSelection
  /** Of the page before; from the start without it. */
  readonly cursor?: string
  readonly limit: number
}

/** One line of a list. */
export interface LetterView {
  readonly id: string
  readonly status: LetterStatus
  readonly isEdited: boolean
  readonly failedAt: string
  /** `topic-partition@offset` of the record; empty if the letter does not say. */
  readonly source: string
  readonly topic: string
  readonly class: string
  readonly code: string
  readonly cause: string
  readonly task: string
  readonly node: string
  readonly message: string
  readonly key: Payload
  /** How often its record was replayed before it failed this time, and its first dead letter. */
  readonly replays: number
  readonly first: string
}

export interface LetterDetail extends LetterView {
  readonly timestamp: string
  readonly exception: string
  readonly stack: string
  readonly attempts: string
  readonly application: string
  readonly version: string
  readonly headers: readonly { readonly key: string; readonly value: Payload }[]
  readonly value: Payload
  /** The value as bytes: what an editor starts from. Null of a tombstone. */
  readonly raw: TextPayload | null
  /** The value of the last edit, if there is one and the letter is open. */
  readonly amended?: Payload
  readonly amendedRaw?: TextPayload
  /** Oldest first. */
  readonly audit: readonly AuditEntry[]
}

export interface LetterPage {
  readonly letters: readonly LetterView[]
  /** Ids that were asked for and do not exist. */
  readonly missing: readonly string[]
  /** Absent behind the last page. */
  readonly next?: string
}

export interface SettleRequest extends PageRequest {
  readonly what: 'replay' | 'discard'
  readonly isDryRun: boolean
  /** `user@host` */
  readonly by: string
  readonly reason?: string
  /** Of replays. */
  readonly attemptsMax?: number
  readonly isForced?: boolean
  readonly isTimedNow?: boolean
}

export interface SettledCount {
  readonly topic: string
  readonly class: string
  readonly count: number
}

export interface SettleReport {
  /** Replayed or discarded; in a dry run, what would be. */
  readonly settled: readonly SettledCount[]
  readonly refused: readonly { readonly id: string; readonly reason: string }[]
  readonly next?: string
}

export interface EditRequest {
  readonly id: string
  readonly value: TextPayload
  readonly by: string
  readonly reason?: string
  /** Takes bytes that the topic's serde refuses or that cannot be checked. */
  readonly isRaw: boolean
}

export interface EditReport {
  readonly oldHash: string | null
  readonly newHash: string
  /** False if the value is what it was: nothing was written. */
  readonly isChanged: boolean
}

export interface DeadLetterAccess {
  list(request: PageRequest): Promise<LetterPage>
  /** Undefined if there is no such letter. */
  show(id: string): Promise<LetterDetail | undefined>
  stats(selection: LetterSelection): Promise<LetterStats>
  /**
   * Replays or discards the open letters of one page.
   *
   * @throws {DeskError} nothing of this page was done
   * @throws {BrokerError} whether this page was done is not known; the same request again tells
   */
  settle(request: SettleRequest): Promise<SettleReport>
  /** @throws {DeskError} it is not there or settled, or its topic's serde refuses the value */
  edit(request: EditRequest): Promise<EditReport>
}
