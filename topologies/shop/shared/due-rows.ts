/**
 * Reads the index rows that are due, oldest first, without walking over those already gone.
 *
 * Deleted rows at the front of an index cost a step each until the engine compacts them; a busy
 * shop leaves thousands a second. So a complete read remembers how far it came, and the next one
 * starts there. 1. Only a hint, made anew with each pipeline, which is when anything was undone.
 * 2. Rows are put at or after the time of their record, so none appears below a time that a read
 * has passed; a clock that went back drops the hint. 3. The margin covers steps back that are too
 * small to be seen between two reads.
 */

import { type KeyValueState } from '../../../src/index.ts'
import { dueBound, restOf, timeKey } from './time-index.ts'

const marginMs = 2_000

export interface DueRows {
  /** Keys of rows due at `dueMs`, at most `limit`; the caller deletes what it handled. */
  next(index: KeyValueState<string, 1>, dueMs: number, nowMs: number): readonly string[]
}

/** Well below what a store keeps in memory, or the first rows would be gone before their turn. */
const chunkRows = 256

/** The keys one by one, after the rows of the next few were read in one call. */
export const withRowsRead = function* (
  indexKeys: readonly string[],
  rows: KeyValueState<string, unknown>,
): Generator<string> {
  for (let at = 0; at < indexKeys.length; at += chunkRows) {
    const chunk = indexKeys.slice(at, at + chunkRows)
    if (chunk.length > 1) rows.prefetch(chunk.map(restOf))
    yield* chunk
  }
}

export const dueRows = (limit: number): DueRows => {
  let fromMs = 0
  let seenMs = -Infinity
  return {
    next: (index, dueMs, nowMs) => {
      const to = dueBound(dueMs)
      if (to === undefined) return []
      if (nowMs < seenMs) fromMs = 0
      seenMs = nowMs
      const keys = [...index.range({ from: timeKey(fromMs, ''), to, limit })].map(([key]) => key)
      if (keys.length < limit) fromMs = Math.max(fromMs, Math.floor(dueMs) - marginMs)
      return keys
    },
  }
}
