/**
 * Rows that lie in time, as queries tell them: by time, then by encoded key.
 *
 * Called by `read-rows.ts` with the reader of one partition. The time is the start of a window (of
 * a session its end), or that of the record that a join holds or that waits. Where a key may have
 * several rows of one time, their number is the end of their order.
 */

import { msFromOrdered, orderedMs } from '../../state/key-layout.ts'
import type { JoinReader } from '../stores/join-reader.ts'
import { orderedU32 } from '../stores/key-codec.ts'
import type { WaitingReader } from '../stores/waiting-store.ts'
import type { WindowReader } from '../stores/window-store.ts'
import type { WindowedReader } from '../stores/windowed-rows.ts'
import type { WindowedStore } from '../stores/windowed-store.ts'
import { keyFilter, orderOf } from './row-order.ts'
import type { FoundRow, WindowsRead } from './partition-read.ts'
import type { ReadRowsOptions } from './read-rows.ts'

/** A row before its place among those of the same time and key is known. */
type TimedRow = Omit<FoundRow, 'order'> & { readonly timeMs: number }

/** In their order; from the time of the cursor on. */
export function* timedRows(options: ReadRowsOptions, read: WindowsRead): Generator<FoundRow> {
  const { store } = options
  const fromMs =
    read.after === undefined ? read.fromMs : Math.max(read.fromMs, msFromOrdered(read.after.order))
  const bounds = { ...read, fromMs }
  if (store.kind === 'join') return yield* joinRows(options, bounds)
  if (store.kind === 'waiting') return yield* waitingRows(options, bounds)
  const rows = store.kind === 'window' ? plainWindows(options, bounds) : aggregates(options, bounds)
  for (const { timeMs, ...row } of rows) {
    yield { order: orderedMs(timeMs) + orderOf(store, row.key), ...row }
  }
}

function* plainWindows(
  { reader }: ReadRowsOptions,
  { key, fromMs, toMs }: WindowsRead,
): Generator<TimedRow> {
  const windows = reader as WindowReader<unknown, unknown>
  if (key === undefined) {
    for (const [found, startMs, value] of windows.all(fromMs, toMs)) {
      yield { timeMs: startMs, key: found, window: { startMs }, value }
    }
    return
  }
  for (const [startMs, value] of windows.fetch(key, fromMs, toMs)) {
    yield { timeMs: startMs, key, window: { startMs }, value }
  }
}

function* aggregates(
  { store, reader }: ReadRowsOptions,
  { key, fromMs, toMs }: WindowsRead,
): Generator<TimedRow> {
  const windows = reader as WindowedReader<unknown, unknown>
  const isSession = (store as WindowedStore<unknown, unknown>).windows.kind === 'session'
  const rows = key === undefined ? windows.all(fromMs, toMs) : windows.fetch(key, fromMs, toMs)
  for (const [{ key: found, startMs, endMs }, { value, timestampMs }] of rows) {
    const timeMs = isSession ? endMs : startMs
    yield { timeMs, key: found, window: { startMs, endMs }, timestampMs, value }
  }
}

/** The store has them by bucket, there by key: a bucket is put in order at a time. */
function* joinRows(options: ReadRowsOptions, read: WindowsRead): Generator<FoundRow> {
  const joined = options.reader as JoinReader<unknown, unknown, unknown>
  const isWanted = keyFilter(options, read)
  let [bucket, bucketAtMs] = [new PlacedRows(), -1]
  for (const [key, side, { timestampMs, value, matched }] of joined.all(read.fromMs, read.toMs)) {
    if (!isWanted(key)) continue
    const atMs = Math.floor(timestampMs / joined.bucketMs)
    if (atMs !== bucketAtMs) {
      yield* bucket.sorted()
      ;[bucket, bucketAtMs] = [new PlacedRows(), atMs]
    }
    const place = orderedMs(timestampMs) + orderOf(options.store, key) + side
    bucket.add(place, { key, timestampMs, value: { side, value, isWaiting: !matched } })
  }
  yield* bucket.sorted()
}

function* waitingRows(options: ReadRowsOptions, read: WindowsRead): Generator<FoundRow> {
  const waiting = options.reader as WaitingReader<unknown, unknown>
  const isWanted = keyFilter(options, read)
  let [last, nth] = ['', 0]
  for (const { key, value, timestampMs } of waiting.between(read.fromMs, read.toMs)) {
    if (!isWanted(key)) continue
    const place = orderedMs(timestampMs) + orderOf(options.store, key)
    ;[last, nth] = [place, place === last ? nth + 1 : 0]
    yield { order: place + orderedU32(nth), key, timestampMs, value }
  }
}

/** Rows that may share a place, in which they stay in the order of arrival. */
class PlacedRows {
  readonly #rows: FoundRow[] = []
  readonly #counts = new Map<string, number>()

  add(place: string, row: Omit<FoundRow, 'order'>): void {
    const nth = this.#counts.get(place) ?? 0
    this.#counts.set(place, nth + 1)
    this.#rows.push({ order: place + orderedU32(nth), ...row })
  }

  sorted(): readonly FoundRow[] {
    return this.#rows.toSorted((a, b) => (a.order < b.order ? -1 : 1))
  }
}
