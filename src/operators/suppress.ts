import type { OperatorFunction } from 'rxjs'
import { StreamRecord } from '../record.ts'
import type { SuppressStore } from '../stores/suppress-store.ts'
import { currentScope } from '../topology/scope.ts'
import { checkMs, closeDelayMs, type Windowed, type Windows } from '../windows/windows.ts'

/** Holds updates of windows until they can change no more. */
export interface WindowCloseLimit {
  readonly kind: 'windowClose'
  readonly delayMs: number
}

/** Holds updates for a time. */
export interface TimeLimit {
  readonly kind: 'timeLimit'
  readonly delayMs: number
  readonly recordsMax: number
}

/**
 * For `suppress`: one final result per window.
 *
 * @param windows  those of the aggregate before it: what closes them is their grace
 */
export const untilWindowCloses = (windows: Windows): WindowCloseLimit => ({
  kind: 'windowClose',
  delayMs: closeDelayMs(windows),
})

/**
 * For `suppress`: at most one update per key and span of stream time.
 *
 * @param limitMs     how long the first update of a key may wait, at least 0
 * @param recordsMax  keys that wait at most: the first to be due leaves early; default unbounded
 * @throws {RangeError} a limit that is no whole number from 0
 */
export const untilTimeLimit = (
  limitMs: number,
  { recordsMax = Infinity }: { readonly recordsMax?: number } = {},
): TimeLimit => {
  checkMs('limitMs', limitMs, 0)
  if (recordsMax !== Infinity) checkMs('recordsMax', recordsMax, 0)
  return { kind: 'timeLimit', delayMs: limitMs, recordsMax }
}

/**
 * Holds updates back and lets the last one of each key pass: fewer records, less traffic.
 *
 * What is due is found by the next record that moves the stream time seen here: an idle partition
 * releases nothing. Where a window is to be emitted once, `{ emit: 'onClose' }` of the aggregate
 * needs no second store. A record without a key is dropped and counted.
 *
 * @param store  of what waits; the node is named after it
 * @param limit  `untilWindowCloses` (deletions never pass) or `untilTimeLimit` (they do)
 * @returns      the last update of each key with its own time and headers, in the order of window
 *               end or of first arrival, then of key bytes
 * @example      perMinute$.pipe(suppress(held, untilWindowCloses(perMinute.windows)))
 */
export function suppress<K, V>(
  store: SuppressStore<Windowed<K>, V>,
  limit: WindowCloseLimit,
): OperatorFunction<StreamRecord<Windowed<K>, V | undefined>, StreamRecord<Windowed<K>, V>>
export function suppress<K, V>(
  store: SuppressStore<K, V>,
  limit: TimeLimit,
): OperatorFunction<StreamRecord<K, V | undefined>, StreamRecord<K, V | undefined>>
export function suppress<K, V>(
  store: SuppressStore<K, V>,
  limit: WindowCloseLimit | TimeLimit,
): OperatorFunction<StreamRecord<K, V | undefined>, StreamRecord<K, V>> {
  const scope = currentScope('suppress')
  const { name } = store
  const isWindow = limit.kind === 'windowClose'
  const recordsMax = isWindow ? Infinity : limit.recordsMax
  return (source) => {
    const out = scope.node<StreamRecord<K, V>>({ kind: 'suppress', name, stores: [store] })
    const rows = scope.open(out.node, store)
    out.listen(source, (record) => {
      const { key, value, timestampMs, headers } = record
      if (key === undefined) return scope.countDropped(name, 'nullKey')
      const streamTimeMs = rows.observe(timestampMs)
      const dueMs = isWindow ? (key as Windowed<unknown>).endMs : timestampMs
      rows.hold(key, { dueMs, timestampMs, value, headers })
      const due = rows.releaseUntil(streamTimeMs - limit.delayMs)
      const surplus = rows.releaseAbove(recordsMax)
      for (const [heldKey, held] of surplus.length === 0 ? due : [...due, ...surplus]) {
        if (isWindow && held.value === undefined) continue
        out.emit(new StreamRecord(heldKey, held.value as V, held.timestampMs, held.headers))
      }
    })
    return out
  }
}
