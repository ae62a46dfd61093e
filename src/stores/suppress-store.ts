/**
 * What `suppress` holds back: the latest update per key, and the order in which they are due.
 *
 * Slot layout, big-endian; `time` is `orderedMs`:
 * ```
 *   ['k'][key]       → [due u64][timestampMs u64][flags u8: 1 = has a value]
 *                      [headerBytes u32][headers][value]
 *   ['o'][due time][key] → [1]       by time, then key bytes: what is due is a scan from `lowestMs`
 *   ['b']            → [streamTimeMs f64][lowestMs f64][count f64]
 * ```
 * An update of a key that is held already costs one point; it keeps the key's place.
 */

import { msFromOrdered, orderedMs } from '../../state/key-layout.ts'
import type { SlotCodec, Slots } from '../../state/slots.ts'
import type { Headers } from '../record.ts'
import type { Serde, Serdes } from '../serde/serde.ts'
import { markerCodec } from './fixed-codecs.ts'
import { headersFromText, textOfHeaders } from './header-text.ts'
import { KeyCodec } from './key-codec.ts'
import { type KeyRangeOptions, keySlotRange, prefixed } from './key-range.ts'
import type { Store } from './store.ts'
import { type StoreVersion, versionFields } from './store-version.ts'

/** An update that waits. */
export interface HeldUpdate<V> {
  /** Place in the order; what it is measured against is up to `suppress`. */
  readonly dueMs: number
  readonly timestampMs: number
  /** `undefined` is a deletion. */
  readonly value: V | undefined
  readonly headers: Headers
}

interface Bounds {
  readonly streamTimeMs: number
  /** No update is due before; Infinity without any. */
  readonly lowestMs: number
  readonly count: number
}

/** Committed updates that wait; what a query sees. */
export interface SuppressReader<K, V> {
  get(key: K): HeldUpdate<V> | undefined
  /** What waits, in the order of encoded keys; a seek and a scan. */
  range(options?: KeyRangeOptions<K>): Iterable<readonly [K, HeldUpdate<V>]>
  /** How many keys wait. */
  count(): number
}

export interface SuppressStore<K, V>
  extends Store<SuppressRows<K, V>, SuppressReader<K, V>>, Serdes<K, V> {
  readonly kind: 'suppress'
}

/**
 * Names the store of a `suppress`.
 *
 * @param name  of the store and of the node; unique and stable
 * @example     suppressStore('last-of-minute', { key: windowed(utf8), value: json<number>() })
 */
export const suppressStore = <K, V>(
  name: string,
  { key, value, ...version }: Serdes<K, V> & StoreVersion<NoInfer<V>>,
): SuppressStore<K, V> => ({
  name,
  kind: 'suppress',
  key,
  value,
  layout: `suppress/1 key=${key.format} value=${value.format}`,
  changelog: { cleanupPolicy: 'compact' },
  ...versionFields(name, version, { value, codecOf: suppressCodec }),
  open: (slots) => new SuppressRows<K, V>(slots, key),
  reader: (slots) => {
    const keys = new KeyCodec(key)
    return {
      get: (wanted) => slots.cleanGet(`k${keys.toSlot(wanted)}`) as HeldUpdate<V> | undefined,
      *range(options = {}) {
        for (const [slot, held] of slots.cleanScan(prefixed('k', keySlotRange(keys, options)))) {
          yield [keys.fromSlot(slot.slice(1)), held as HeldUpdate<V>]
        }
      },
      count: () => ((slots.cleanGet(boundsSlot) as Bounds | undefined) ?? noBounds).count,
    }
  },
})

const boundsSlot = 'b'
const noBounds: Bounds = { streamTimeMs: -Infinity, lowestMs: Infinity, count: 0 }

/** The face for `suppress`; its reads see the writes of the record in flight. */
export class SuppressRows<K, V> {
  readonly #slots: Slots
  readonly #keys: KeyCodec<K>

  constructor(slots: Slots, key: Serde<K>) {
    this.#slots = slots
    this.#keys = new KeyCodec(key)
  }

  get count(): number {
    return this.#bounds.count
  }

  /** @returns the highest timestamp seen, this one included */
  observe(timestampMs: number): number {
    const bounds = this.#bounds
    if (timestampMs <= bounds.streamTimeMs) return bounds.streamTimeMs
    this.#slots.put(boundsSlot, { ...bounds, streamTimeMs: timestampMs } satisfies Bounds)
    return timestampMs
  }

  /** Holds an update back, in the place of the one before it if the key waits already. */
  hold(key: K, update: HeldUpdate<V>): void {
    const slot = this.#keys.toSlot(key)
    const held = this.#slots.get(`k${slot}`) as HeldUpdate<V> | undefined
    if (held !== undefined) {
      const { timestampMs, value, headers } = update
      const row = { dueMs: held.dueMs, timestampMs, value, headers }
      this.#slots.put(`k${slot}`, row satisfies HeldUpdate<V>)
      return
    }
    const bounds = this.#bounds
    const lowestMs = Math.min(bounds.lowestMs, update.dueMs)
    this.#slots.put(`k${slot}`, update)
    this.#slots.put(`o${orderedMs(update.dueMs)}${slot}`, true)
    this.#slots.put(boundsSlot, { ...bounds, lowestMs, count: bounds.count + 1 } satisfies Bounds)
  }

  /** Takes out what is due at this time or before, first things first; mostly one comparison. */
  releaseUntil(dueMs: number): readonly (readonly [K, HeldUpdate<V>])[] {
    return this.#bounds.lowestMs > dueMs ? [] : this.#release(dueMs, Infinity)
  }

  /** Takes out the first of the order until no more than this many wait. */
  releaseAbove(countMax: number): readonly (readonly [K, HeldUpdate<V>])[] {
    const surplus = this.count - countMax
    return surplus <= 0 ? [] : this.#release(Infinity, surplus)
  }

  #release(untilMs: number, countMax: number): readonly (readonly [K, HeldUpdate<V>])[] {
    const bounds = this.#bounds
    const released: (readonly [K, HeldUpdate<V>])[] = []
    let lowestMs = Infinity
    for (const [mark] of this.#slots.scan({ gte: `o${orderedMs(bounds.lowestMs)}`, lt: 'p' })) {
      const dueMs = msFromOrdered(mark, 1)
      if (dueMs > untilMs || released.length >= countMax) {
        lowestMs = dueMs
        break
      }
      const slot = mark.slice(9)
      const update = this.#slots.get(`k${slot}`) as HeldUpdate<V>
      this.#slots.delete(mark)
      this.#slots.delete(`k${slot}`)
      released.push([this.#keys.fromSlot(slot), update])
    }
    const count = bounds.count - released.length
    this.#slots.put(boundsSlot, { ...bounds, lowestMs, count } satisfies Bounds)
    return released
  }

  get #bounds(): Bounds {
    return (this.#slots.get(boundsSlot) as Bounds | undefined) ?? noBounds
  }
}

const headBytes = 21

const suppressCodec = <V>(serde: Serde<V>): SlotCodec => ({
  encode(stored, slot) {
    if (slot.startsWith('o')) return markerCodec.encode()
    if (slot === boundsSlot) return encodeBounds(stored as Bounds)
    const { dueMs, timestampMs, value, headers } = stored as HeldUpdate<V>
    const headerBytes = Buffer.from(textOfHeaders(headers))
    const head = Buffer.allocUnsafe(headBytes)
    head.writeBigUInt64BE(BigInt(dueMs), 0)
    head.writeBigUInt64BE(BigInt(timestampMs), 8)
    head[16] = value === undefined ? 0 : 1
    head.writeUInt32BE(headerBytes.length, 17)
    const valueBytes = value === undefined ? [] : [serde.encode(value)]
    return Buffer.concat([head, headerBytes, ...valueBytes])
  },
  decode(bytes, slot) {
    if (slot.startsWith('o')) return markerCodec.decode()
    if (slot === boundsSlot) return decodeBounds(bytes)
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    const valueAt = headBytes + buffer.readUInt32BE(17)
    return {
      dueMs: Number(buffer.readBigUInt64BE(0)),
      timestampMs: Number(buffer.readBigUInt64BE(8)),
      value: buffer[16] === 0 ? undefined : serde.decode(bytes.subarray(valueAt)),
      headers: headersFromText(buffer.toString('utf8', headBytes, valueAt)),
    } satisfies HeldUpdate<V>
  },
})

const encodeBounds = ({ streamTimeMs, lowestMs, count }: Bounds): Uint8Array => {
  const bytes = Buffer.allocUnsafe(24)
  bytes.writeDoubleBE(streamTimeMs, 0)
  bytes.writeDoubleBE(lowestMs, 8)
  bytes.writeDoubleBE(count, 16)
  return bytes
}

const decodeBounds = (bytes: Uint8Array): Bounds => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return {
    streamTimeMs: view.getFloat64(0),
    lowestMs: view.getFloat64(8),
    count: view.getFloat64(16),
  }
}
