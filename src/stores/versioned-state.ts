/**
 * The rows of a versioned store: which version was valid when, and what may be forgotten.
 *
 * Opened once per task by `versioned-store.ts`; called by tables and joins for each record.
 * 1. The versions of a key follow one another without a gap from the first known on; a deletion is
 * a version without a value. 2. The history starts `historyRetentionMs` before the highest
 * timestamp put so far (of this store, not of the task). 3. A row of the history is deleted some
 * time after its last version ended before that start; readers never see such a version.
 * 4. Everything lives in slots: an undone record leaves no trace.
 */

import { orderedMs } from '../../state/key-layout.ts'
import type { Slots } from '../../state/slots.ts'
import type { Serde } from '../serde/serde.ts'
import { KeyCodec } from './key-codec.ts'
import { type KeyRangeOptions, keySlotRange, prefixed } from './key-range.ts'
import { removeBelow } from './remove-below.ts'
import type { SlotView } from './slot-view.ts'
import type { PutResult, TableReader, TableRows, Timestamped } from './table-store.ts'

export interface Version<V> {
  /** Inclusive. */
  readonly fromMs: number
  /** `undefined`: the key had no value. */
  readonly value: V | undefined
}

export interface EndedVersion<V> extends Version<V> {
  /** Exclusive. */
  readonly toMs: number
}

export interface VersionBounds {
  /** Highest timestamp put so far; -Infinity before. */
  readonly observedMs: number
  /** No row with a time in its key lies below it. */
  readonly lowestMs: number
}

interface HistoryOptions<K> {
  readonly key: Serde<K>
  readonly historyRetentionMs: number
}

const noBounds: VersionBounds = { observedMs: -Infinity, lowestMs: Infinity }
const noVersions: readonly EndedVersion<never>[] = []
const boundsKey = 'b'
const buckets = 8
/** Look-ups, on either view of the slots; what a query gets. */
export class Versions<K, V> implements TableReader<K, V> {
  protected readonly keys: KeyCodec<K>
  protected readonly retentionMs: number
  protected readonly bucketMs: number
  readonly #view: SlotView

  constructor(view: SlotView, { key, historyRetentionMs }: HistoryOptions<K>) {
    this.keys = new KeyCodec(key)
    this.retentionMs = historyRetentionMs
    this.bucketMs = Math.max(1, Math.ceil(historyRetentionMs / buckets))
    this.#view = view
  }

  get(key: K): V | undefined {
    return this.row(key)?.value
  }

  row(key: K): Timestamped<V> | undefined {
    return rowOf(this.latest(this.keys.toSlot(key)))
  }

  rowAsOf(key: K, asOfMs: number): Timestamped<V> | undefined {
    const slot = this.keys.toSlot(key)
    const latest = this.latest(slot)
    if (latest === undefined || latest.fromMs <= asOfMs) return rowOf(latest)
    if (asOfMs < this.bounds().observedMs - this.retentionMs) return undefined
    const found = this.endedAfter(slot, asOfMs, latest.fromMs)
    return found !== undefined && found.fromMs <= asOfMs ? rowOf(found) : undefined
  }

  *range({ limit = Infinity, ...keys }: KeyRangeOptions<K> = {}): Generator<
    readonly [K, Timestamped<V>]
  > {
    const range = prefixed('l', keySlotRange(this.keys, keys))
    let left = limit // counted here: keys that were deleted have rows too
    if (left < 1) return
    for (const [place, version] of this.#view.scan(range)) {
      const row = rowOf(version as Version<V>)
      if (row === undefined) continue
      yield [this.keys.fromSlot(place.slice(1)), row]
      if (--left < 1) return
    }
  }

  /** The first version that ended after the time; at most nine point reads, one for most. */
  protected endedAfter(slot: string, timeMs: number, lastMs: number): EndedVersion<V> | undefined {
    for (let atMs = this.bucketOf(timeMs); atMs <= lastMs; atMs += this.bucketMs) {
      let first: EndedVersion<V> | undefined
      for (const version of this.ended(`h${orderedMs(atMs)}${slot}`)) {
        if (version.toMs > timeMs && (first === undefined || version.toMs < first.toMs)) {
          first = version
        }
      }
      if (first !== undefined) return first
    }
    return undefined
  }

  protected latest(slot: string): Version<V> | undefined {
    return this.#view.get(`l${slot}`) as Version<V> | undefined
  }

  protected ended(place: string): readonly EndedVersion<V>[] {
    return (this.#view.get(place) as readonly EndedVersion<V>[] | undefined) ?? noVersions
  }

  protected bounds(): VersionBounds {
    return (this.#view.get(boundsKey) as VersionBounds | undefined) ?? noBounds
  }

  protected bucketOf(timeMs: number): number {
    return Math.floor(timeMs / this.bucketMs) * this.bucketMs
  }
}

export class VersionedState<K, V> extends Versions<K, V> implements TableRows<K, V> {
  readonly #slots: Slots

  constructor(slots: Slots, options: HistoryOptions<K>) {
    super(slots, options)
    this.#slots = slots
  }

  put(key: K, value: V | undefined, timestampMs: number): PutResult {
    const { observedMs } = this.bounds()
    if (timestampMs < observedMs - this.retentionMs) return 'expired'
    if (timestampMs > observedMs) this.#observe(timestampMs)
    const slot = this.keys.toSlot(key)
    const latest = this.latest(slot)
    const version: Version<V> = { fromMs: timestampMs, value }
    if (latest !== undefined && latest.fromMs > timestampMs) {
      this.#insert(slot, version, latest.fromMs)
      return 'older'
    }
    if (latest !== undefined && latest.fromMs < timestampMs) {
      this.#end(slot, { ...latest, toMs: timestampMs })
    }
    this.#slots.put(`l${slot}`, version)
    if (value === undefined) this.#index('d', slot, timestampMs)
    return 'latest'
  }

  prefetch(keys: readonly K[]): void {
    this.#slots.prefetch(keys.map((key) => `l${this.keys.toSlot(key)}`))
  }

  /** An update that arrived behind the latest: it takes its part of the version it falls into. */
  #insert(slot: string, version: Version<V>, latestFromMs: number): void {
    const { fromMs } = version
    const next = this.endedAfter(slot, fromMs, latestFromMs)
    const isInside = next !== undefined && next.fromMs <= fromMs
    const toMs = next === undefined ? latestFromMs : isInside ? next.toMs : next.fromMs
    if (isInside) this.#remove(slot, next)
    if (isInside && next.fromMs < fromMs) this.#end(slot, { ...next, toMs: fromMs })
    this.#end(slot, { ...version, toMs })
  }

  #end(slot: string, version: EndedVersion<V>): void {
    const place = this.#index('h', slot, version.toMs)
    this.#slots.put(place, [...this.ended(place), version])
  }

  #remove(slot: string, version: EndedVersion<V>): void {
    const place = `h${orderedMs(this.bucketOf(version.toMs))}${slot}`
    const kept = this.ended(place).filter(({ toMs }) => toMs !== version.toMs)
    if (kept.length === 0) this.#slots.delete(place)
    else this.#slots.put(place, kept)
  }

  /** @returns the slot of a row of that time, which expires with its bucket */
  #index(kind: 'h' | 'd', slot: string, timeMs: number): string {
    const bucketMs = this.bucketOf(timeMs)
    const { observedMs, lowestMs } = this.bounds()
    if (bucketMs < lowestMs) this.#slots.put(boundsKey, { observedMs, lowestMs: bucketMs })
    const place = `${kind}${orderedMs(bucketMs)}${slot}`
    if (kind === 'd') this.#slots.put(place, true)
    return place
  }

  #observe(observedMs: number): void {
    const { lowestMs } = this.bounds()
    const endMs = this.bucketOf(Math.max(0, observedMs - this.retentionMs))
    const isDue = lowestMs < endMs
    this.#slots.put(boundsKey, {
      observedMs,
      lowestMs: isDue ? this.#deleteBelow(lowestMs, endMs) : lowestMs,
    } satisfies VersionBounds)
  }

  /** Deletes rows of the buckets before `endMs`. @returns what is the lowest then */
  #deleteBelow(lowestMs: number, endMs: number): number {
    let nextMs = endMs
    for (const kind of ['h', 'd']) {
      const reachedMs = removeBelow(
        this.#slots,
        { kind, fromMs: lowestMs, belowMs: endMs },
        (place) => {
          this.#slots.delete(place)
          if (kind === 'd') this.#forget(place.slice(9), endMs)
        },
      )
      nextMs = Math.min(nextMs, reachedMs)
    }
    return nextMs
  }

  /** A deletion that nothing follows need not be remembered once it is older than the history. */
  #forget(slot: string, endMs: number): void {
    const latest = this.latest(slot)
    if (latest === undefined || latest.value !== undefined || latest.fromMs >= endMs) return
    this.#slots.delete(`l${slot}`)
  }
}

const rowOf = <V>(version: Version<V> | undefined): Timestamped<V> | undefined => {
  if (version?.value === undefined) return undefined
  return { value: version.value, timestampMs: version.fromMs }
}
