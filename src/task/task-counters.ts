/** Plain numbers that tasks raise and metrics read; one object per instance. */

import type { DropReason } from '../topology/scope.ts'
import { DeadLetterTally } from './dead-letter-tally.ts'

export class TaskCounters {
  recordsProcessed = 0
  outputsStaged = 0
  punctuations = 0
  effectsStarted = 0
  effectsCompleted = 0
  effectsUnknown = 0
  effectRetries = 0
  deadLetters = 0
  /** The same, by topic and class. */
  readonly deadLettersBy = new DeadLetterTally()
  skipped = 0
  retries = 0
  rolledBack = 0
  punctuationFailures = 0
  droppedLate = 0
  droppedNullKey = 0
  droppedNullValue = 0
  droppedExpired = 0
  droppedRepeated = 0
}

/** What is raised when an operator drops a record. */
export const dropCounters = {
  late: 'droppedLate',
  nullKey: 'droppedNullKey',
  nullValue: 'droppedNullValue',
  expired: 'droppedExpired',
  repeated: 'droppedRepeated',
} as const satisfies Record<DropReason, keyof TaskCounters>
