/**
 * Rows of sliding windows: the windows of one key that start in one bucket of time, in one row.
 *
 * Slot layout, big-endian; `time` is `orderedMs`, a bucket is as wide as a window:
 * ```
 *   ['s'][bucketStart time][key] → per window, by start:
 *                                  [start u64][timestampMs u64][valueBytes u32][value]
 *   ['b']                        → window-bounds.ts
 * ```
 * A record touches windows that start up to two widths before it: four points, where windows as
 * rows of their own would need a scan per record.
 */

import { msFromOrdered, orderedMs } from '../../state/key-layout.ts'
import type { SlotCodec, Slots } from '../../state/slots.ts'
import type { Serde } from '../serde/serde.ts'
import type { SlidingWindows } from '../windows/windows.ts'
import { KeyCodec } from './key-codec.ts'
import { removeBelow } from './remove-below.ts'
import type { SlotView } from './slot-view.ts'
import type { Timestamped } from './table-store.ts'
import { TimePrefixes } from './time-prefixes.ts'
import { decodeTimedList, encodeTimedList, type TimedListParts } from './timed-list.ts'
import { boundsSlot, including, readBounds, type WindowBounds } from './window-bounds.ts'
import {
  deletionStepMs,
  type WindowedReader,
  type WindowedRows,
  type WindowRow,
} from './windowed-rows.ts'

export interface SlidingOptions<K> {
  readonly key: Serde<K>
  readonly windows: SlidingWindows
  readonly retentionMs: number
}

export interface SlidingWindow<V> extends Timestamped<V> {
  readonly startMs: number
}

type Bucket<V> = readonly SlidingWindow<V>[]

export class SlidingReader<K, V> implements WindowedReader<K, V> {
  protected readonly keys: KeyCodec<K>
  protected readonly widthMs: number
  readonly #retentionMs: number
  readonly #view: SlotView
  readonly #prefixes = new TimePrefixes('s')

  constructor(view: SlotView, { key, windows, retentionMs }: SlidingOptions<K>) {
    this.keys = new KeyCodec(key)
    this.widthMs = windows.withinMs
    this.#retentionMs = retentionMs
    this.#view = view
  }

  get bounds(): WindowBounds {
    return readBounds(this.#view)
  }

  get(key: K, startMs: number): V | undefined {
    for (const [, { value }] of this.fetch(key, startMs, startMs + 1)) return value
    return undefined
  }

  *fetch(key: K, fromMs: number, toMs: number): Generator<WindowRow<K, V>> {
    const { lowestMs, newestMs } = this.bounds
    const from = Math.max(fromMs, lowestMs)
    for (const window of this.windowsOf(key, from, Math.min(toMs - 1, newestMs))) {
      yield this.#rowOf(key, window)
    }
  }

  *all(fromMs: number, toMs: number): Generator<WindowRow<K, V>> {
    yield* this.between(Math.max(fromMs, this.#visibleFromMs()), toMs - 1)
  }

  /** One bucket of time after the other: what is in memory at once are the windows of one. */
  *between(fromMs: number, toMs: number): Generator<WindowRow<K, V>> {
    const { lowestMs, newestMs } = this.bounds
    const [from, to] = [Math.max(fromMs, lowestMs), Math.min(toMs, newestMs)]
    if (from > to) return
    const range = { gte: `s${orderedMs(this.bucketMs(from))}`, lt: `s${orderedMs(to + 1)}` }
    let bucketMs = -1
    let found: (readonly [string, SlidingWindow<V>])[] = []
    for (const [slot, row] of this.#view.scan(range)) {
      const startMs = msFromOrdered(slot, 1)
      if (startMs !== bucketMs) {
        yield* this.#inOrder(found)
        found = []
        bucketMs = startMs
      }
      for (const window of row as Bucket<V>) {
        if (window.startMs >= from && window.startMs <= to) found.push([slot.slice(9), window])
      }
    }
    yield* this.#inOrder(found)
  }

  /** Windows of a key with `fromMs ≤ start ≤ toMs`, by start, but for those past the retention. */
  windowsOf(key: K, fromMs: number, toMs: number): readonly SlidingWindow<V>[] {
    const found: SlidingWindow<V>[] = []
    const slot = this.keys.toSlot(key)
    const from = Math.max(0, fromMs, this.#visibleFromMs())
    for (let atMs = this.bucketMs(from); atMs <= toMs; atMs += this.widthMs) {
      for (const window of this.bucket(slot, atMs)) {
        if (window.startMs >= from && window.startMs <= toMs) found.push(window)
      }
    }
    return found
  }

  protected bucket(key: string, bucketMs: number): Bucket<V> {
    return (this.#view.get(this.bucketSlot(key, bucketMs)) as Bucket<V> | undefined) ?? []
  }

  protected bucketSlot(key: string, bucketMs: number): string {
    return this.#prefixes.of(bucketMs) + key
  }

  protected bucketMs(startMs: number): number {
    return Math.floor(startMs / this.widthMs) * this.widthMs
  }

  /** By start, then key bytes; the rows come by key. */
  *#inOrder(found: (readonly [string, SlidingWindow<V>])[]): Generator<WindowRow<K, V>> {
    found.sort(([, a], [, b]) => a.startMs - b.startMs) // stable: keys stay in order
    for (const [slot, window] of found) yield this.#rowOf(this.keys.fromSlot(slot), window)
  }

  #rowOf(key: K, window: SlidingWindow<V>): WindowRow<K, V> {
    const { startMs } = window
    return [{ key, startMs, endMs: startMs + this.widthMs }, window]
  }

  #visibleFromMs(): number {
    return this.bounds.newestMs - this.#retentionMs + 1
  }
}

/** The face for the aggregation; its reads see the writes of the record in flight. */
export class SlidingRows<K, V> extends SlidingReader<K, V> implements WindowedRows<K, V> {
  readonly #slots: Slots
  readonly #stepMs: number

  constructor(slots: Slots, options: SlidingOptions<K>) {
    super(slots, options)
    this.#slots = slots
    this.#stepMs = deletionStepMs(options.retentionMs)
  }

  setBounds(bounds: WindowBounds): void {
    this.#slots.put(boundsSlot, bounds)
  }

  /** A hint: reads the buckets a record of this time may touch in one call. */
  prefetch(records: readonly (readonly [K, number])[]): void {
    this.#slots.prefetch(
      records.flatMap(([key, timestampMs]) => {
        const slot = this.keys.toSlot(key)
        const places: string[] = []
        const fromMs = this.bucketMs(Math.max(0, timestampMs - 2 * this.widthMs))
        for (let atMs = fromMs; atMs <= timestampMs + 1; atMs += this.widthMs) {
          places.push(this.bucketSlot(slot, atMs))
        }
        return places
      }),
    )
  }

  /** @param value  `undefined` deletes the window */
  put(key: K, startMs: number, value: V | undefined, timestampMs: number): void {
    const keySlot = this.keys.toSlot(key)
    const bucketMs = this.bucketMs(startMs)
    const windows = this.bucket(keySlot, bucketMs)
    const at = windows.findIndex((window) => window.startMs >= startMs)
    const isThere = windows[at]?.startMs === startMs
    const next = at < 0 ? windows.length : at
    const put = value === undefined ? [] : [{ startMs, value, timestampMs }]
    const changed = windows.toSpliced(next, isThere ? 1 : 0, ...put)
    const slot = this.bucketSlot(keySlot, bucketMs)
    if (changed.length === 0) return this.#slots.delete(slot)
    this.#slots.put(slot, changed satisfies Bucket<V>)
    const { bounds } = this
    if (value === undefined) return
    const wider = including(bounds, startMs)
    if (wider !== bounds) this.setBounds(wider)
  }

  /** Whole buckets only. */
  deleteBelow(timeMs: number): void {
    const { bounds } = this
    const belowMs = this.bucketMs(Math.floor(timeMs / this.#stepMs) * this.#stepMs)
    if (bounds.lowestMs >= belowMs) return
    const over = { kind: 's', fromMs: this.bucketMs(bounds.lowestMs), belowMs }
    const lowestMs = removeBelow(this.#slots, over, (slot) => this.#slots.delete(slot))
    this.setBounds({ ...bounds, lowestMs })
  }
}

export const slidingCodec = <V>(serde: Serde<V>): SlotCodec => {
  const parts: TimedListParts<V, SlidingWindow<V>> = {
    value: serde,
    timesOf: ({ startMs, timestampMs }) => [startMs, timestampMs],
    rowOf: (startMs, timestampMs, value) => ({ startMs, timestampMs, value }),
  }
  return {
    encode: (stored) => encodeTimedList(stored as Bucket<V>, parts),
    decode: (bytes) => decodeTimedList(bytes, parts),
  }
}
