import { msFromOrdered, orderedMs } from '../../state/key-layout.ts'
import { type Slots } from '../../state/slots.ts'
import { KeyCodec } from './key-codec.ts'
import { type JoinSides } from './join-rows.ts'
import { bucketMsOf, type JoinWindow } from './join-window.ts'

/**
 * Committed rows of a windowed join, for queries.
 *
 * Rows that are over stay visible until they are deleted, which happens with later records.
 */
export class JoinReader<K, A, B> {
  readonly #slots: Slots
  readonly #keys: KeyCodec<K>
  readonly #bucketMs: number

  constructor(slots: Slots, window: JoinWindow<K>) {
    this.#slots = slots
    this.#keys = new KeyCodec(window.key)
    this.#bucketMs = bucketMsOf(window)
  }

  /** Both sides of a key in the bucket (half the window wide) that holds the time; one read. */
  get(key: K, timestampMs: number): JoinSides<A, B> | undefined {
    const startMs = Math.floor(timestampMs / this.#bucketMs) * this.#bucketMs
    const slot = `r${orderedMs(startMs)}${this.#keys.toSlot(key)}`
    return this.#slots.cleanGet(slot) as JoinSides<A, B> | undefined
  }

  /** Rows that wait for a partner and will be reported without, oldest first: key and timestamp. */
  *waiting(limit = 1_000): Generator<readonly [K, number]> {
    for (const [slot] of this.#slots.cleanScan({ gte: 'u', lt: 'v', limit })) {
      yield [this.#keys.fromSlot(slot.slice(10)), msFromOrdered(slot, 1)]
    }
  }
}
