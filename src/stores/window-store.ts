/**
 * One value per key and window start, forgotten once stream time is `retentionMs` past the start.
 *
 * Slot layout, big-endian; `time` is `orderedMs`:
 * ```
 *   ['r'][keyBytes u32][key][windowStart time] → [value]     fetch of one key is one short scan
 *   ['t'][windowStart time][key]               → [1]         finds what expires, without a search
 *   ['b']                                      → [lowestMs f64][closedMs f64]
 * ```
 * 1. No row lies below `lowestMs`: expiry seeks there and never walks over old tombstones. 2. Rows
 * below `closedMs` do not exist for readers; they are deleted some at a time.
 */

import { msFromOrdered, orderedMs } from '../../state/key-layout.ts'
import type { SlotCodec, Slots } from '../../state/slots.ts'
import type { Serde, Serdes } from '../serde/serde.ts'
import { boundsCodec, markerCodec } from './fixed-codecs.ts'
import { KeyCodec, orderedU32 } from './key-codec.ts'
import { removeBelow } from './remove-below.ts'
import { cleanView, type SlotView } from './slot-view.ts'
import type { Store } from './store.ts'
import { type StoreVersion, versionFields } from './store-version.ts'

/** Committed windows; what a query sees. Times are window starts in ms. */
export interface WindowReader<K, V> {
  get(key: K, windowStartMs: number): V | undefined
  /** Windows of a key with `fromMs ≤ start < toMs`, oldest first; one seek. */
  fetch(key: K, fromMs: number, toMs: number): Iterable<readonly [number, V]>
  /** Windows of all keys with `fromMs ≤ start < toMs`, oldest first; one read per row. */
  all(fromMs: number, toMs: number): Iterable<readonly [K, number, V]>
}

export interface WindowState<K, V> extends WindowReader<K, V> {
  /**
   * @returns  false if the window is closed already: nothing was written, the record is late
   * @throws {TypeError} the value is undefined: call `delete`
   */
  put(key: K, windowStartMs: number, value: V): boolean
  delete(key: K, windowStartMs: number): void
  /**
   * Closes windows that start before `streamTimeMs - retentionMs`; call it with each record.
   *
   * Closing goes by steps (a 64th of the retention, at most one minute), so a window may live one
   * step longer, never shorter. Costs one comparison unless a step is over.
   *
   * @returns  rows deleted now, at most 1,000; the rest goes with the next calls
   */
  expire(streamTimeMs: number): number
}

export interface WindowStoreOptions<K, V> extends Serdes<K, V>, StoreVersion<NoInfer<V>> {
  /** Age of a window's start in stream time, in ms, up to which it is kept; at least 1. */
  readonly retentionMs: number
}

export interface WindowStore<K, V>
  extends Store<WindowState<K, V>, WindowReader<K, V>>, WindowStoreOptions<K, V> {
  readonly kind: 'window'
  readonly retentionMs: number
}

interface Bounds {
  readonly lowestMs: number
  readonly closedMs: number
}

const noBounds: Bounds = { lowestMs: Infinity, closedMs: 0 }
const boundsKey = 'b'
const stepMsMax = 60_000

/**
 * Names a window store.
 *
 * @param name  unique in the application and stable
 * @throws {RangeError} `retentionMs` below 1
 * @example     windowStore('hourly', { key: utf8, value: json<number>(), retentionMs: days(1) })
 */
export const windowStore = <K, V>(
  name: string,
  { key, value, retentionMs, ...version }: WindowStoreOptions<K, V>,
): WindowStore<K, V> => {
  if (!(retentionMs >= 1)) throw new RangeError(`store ${name}: retentionMs must be at least 1`)
  return {
    name,
    kind: 'window',
    key,
    value,
    retentionMs,
    layout: `window/1 key=${key.format} value=${value.format}`,
    changelog: { cleanupPolicy: 'compact' }, // rows end by tombstones; `delete` would lose bounds
    ...versionFields(name, version, { value, codecOf: windowCodec }),
    open: (slots) => new WindowSlots<K, V>(slots, key, retentionMs),
    reader: (slots) => new WindowRows<K, V>(key, cleanView(slots)),
  }
}

class WindowRows<K, V> implements WindowReader<K, V> {
  protected readonly keys: KeyCodec<K>
  readonly #view: SlotView
  /** The row asked for last: most are read, then written. Objects may change, so no such key. */
  #lastKey: K | undefined
  #lastStartMs = Number.NaN
  #lastRow = ''

  constructor(key: Serde<K>, view: SlotView) {
    this.keys = new KeyCodec(key)
    this.#view = view
  }

  get(key: K, windowStartMs: number): V | undefined {
    if (windowStartMs < this.bounds().closedMs) return undefined
    return this.#view.get(this.rowOf(key, windowStartMs)) as V | undefined
  }

  *fetch(key: K, fromMs: number, toMs: number): Generator<readonly [number, V]> {
    const startMs = Math.max(fromMs, this.bounds().closedMs)
    if (toMs <= startMs) return
    const slot = this.keys.toSlot(key)
    const range = { gte: rowSlot(slot, startMs), lt: rowSlot(slot, boundedMs(toMs)) }
    for (const [row, value] of this.#view.scan(range)) {
      yield [msFromOrdered(row, row.length - 8), value as V]
    }
  }

  *all(fromMs: number, toMs: number): Generator<readonly [K, number, V]> {
    const startMs = Math.max(fromMs, this.bounds().closedMs)
    if (toMs <= startMs) return
    const range = { gte: `t${orderedMs(startMs)}`, lt: `t${orderedMs(boundedMs(toMs))}` }
    for (const [row] of this.#view.scan(range)) {
      const windowStartMs = msFromOrdered(row, 1)
      const slot = row.slice(9)
      const value = this.#view.get(rowSlot(slot, windowStartMs)) as V | undefined
      if (value !== undefined) yield [this.keys.fromSlot(slot), windowStartMs, value]
    }
  }

  /** Where the row of a window is. */
  protected rowOf(key: K, windowStartMs: number): string {
    if (windowStartMs !== this.#lastStartMs || key !== this.#lastKey) {
      this.#lastRow = rowSlot(this.keys.toSlot(key), windowStartMs)
      this.#lastKey = typeof key === 'object' ? undefined : key
      this.#lastStartMs = windowStartMs
    }
    return this.#lastRow
  }

  protected bounds(): Bounds {
    return (this.#view.get(boundsKey) as Bounds | undefined) ?? noBounds
  }
}

class WindowSlots<K, V> extends WindowRows<K, V> implements WindowState<K, V> {
  readonly #slots: Slots
  readonly #retentionMs: number
  readonly #stepMs: number

  constructor(slots: Slots, key: Serde<K>, retentionMs: number) {
    super(key, slots)
    this.#slots = slots
    this.#retentionMs = retentionMs
    this.#stepMs = Math.min(stepMsMax, Math.max(1, Math.floor(retentionMs / 64)))
  }

  put(key: K, windowStartMs: number, value: V): boolean {
    if (value === undefined) throw new TypeError('put() got undefined; use delete()')
    const { lowestMs, closedMs } = this.bounds()
    if (windowStartMs < closedMs) return false
    const row = this.rowOf(key, windowStartMs)
    if (this.#slots.get(row) === undefined) {
      this.#slots.put(`t${orderedMs(windowStartMs)}${this.keys.toSlot(key)}`, true)
      if (windowStartMs < lowestMs) this.#setBounds({ lowestMs: windowStartMs, closedMs })
    }
    this.#slots.put(row, value)
    return true
  }

  delete(key: K, windowStartMs: number): void {
    const slot = this.keys.toSlot(key)
    const row = rowSlot(slot, windowStartMs)
    if (this.#slots.get(row) === undefined) return
    this.#slots.delete(row)
    this.#slots.delete(`t${orderedMs(windowStartMs)}${slot}`)
  }

  expire(streamTimeMs: number): number {
    const bounds = this.bounds()
    const dueMs = Math.floor((streamTimeMs - this.#retentionMs) / this.#stepMs) * this.#stepMs
    const closedMs = Math.max(bounds.closedMs, dueMs)
    if (closedMs === bounds.closedMs && bounds.lowestMs >= closedMs) return 0
    if (bounds.lowestMs >= closedMs) {
      this.#setBounds({ lowestMs: bounds.lowestMs, closedMs })
      return 0
    }
    let deleted = 0
    const over = { kind: 't', fromMs: bounds.lowestMs, belowMs: closedMs }
    const lowestMs = removeBelow(this.#slots, over, (row) => {
      this.#slots.delete(row)
      this.#slots.delete(rowSlot(row.slice(9), msFromOrdered(row, 1)))
      deleted += 1
    })
    this.#setBounds({ lowestMs, closedMs })
    return deleted
  }

  #setBounds(bounds: Bounds): void {
    this.#slots.put(boundsKey, bounds)
  }
}

const rowSlot = (key: string, windowStartMs: number): string =>
  `r${orderedU32(key.length)}${key}${orderedMs(windowStartMs)}`

const boundedMs = (timeMs: number): number => Math.min(timeMs, Number.MAX_SAFE_INTEGER)

const windowCodec = <V>(value: Serde<V>): SlotCodec => ({
  encode(stored, key) {
    if (key.startsWith('r')) return value.encode(stored as V)
    if (key === boundsKey) return boundsCodec.encode(boundsOf(stored as Bounds))
    return markerCodec.encode()
  },
  decode(bytes, key) {
    if (key.startsWith('r')) return value.decode(bytes)
    if (key !== boundsKey) return markerCodec.decode()
    const [lowestMs, closedMs] = boundsCodec.decode(bytes)
    return { lowestMs, closedMs } satisfies Bounds
  },
})

const boundsOf = ({ lowestMs, closedMs }: Bounds): readonly [number, number] => [lowestMs, closedMs]
