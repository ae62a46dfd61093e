/**
 * The faces of a windowed store, whatever its kind of windows: for aggregations and for queries.
 *
 * A "time" is the start of a window, or the end of a session. Rows at or below `newestMs −
 * retentionMs` are hidden from everyone but an aggregation that has still to emit them.
 */

import type { Windowed } from '../windows/windows.ts'
import type { Timestamped } from './table-store.ts'
import type { WindowBounds } from './window-bounds.ts'

export type WindowRow<K, V> = readonly [Windowed<K>, Timestamped<V>]

/** Committed windows; what a query sees. */
export interface WindowedReader<K, V> {
  /** The window of a key that starts then; `undefined` if it has no value. One read. */
  get(key: K, startMs: number): V | undefined
  /** Windows of a key with `fromMs ≤ time < toMs`, oldest first; point reads, no scan. */
  fetch(key: K, fromMs: number, toMs: number): Iterable<WindowRow<K, V>>
  /** Windows of all keys with `fromMs ≤ time < toMs`, by time, then key bytes; a scan. */
  all(fromMs: number, toMs: number): Iterable<WindowRow<K, V>>
}

/** What the aggregations of all kinds of windows share. */
export interface WindowedRows<K, V> {
  readonly bounds: WindowBounds
  setBounds(bounds: WindowBounds): void
  /** Rows with `fromMs ≤ time ≤ toMs`, hidden or not, by time, then key bytes, as of this call. */
  between(fromMs: number, toMs: number): Iterable<WindowRow<K, V>>
  /** Deletes rows with a time below, 1,000 at most; a step at a time, so it is cheap to ask. */
  deleteBelow(timeMs: number): void
}

/** Rows are deleted in steps: a scan per record would cost more than everything else. */
export const deletionStepMs = (retentionMs: number): number =>
  Math.min(60_000, Math.max(1, Math.floor(retentionMs / 64)))
