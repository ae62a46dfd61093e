/**
 * Counts a fact in the minute and the hour of its event time.
 *
 * Called by every node of the analytics, in the record that brought the fact. Whatever is too old
 * for a window that is still kept is counted as late, in the window that is open now.
 */

import type { WindowState } from '../../../src/index.ts'
import { lateKey } from './figure-key.ts'
import { type Fact, type FigureRow, withFact } from './figure-row.ts'
import { type FigureStates, type Granularity, windowMsOf } from './stores.ts'

export const windowStartOf = (atMs: number, granularity: Granularity): number =>
  Math.floor(atMs / windowMsOf[granularity]) * windowMsOf[granularity]

/** @param streamTimeMs  of the task; forgets windows by it */
export const countFact = (states: FigureStates, fact: Fact, streamTimeMs: number): void => {
  for (const granularity of granularities) {
    const rows = states[granularity]
    rows.expire(streamTimeMs)
    if (add(rows, windowStartOf(fact.atMs, granularity), fact)) continue
    const openMs = windowStartOf(streamTimeMs, granularity)
    add(rows, openMs, { key: lateKey, atMs: fact.atMs, sums: { late: 1 } })
  }
}

const granularities: readonly Granularity[] = ['minute', 'hour']

/** @returns  false: the window is forgotten */
const add = (rows: WindowState<string, FigureRow>, startMs: number, fact: Fact): boolean =>
  rows.put(fact.key, startMs, withFact(rows.get(fact.key, startMs), fact))
