/** Which dead letters are meant: all conditions that are given must hold. */

import type { DeadLetter } from './dead-letter.ts'

export const letterStatuses = ['open', 'replayed', 'discarded'] as const

export type LetterStatus = (typeof letterStatuses)[number]

export interface LetterSelection {
  /** These alone; other conditions hold too. */
  readonly ids?: readonly string[]
  /** Where the record failed: its topic. */
  readonly topic?: string
  readonly task?: string
  /** A class, a code of ours or of the application, or the name of what was thrown. */
  readonly error?: string
  /** When it failed: from here on, in ms. */
  readonly sinceMs?: number
  /** Before this time, in ms. */
  readonly untilMs?: number
  /** The record's key, as UTF-8 text. */
  readonly key?: string
  /** A text in the value or in the error message. */
  readonly contains?: string
  readonly status?: LetterStatus
}

/** @param status  of this letter, by the audit */
export const isSelected = (
  selection: LetterSelection,
  letter: DeadLetter,
  status: LetterStatus,
): boolean => {
  const { topic, task, error, sinceMs, untilMs, key, contains } = selection
  const { source, failure, failedAtMs, failureClass } = letter
  if (selection.status !== undefined && selection.status !== status) return false
  if (topic !== undefined && source?.topic !== topic) return false
  if (task !== undefined && failure.task !== task) return false
  if (sinceMs !== undefined && failedAtMs < sinceMs) return false
  if (untilMs !== undefined && failedAtMs >= untilMs) return false
  const errors = [failureClass, failure.code, failure.cause, failure.exception]
  if (error !== undefined && !errors.includes(error)) return false
  if (key !== undefined && (letter.key === null || !equals(letter.key, key))) return false
  return contains === undefined || hasText(letter, contains)
}

const equals = (bytes: Uint8Array, text: string): boolean =>
  Buffer.compare(bytes, Buffer.from(text)) === 0

const hasText = ({ value, failure }: DeadLetter, text: string): boolean =>
  failure.message.includes(text) || (value !== null && Buffer.from(value).includes(text))
