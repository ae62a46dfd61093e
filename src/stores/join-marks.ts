/**
 * Marks of rows that are reported if they stay alone: `['u'][timestamp time][side][key]`.
 *
 * Written by the slots with the rows (`SlotCodec.marks`), read by `UnmatchedIndex`. A mark exists
 * exactly while a row of its side, key and time is unmatched. The right side sorts first, as it is
 * reported first.
 */

import { msFromOrdered, orderedMs } from '../../state/key-layout.ts'
import type { AnyRow, AnySides } from './join-rows.ts'
import type { Side } from './join-window.ts'

/** Behind every mark. */
export const marksEnd = 'v'

const keyAt = 10
/** Before the key of a row: `['r'][bucketStart time]`. */
const placeKeyAt = 9

export const unmatchedMark = (timestampMs: number, side: Side, slot: string): string =>
  `u${orderedMs(timestampMs)}${side === 'right' ? '0' : '1'}${slot}`

export const sideOfMark = (mark: string): Side => (mark.charAt(9) === '0' ? 'right' : 'left')

export const msOfMark = (mark: string): number => msFromOrdered(mark, 1)

export const keyOfMark = (mark: string): string => mark.slice(keyAt)

const none: readonly string[] = []

/** Of the rows of one key in one bucket; rows of one time share a mark. */
export const marksOf = ({ left, right }: AnySides, place: string): readonly string[] => {
  if (!hasUnmatched(left) && !hasUnmatched(right)) return none
  const slot = place.slice(placeKeyAt)
  const marks: string[] = []
  addMarks(marks, left, 'left', slot)
  addMarks(marks, right, 'right', slot)
  return marks.length === 1 ? marks : [...new Set(marks)]
}

const hasUnmatched = (rows: readonly AnyRow[]): boolean => {
  for (const { matched } of rows) if (!matched) return true
  return false
}

const addMarks = (marks: string[], rows: readonly AnyRow[], side: Side, slot: string): void => {
  for (const { timestampMs, matched } of rows) {
    if (!matched) marks.push(unmatchedMark(timestampMs, side, slot))
  }
}
