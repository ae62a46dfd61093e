/**
 * One value per key that is gone `ttlMs` after the timestamp it was put with, in stream time.
 *
 * Slot layout, big-endian; `time` is `orderedMs`, a bucket is a 64th of the time to live:
 * ```
 *   ['r'][key]                    → [timestampMs u64][value]   a read is one point
 *   ['t'][bucketStart time][key]  → [1]                        finds what has expired
 *   ['b']                         → [streamTimeMs f64][lowestMs f64]
 * ```
 * 1. A row is read only while stream time is less than `ttlMs` past its timestamp, deleted or not:
 * neither a restore nor a lazy deletion can bring it back. 2. A row has a mark in its bucket or in
 * an older one; a mark that is met too early moves to the row's own bucket, so `ttlMs` may change.
 * 3. No mark lies below `lowestMs`.
 */

import { orderedMs } from '../../state/key-layout.ts'
import type { SlotCodec, Slots } from '../../state/slots.ts'
import type { Serde, Serdes } from '../serde/serde.ts'
import { checkMs } from '../windows/windows.ts'
import { boundsCodec, markerCodec } from './fixed-codecs.ts'
import { KeyCodec } from './key-codec.ts'
import { type KeyRangeOptions, keySlotRange, prefixed } from './key-range.ts'
import { removeBelow } from './remove-below.ts'
import { cleanView, type SlotView } from './slot-view.ts'
import type { ChangelogPolicy, Store } from './store.ts'
import type { StreamTime } from './stream-time.ts'
import { timedCodec, type Timestamped } from './table-store.ts'

/** Committed rows, without those that had expired at the last use of the store. */
export interface TtlReader<K, V> {
  /** `undefined` if the key has no value, or had one that expired. */
  get(key: K): V | undefined
  /** Rows in the order of their encoded keys; expired ones are passed over, and cost a read. */
  range(options?: KeyRangeOptions<K>): Iterable<readonly [K, V]>
}

/** Reads see the writes of the record in flight; a record that fails leaves none of them. */
export interface TtlState<K, V> extends TtlReader<K, V> {
  /**
   * Replaces the value, which lives `ttlMs` from this timestamp on, later or not than the last.
   *
   * The store owns the value from now on: do not change it in place.
   *
   * @param timestampMs  as a rule the record's
   * @returns  false if it would have expired already: nothing was written, the record is late
   * @throws {TypeError} the value is undefined: call `delete`
   * @throws {RangeError} the time is not a whole number of ms from 0
   */
  put(key: K, value: V, timestampMs: number): boolean
  delete(key: K): void
  /** A hint: reads these keys in one call, where the following gets would make one each. */
  prefetch(keys: readonly K[]): void
}

export interface TtlStoreOptions<K, V> extends Serdes<K, V> {
  /** How far stream time moves past a row's timestamp until it is gone; whole ms, at least 1. */
  readonly ttlMs: number
  /**
   * Lets the broker delete rows that were written this long ago, by its clock; at least `ttlMs`.
   *
   * Without it the changelog is compacted only, and rows leave it with their deletions. With it the
   * changelog forgets by the wall clock what expires by stream time: after a longer standstill a
   * restore on an empty disk lacks rows that had not expired.
   */
  readonly changelogRetentionMs?: number
}

export interface TtlStore<K, V>
  extends Store<TtlState<K, V>, TtlReader<K, V>>, TtlStoreOptions<K, V> {
  readonly kind: 'ttl'
}

interface Bounds {
  /** Of the last use. */
  readonly streamTimeMs: number
  readonly lowestMs: number
}

/** From 0: should the changelog lack the bounds, marks are looked for from the beginning. */
const noBounds: Bounds = { streamTimeMs: -Infinity, lowestMs: 0 }
const boundsSlot = 'b'
const buckets = 64

/**
 * Names a store whose rows expire.
 *
 * What has expired is deleted with later records that use the store, at most 1,000 rows each.
 *
 * @param name  unique in the application and stable
 * @throws {RangeError} `ttlMs` is no whole number from 1, or the retention is shorter
 * @example     ttlStore('carts', { key: utf8, value: json<Cart>(), ttlMs: hours(2) })
 */
export const ttlStore = <K, V>(name: string, options: TtlStoreOptions<K, V>): TtlStore<K, V> => {
  const { key, value, ttlMs } = options
  checkMs(`store ${name}: ttlMs`, ttlMs, 1)
  return {
    ...options,
    name,
    kind: 'ttl',
    layout: `ttl/1 key=${key.format} value=${value.format}`,
    changelog: changelogOf(name, options),
    codec: ttlCodec(value),
    open: (slots, time) => new TtlSlots<K, V>(slots, time, options),
    reader: (slots) => new TtlRows<K, V>(cleanView(slots), options),
  }
}

const changelogOf = (
  name: string,
  {
    ttlMs,
    changelogRetentionMs,
  }: Pick<TtlStoreOptions<unknown, unknown>, 'ttlMs' | 'changelogRetentionMs'>,
): ChangelogPolicy => {
  if (changelogRetentionMs === undefined) return { cleanupPolicy: 'compact' }
  checkMs(`store ${name}: changelogRetentionMs`, changelogRetentionMs, ttlMs)
  return { cleanupPolicy: 'compact,delete', retentionMs: changelogRetentionMs }
}

class TtlRows<K, V> implements TtlReader<K, V> {
  protected readonly keys: KeyCodec<K>
  protected readonly ttlMs: number
  readonly #view: SlotView

  constructor(view: SlotView, { key, ttlMs }: TtlStoreOptions<K, V>) {
    this.keys = new KeyCodec(key)
    this.ttlMs = ttlMs
    this.#view = view
  }

  get(key: K): V | undefined {
    const nowMs = this.streamTimeMs()
    const row = this.rowAt(this.keys.toSlot(key))
    return row !== undefined && this.isLive(row.timestampMs, nowMs) ? row.value : undefined
  }

  *range({ limit = Infinity, ...options }: KeyRangeOptions<K> = {}): Generator<readonly [K, V]> {
    const nowMs = this.streamTimeMs()
    let left = limit // counted here: expired rows may lie between
    if (left < 1) return
    for (const [slot, stored] of this.#view.scan(prefixed('r', keySlotRange(this.keys, options)))) {
      const { timestampMs, value } = stored as Timestamped<V>
      if (!this.isLive(timestampMs, nowMs)) continue
      yield [this.keys.fromSlot(slot.slice(1)), value]
      if (--left < 1) return
    }
  }

  protected isLive(timestampMs: number, nowMs: number): boolean {
    return nowMs - timestampMs < this.ttlMs
  }

  protected rowAt(key: string): Timestamped<V> | undefined {
    return this.#view.get(`r${key}`) as Timestamped<V> | undefined
  }

  protected streamTimeMs(): number {
    return this.bounds.streamTimeMs
  }

  protected get bounds(): Bounds {
    return (this.#view.get(boundsSlot) as Bounds | undefined) ?? noBounds
  }
}

class TtlSlots<K, V> extends TtlRows<K, V> implements TtlState<K, V> {
  readonly #slots: Slots
  readonly #time: StreamTime
  readonly #bucketMs: number

  constructor(slots: Slots, time: StreamTime, options: TtlStoreOptions<K, V>) {
    super(slots, options)
    this.#slots = slots
    this.#time = time
    this.#bucketMs = Math.max(1, Math.floor(options.ttlMs / buckets))
  }

  put(key: K, value: V, timestampMs: number): boolean {
    if (value === undefined) throw new TypeError('put() got undefined; use delete()')
    checkMs('put(): timestampMs', timestampMs, 0)
    if (!this.isLive(timestampMs, this.streamTimeMs())) return false
    const slot = this.keys.toSlot(key)
    const bucketMs = this.#bucketOf(timestampMs)
    const before = this.rowAt(slot)
    if (before === undefined || this.#bucketOf(before.timestampMs) !== bucketMs) {
      this.#slots.put(`t${orderedMs(bucketMs)}${slot}`, true)
      const { bounds } = this
      if (bucketMs < bounds.lowestMs) this.#setBounds({ ...bounds, lowestMs: bucketMs })
    }
    this.#slots.put(`r${slot}`, { value, timestampMs } satisfies Timestamped<V>)
    return true
  }

  delete(key: K): void {
    this.#slots.delete(`r${this.keys.toSlot(key)}`) // its mark goes when its time comes
  }

  prefetch(keys: readonly K[]): void {
    this.#slots.prefetch(keys.map((key) => `r${this.keys.toSlot(key)}`))
  }

  /** Of the task; the first use after it moved deletes some of what has expired since. */
  protected override streamTimeMs(): number {
    const { bounds } = this
    const nowMs = this.#time.ms
    if (nowMs <= bounds.streamTimeMs) return bounds.streamTimeMs
    const belowMs = this.#bucketOf(nowMs - this.ttlMs + 1) // buckets without a live row
    const isOver = bounds.lowestMs < belowMs
    const lowestMs = isOver ? this.#deleteBelow(belowMs, nowMs) : bounds.lowestMs
    this.#setBounds({ streamTimeMs: nowMs, lowestMs })
    return nowMs
  }

  #deleteBelow(belowMs: number, nowMs: number): number {
    const over = { kind: 't', fromMs: this.bounds.lowestMs, belowMs }
    return removeBelow(this.#slots, over, (mark) => {
      const slot = mark.slice(9)
      const row = this.rowAt(slot)
      this.#slots.delete(mark)
      if (row === undefined) return
      if (this.isLive(row.timestampMs, nowMs)) this.#mark(slot, row.timestampMs)
      else this.#slots.delete(`r${slot}`)
    })
  }

  /** A row that was put again has its later mark, unless buckets were wider when it was put. */
  #mark(slot: string, timestampMs: number): void {
    const mark = `t${orderedMs(this.#bucketOf(timestampMs))}${slot}`
    if (this.#slots.get(mark) === undefined) this.#slots.put(mark, true)
  }

  #bucketOf(timeMs: number): number {
    return Math.floor(timeMs / this.#bucketMs) * this.#bucketMs
  }

  #setBounds(bounds: Bounds): void {
    this.#slots.put(boundsSlot, bounds)
  }
}

const ttlCodec = <V>(value: Serde<V>): SlotCodec => {
  const rows = timedCodec(value)
  return {
    encode(stored, slot) {
      if (slot.startsWith('r')) return rows.encode(stored, slot)
      if (slot.startsWith('t')) return markerCodec.encode()
      const { streamTimeMs, lowestMs } = stored as Bounds
      return boundsCodec.encode([streamTimeMs, lowestMs])
    },
    decode(bytes, slot) {
      if (slot.startsWith('r')) return rows.decode(bytes, slot)
      if (slot.startsWith('t')) return markerCodec.decode()
      const [streamTimeMs, lowestMs] = boundsCodec.decode(bytes)
      return { streamTimeMs, lowestMs } satisfies Bounds
    },
  }
}
