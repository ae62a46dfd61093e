/**
 * The ids that `distinctBy` let pass, and when: forgotten once no record can repeat them.
 *
 * Slot layout, big-endian; `time` is `orderedMs`, a bucket is a 16th of what is remembered:
 * ```
 *   ['i'][id]                    → [timestampMs u64]…      records that passed, oldest first
 *   ['t'][bucketStart time][id]  → [1]                     finds what is forgotten
 *   ['b']                        → [streamTimeMs f64][lowestMs f64]
 * ```
 */

import { orderedMs } from '../../state/key-layout.ts'
import type { SlotCodec, Slots } from '../../state/slots.ts'
import type { Serde } from '../serde/serde.ts'
import { checkMs } from '../windows/windows.ts'
import { boundsCodec, markerCodec } from './fixed-codecs.ts'
import { KeyCodec } from './key-codec.ts'
import { type KeyRangeOptions, keySlotRange, prefixed } from './key-range.ts'
import { removeBelow } from './remove-below.ts'
import type { Store } from './store.ts'

export interface DistinctOptions<I> {
  readonly id: Serde<I>
  /** A record repeats one with the same id that is at most this far from it in event time. */
  readonly withinMs: number
  /** How far a record may lie behind stream time and still be told apart; older ones are late. */
  readonly graceMs: number
}

/** Committed ids; what a query sees. */
export interface DistinctReader<I> {
  /** Event times of the records that passed and are remembered, oldest first. */
  passed(id: I): readonly number[]
  /** The ids that are remembered, with their times, in the order of encoded ids; a scan. */
  range(options?: KeyRangeOptions<I>): Iterable<readonly [I, readonly number[]]>
}

export interface DistinctStore<I>
  extends Store<DistinctRows<I>, DistinctReader<I>>, DistinctOptions<I> {
  readonly kind: 'distinct'
}

/** What became of a record. */
export type DistinctVerdict = 'first' | 'repeated' | 'late'

/**
 * Names the store of a `distinctBy`.
 *
 * @param name  of the store and of the node; unique and stable
 * @throws {RangeError} a span that is no whole number of ms from 0
 * @example     distinctStore('seen-orders', { id: utf8, withinMs: hours(1), graceMs: minutes(5) })
 */
export const distinctStore = <I>(name: string, options: DistinctOptions<I>): DistinctStore<I> => {
  checkMs(`store ${name}: withinMs`, options.withinMs, 0)
  checkMs(`store ${name}: graceMs`, options.graceMs, 0)
  return {
    name,
    kind: 'distinct',
    ...options,
    layout: `distinct/1 id=${options.id.format}`,
    changelog: { cleanupPolicy: 'compact' },
    codec: distinctCodec,
    open: (slots) => new DistinctRows<I>(slots, options),
    reader: (slots) => {
      const keys = new KeyCodec(options.id)
      return {
        passed: (id) => (slots.cleanGet(`i${keys.toSlot(id)}`) as readonly number[]) ?? [],
        *range(options = {}) {
          for (const [slot, times] of slots.cleanScan(prefixed('i', keySlotRange(keys, options)))) {
            yield [keys.fromSlot(slot.slice(1)), times as readonly number[]]
          }
        },
      }
    },
  }
}

const boundsSlot = 'b'
const noBounds = [-Infinity, Infinity] as const
/** The face for `distinctBy`; its reads see the writes of the record in flight. */
export class DistinctRows<I> {
  readonly #slots: Slots
  readonly #keys: KeyCodec<I>
  readonly #withinMs: number
  readonly #graceMs: number
  readonly #bucketMs: number

  constructor(slots: Slots, { id, withinMs, graceMs }: DistinctOptions<I>) {
    this.#slots = slots
    this.#keys = new KeyCodec(id)
    this.#withinMs = withinMs
    this.#graceMs = graceMs
    this.#bucketMs = Math.max(1, Math.ceil((withinMs + graceMs) / 16))
  }

  /** Remembers a first one. */
  pass(id: I, timestampMs: number): DistinctVerdict {
    const streamTimeMs = this.#observe(timestampMs)
    if (timestampMs < streamTimeMs - this.#graceMs) return 'late'
    const key = this.#keys.toSlot(id)
    const passed = (this.#slots.get(`i${key}`) as readonly number[] | undefined) ?? []
    for (const passedMs of passed) {
      if (Math.abs(passedMs - timestampMs) <= this.#withinMs) return 'repeated'
    }
    const keptFromMs = streamTimeMs - this.#graceMs - this.#withinMs
    const kept = passed.filter((passedMs) => passedMs >= keptFromMs)
    this.#slots.put(
      `i${key}`,
      [...kept, timestampMs].toSorted((a, b) => a - b),
    )
    this.#mark(key, timestampMs)
    return 'first'
  }

  /** A hint: reads these ids in one call. */
  prefetch(ids: readonly I[]): void {
    this.#slots.prefetch(ids.map((id) => `i${this.#keys.toSlot(id)}`))
  }

  #observe(timestampMs: number): number {
    const [streamTimeMs, lowestMs] = this.#bounds
    if (timestampMs <= streamTimeMs) return streamTimeMs
    this.#slots.put(boundsSlot, [timestampMs, lowestMs])
    const keptFromMs = timestampMs - this.#graceMs - this.#withinMs
    if (lowestMs + this.#bucketMs <= keptFromMs) this.#forget(keptFromMs)
    return timestampMs
  }

  #mark(key: string, timestampMs: number): void {
    const bucketMs = this.#bucketOf(timestampMs)
    this.#slots.put(`t${orderedMs(bucketMs)}${key}`, true)
    const [streamTimeMs, lowestMs] = this.#bounds
    if (bucketMs < lowestMs) this.#slots.put(boundsSlot, [streamTimeMs, bucketMs])
  }

  /** Ids whose last bucket is over; one that passed later too keeps the later times. */
  #forget(keptFromMs: number): void {
    const [streamTimeMs, lowestMs] = this.#bounds
    const endMs = this.#bucketOf(keptFromMs)
    const over = { kind: 't', fromMs: lowestMs, belowMs: endMs }
    const nextMs = removeBelow(this.#slots, over, (mark) => {
      const slot = `i${mark.slice(9)}`
      const passed = (this.#slots.get(slot) as readonly number[] | undefined) ?? []
      const kept = passed.filter((passedMs) => passedMs >= endMs)
      if (kept.length === 0) this.#slots.delete(slot)
      else if (kept.length < passed.length) this.#slots.put(slot, kept)
      this.#slots.delete(mark)
    })
    this.#slots.put(boundsSlot, [streamTimeMs, nextMs])
  }

  #bucketOf(timestampMs: number): number {
    return Math.floor(timestampMs / this.#bucketMs) * this.#bucketMs
  }

  get #bounds(): readonly [streamTimeMs: number, lowestMs: number] {
    return (this.#slots.get(boundsSlot) as readonly [number, number] | undefined) ?? noBounds
  }
}

const distinctCodec: SlotCodec = {
  encode(stored, slot) {
    if (slot === boundsSlot) return boundsCodec.encode(stored as readonly [number, number])
    if (slot.startsWith('t')) return markerCodec.encode()
    const times = stored as readonly number[]
    const bytes = Buffer.allocUnsafe(8 * times.length)
    times.forEach((timeMs, i) => bytes.writeBigUInt64BE(BigInt(timeMs), 8 * i))
    return bytes
  },
  decode(bytes, slot) {
    if (slot === boundsSlot) return boundsCodec.decode(bytes)
    if (slot.startsWith('t')) return markerCodec.decode()
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    return Array.from({ length: bytes.length / 8 }, (_, i) => Number(view.getBigUint64(8 * i)))
  },
}
