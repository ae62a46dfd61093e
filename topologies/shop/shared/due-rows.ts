/**
 * Reads the index rows that are due, oldest first, without walking over those already gone.
 *
 * Deleted rows at the front of an index cost a step each until the engine compacts them; a busy
 * shop leaves thousands a second. So a complete read remembers how far it came, and the next one
 * starts there. 1. Only a hint, made anew with each pipeline, which is when anything was undone.
 * 2. Rows are put at or after the time of their record, so none appears below a time that a read
 * has passed; a clock that went back drops the hint. 3. The margin covers steps back that are too
 * small to be seen between two reads.
 *
 * After the clock was set back, rows put before lie too far ahead. `ahead` then walks once over all
 * that is not due, a part at each call, and the caller sets anew what `aheadByMs` says.
 */

import type { KeyValueState } from '../../../src/index.ts'
import { dueBound, restOf, timeKey } from './time-index.ts'

const marginMs = 2_000

export interface DueTimes {
  /** Rows up to here are due: the wall clock, or less. */
  readonly dueMs: number
  readonly nowMs: number
  /** Highest wall clock the task has seen, in earlier lives too. */
  readonly latestNowMs: number
}

export interface DueRows {
  /** Keys of rows due at `dueMs`, at most `limit`; the caller deletes what it handled. */
  next(index: KeyValueState<string, 1>, times: DueTimes): readonly string[]
  /**
   * Call after `next`: keys of rows not due, to be looked at since the clock was set back; at most
   * `limit`, none as a rule. The caller may move a row to an earlier time, never to a later one.
   */
  ahead(index: KeyValueState<string, 1>, times: DueTimes): readonly string[]
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
  let highestMs: number | undefined
  let aheadFrom: string | undefined
  return {
    next: (index, { dueMs, nowMs }) => {
      if (nowMs < seenMs) fromMs = 0
      seenMs = nowMs
      const to = dueBound(dueMs)
      if (to === undefined) return []
      const keys = [...index.range({ from: timeKey(fromMs, ''), to, limit })].map(([key]) => key)
      if (keys.length < limit) fromMs = Math.max(fromMs, Math.floor(dueMs) - marginMs)
      return keys
    },
    ahead: (index, { dueMs, nowMs, latestNowMs }) => {
      highestMs = Math.max(highestMs ?? latestNowMs, nowMs)
      if (highestMs - nowMs > marginMs) {
        highestMs = nowMs // once for each time it is set back
        aheadFrom = dueBound(dueMs) ?? timeKey(0, '')
      }
      if (aheadFrom === undefined) return []
      const keys = [...index.range({ from: aheadFrom, limit })].map(([key]) => key)
      aheadFrom = keys.length < limit ? undefined : `${keys.at(-1)}\0`
      return keys
    },
  }
}

/**
 * How much too far ahead a time lies, because the clock was set back after it was set; else 0.
 *
 * The wait starts anew from now, so it never ends early, and late by no more than itself.
 *
 * @param setMs  wall clock when it was set; absent in rows of earlier releases
 */
export const aheadByMs = (setMs: number | undefined, nowMs: number): number =>
  setMs === undefined ? 0 : Math.max(0, setMs - nowMs)
