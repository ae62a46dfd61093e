import { msFromOrdered, orderedMs } from '../../state/key-layout.ts'
import type { Slots } from '../../state/slots.ts'
import { KeyCodec } from './key-codec.ts'
import type { JoinRow, JoinSides } from './join-rows.ts'
import { bucketMsOf, type JoinWindow, type Side } from './join-window.ts'

/**
 * Committed rows of a windowed join, for queries.
 *
 * Rows that are over stay visible until they are deleted, which happens with later records.
 */
export class JoinReader<K, A, B> {
  /** How much time a bucket holds. */
  readonly bucketMs: number
  readonly #slots: Slots
  readonly #keys: KeyCodec<K>

  constructor(slots: Slots, window: JoinWindow<K>) {
    this.#slots = slots
    this.#keys = new KeyCodec(window.key)
    this.bucketMs = bucketMsOf(window)
  }

  /** Both sides of a key in the bucket (half the window wide) that holds the time; one read. */
  get(key: K, timestampMs: number): JoinSides<A, B> | undefined {
    const startMs = Math.floor(timestampMs / this.bucketMs) * this.bucketMs
    const slot = `r${orderedMs(startMs)}${this.#keys.toSlot(key)}`
    return this.#slots.cleanGet(slot) as JoinSides<A, B> | undefined
  }

  /**
   * Rows of both sides with `fromMs ≤ timestamp < toMs`, bucket after bucket, there by key bytes.
   *
   * A scan of all keys: nothing to do per record.
   */
  *all(fromMs: number, toMs: number): Generator<readonly [K, Side, JoinRow<A | B>]> {
    if (toMs <= fromMs) return
    const startMs = Math.floor(fromMs / this.bucketMs) * this.bucketMs
    const range = { gte: `r${orderedMs(startMs)}`, lt: `r${orderedMs(toMs)}` }
    for (const [slot, sides] of this.#slots.cleanScan(range)) {
      const key = this.#keys.fromSlot(slot.slice(9))
      for (const side of ['left', 'right'] as const) {
        for (const row of (sides as JoinSides<A, B>)[side]) {
          if (row.timestampMs >= fromMs && row.timestampMs < toMs) yield [key, side, row]
        }
      }
    }
  }

  /** Rows that wait for a partner and will be reported without, oldest first: key and timestamp. */
  *waiting(limit = 1_000): Generator<readonly [K, number]> {
    for (const [slot] of this.#slots.cleanScan({ gte: 'u', lt: 'v', limit })) {
      yield [this.#keys.fromSlot(slot.slice(10)), msFromOrdered(slot, 1)]
    }
  }
}
