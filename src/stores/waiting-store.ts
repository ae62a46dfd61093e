/**
 * Stream records that wait for late updates of the table they will be joined with.
 *
 * Slot layout, big-endian; `time` is `orderedMs`:
 * ```
 *   ['w'][timestamp time][key]  → the records of this key and time, in order of arrival
 *   ['b']                       → [observedMs f64][lowestMs f64]
 * ```
 * 1. A record waits until a later one of at least its time plus `graceMs` has come to wait: only
 * records that waited move this clock, so one join's delay is its own. 2. Released in order of
 * time, then of key bytes. 3. `lowestMs` bounds from below what waits: a record that releases
 * nothing costs one comparison.
 */

import { msFromOrdered, orderedMs } from '../../state/key-layout.ts'
import type { SlotCodec, Slots } from '../../state/slots.ts'
import type { Headers } from '../record.ts'
import type { Serde, Serdes } from '../serde/serde.ts'
import { checkMs } from '../windows/windows.ts'
import { boundsCodec } from './fixed-codecs.ts'
import { headersFromText, textOfHeaders } from './header-text.ts'
import { KeyCodec } from './key-codec.ts'
import type { Store } from './store.ts'
import { type StoreVersion, versionFields } from './store-version.ts'

export interface WaitingRecord<K, V> {
  readonly key: K
  readonly value: V
  readonly timestampMs: number
  readonly headers: Headers
}

export interface WaitingStoreOptions<K, V> extends Serdes<K, V>, StoreVersion<NoInfer<V>> {
  /** How long a record waits, in ms of event time; at least 0. */
  readonly graceMs: number
}

/** Committed rows; what a query sees. */
export interface WaitingReader<K, V> {
  /** Oldest first. */
  rows(limit?: number): Iterable<WaitingRecord<K, V>>
  /** Those with `fromMs ≤ timestamp < toMs`, oldest first, then by key bytes; a scan. */
  between(fromMs: number, toMs: number): Iterable<WaitingRecord<K, V>>
}

export interface WaitingStore<K, V>
  extends Store<WaitingState<K, V>, WaitingReader<K, V>>, WaitingStoreOptions<K, V> {
  readonly kind: 'waiting'
}

type Row<V> = Pick<WaitingRecord<unknown, V>, 'value' | 'headers'>

interface Bounds {
  readonly observedMs: number
  readonly lowestMs: number
}

const noBounds: Bounds = { observedMs: -Infinity, lowestMs: Infinity }
const boundsKey = 'b'

/**
 * Names the store of a join that waits.
 *
 * @param name  unique in the application and stable
 * @throws {RangeError} a `graceMs` that is no whole number from 0
 * @example     waitingStore('priced-orders', { key: utf8, value: json<Order>(), graceMs: 500 })
 */
export const waitingStore = <K, V>(
  name: string,
  options: WaitingStoreOptions<K, V>,
): WaitingStore<K, V> => {
  const { key, value, graceMs } = options
  checkMs(`store ${name}: graceMs`, graceMs, 0)
  return {
    ...options,
    name,
    kind: 'waiting',
    layout: `waiting/1 key=${key.format} value=${value.format}`,
    changelog: { cleanupPolicy: 'compact' },
    ...versionFields(name, options, { value, codecOf: waitingCodec }),
    open: (slots) => new WaitingState<K, V>(slots, options),
    reader: (slots) => {
      const keys = new KeyCodec(key)
      return {
        *rows(limit = 1_000) {
          for (const [slot, rows] of slots.cleanScan({ gte: 'w', lt: 'x', limit })) {
            yield* recordsOf(keys, slot, rows as readonly Row<V>[])
          }
        },
        *between(fromMs, toMs) {
          if (toMs <= fromMs) return
          const range = { gte: `w${orderedMs(fromMs)}`, lt: `w${orderedMs(toMs)}` }
          for (const [slot, rows] of slots.cleanScan(range)) {
            yield* recordsOf(keys, slot, rows as readonly Row<V>[])
          }
        },
      }
    },
  }
}

export class WaitingState<K, V> {
  readonly #slots: Slots
  readonly #keys: KeyCodec<K>
  readonly #graceMs: number

  constructor(slots: Slots, { key, graceMs }: Pick<WaitingStoreOptions<K, V>, 'key' | 'graceMs'>) {
    this.#slots = slots
    this.#keys = new KeyCodec(key)
    this.#graceMs = graceMs
  }

  /** @returns false if its time has passed already: it does not wait, join it now */
  add({ key, value, timestampMs, headers }: WaitingRecord<K, V>): boolean {
    const { observedMs, lowestMs } = this.#bounds()
    if (timestampMs < observedMs - this.#graceMs) return false
    const slot = `w${orderedMs(timestampMs)}${this.#keys.toSlot(key)}`
    const rows = this.#slots.get(slot) as readonly Row<V>[] | undefined
    this.#slots.put(slot, [...(rows ?? []), { value, headers } satisfies Row<V>])
    if (timestampMs > observedMs || timestampMs < lowestMs) {
      this.#putBounds({
        observedMs: Math.max(observedMs, timestampMs),
        lowestMs: Math.min(lowestMs, timestampMs),
      })
    }
    return true
  }

  /** Removes and returns those that have waited long enough, in order. */
  release(): readonly WaitingRecord<K, V>[] {
    const { observedMs, lowestMs } = this.#bounds()
    const dueMs = observedMs - this.#graceMs
    if (lowestMs > dueMs) return noRecords
    const range = { gte: `w${orderedMs(lowestMs)}`, lt: `w${orderedMs(dueMs + 1)}` }
    const released: WaitingRecord<K, V>[] = []
    for (const [slot, rows] of this.#slots.scan(range)) {
      this.#slots.delete(slot)
      released.push(...recordsOf(this.#keys, slot, rows as readonly Row<V>[]))
    }
    this.#putBounds({ observedMs, lowestMs: this.#firstMs(dueMs + 1) })
    return released
  }

  #firstMs(fromMs: number): number {
    for (const [slot] of this.#slots.scan({ gte: `w${orderedMs(fromMs)}`, lt: 'x', limit: 1 })) {
      return msFromOrdered(slot, 1)
    }
    return Infinity
  }

  #bounds(): Bounds {
    return (this.#slots.get(boundsKey) as Bounds | undefined) ?? noBounds
  }

  #putBounds(bounds: Bounds): void {
    this.#slots.put(boundsKey, bounds)
  }
}

const noRecords: readonly never[] = []

const recordsOf = function* <K, V>(
  keys: KeyCodec<K>,
  slot: string,
  rows: readonly Row<V>[],
): Generator<WaitingRecord<K, V>> {
  const timestampMs = msFromOrdered(slot, 1)
  const key = keys.fromSlot(slot.slice(9))
  for (const { value, headers } of rows) yield { key, value, timestampMs, headers }
}

/** Each record `[headersBytes u32][headers][valueBytes u32][value]`. */
const waitingCodec = <V>(value: Serde<V>): SlotCodec => ({
  encode(stored, slot) {
    if (slot === boundsKey) {
      const { observedMs, lowestMs } = stored as Bounds
      return boundsCodec.encode([observedMs, lowestMs])
    }
    const parts: Uint8Array[] = []
    for (const row of stored as readonly Row<V>[]) {
      parts.push(
        ...sized(Buffer.from(textOfHeaders(row.headers))),
        ...sized(value.encode(row.value)),
      )
    }
    return Buffer.concat(parts)
  },
  decode(bytes, slot) {
    if (slot === boundsKey) {
      const [observedMs, lowestMs] = boundsCodec.decode(bytes)
      return { observedMs, lowestMs } satisfies Bounds
    }
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    const rows: Row<V>[] = []
    for (let at = 0; at < buffer.length;) {
      const headersEnd = at + 4 + buffer.readUInt32BE(at)
      const headers = headersFromText(buffer.toString('utf8', at + 4, headersEnd))
      at = headersEnd + 4 + buffer.readUInt32BE(headersEnd)
      rows.push({ headers, value: value.decode(buffer.subarray(headersEnd + 4, at)) })
    }
    return rows
  },
})

const sized = (bytes: Uint8Array): readonly Uint8Array[] => {
  const size = Buffer.allocUnsafe(4)
  size.writeUInt32BE(bytes.length)
  return [size, bytes]
}
