/** Dead letters counted by topic, class, code and hour of the failure, each by status. */

import type { DeadLetter } from './dead-letter.ts'
import type { LetterStatus } from './letter-selection.ts'

export type StatusCounts = Readonly<Record<LetterStatus, number>>

export type CountsByName = Readonly<Record<string, StatusCounts>>

export interface LetterStats {
  readonly total: StatusCounts
  readonly byTopic: CountsByName
  readonly byClass: CountsByName
  /** The application's own code, where it has one. */
  readonly byCode: CountsByName
  /** ISO 8601 of the hour's start, in order. */
  readonly byHour: CountsByName
}

const none: StatusCounts = { open: 0, replayed: 0, discarded: 0 }

export class LetterCounter {
  readonly #tables = { topic: table(), class: table(), code: table(), hour: table() }
  #total = none

  add(letter: DeadLetter, status: LetterStatus): void {
    const { source, failure, failureClass, failedAtMs } = letter
    this.#total = raised(this.#total, status)
    const names = {
      topic: source?.topic ?? 'unknown',
      class: failureClass,
      code: failure.cause || failure.code || 'unknown',
      hour: `${new Date(failedAtMs).toISOString().slice(0, 13)}:00Z`,
    }
    for (const by of ['topic', 'class', 'code', 'hour'] as const) {
      const counts = this.#tables[by]
      counts.set(names[by], raised(counts.get(names[by]) ?? none, status))
    }
  }

  stats(): LetterStats {
    const { topic, class: failureClass, code, hour } = this.#tables
    return {
      total: this.#total,
      byTopic: sorted(topic),
      byClass: sorted(failureClass),
      byCode: sorted(code),
      byHour: sorted(hour),
    }
  }
}

const table = (): Map<string, StatusCounts> => new Map()

const raised = (counts: StatusCounts, status: LetterStatus): StatusCounts => ({
  ...counts,
  [status]: counts[status] + 1,
})

const sorted = (counts: ReadonlyMap<string, StatusCounts>): CountsByName =>
  Object.fromEntries([...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)))
