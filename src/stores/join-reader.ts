import { msFromOrdered, orderedMs } from '../../state/key-layout.ts'
import { type Slots } from '../../state/slots.ts'
import { KeyCodec } from './key-codec.ts'
import { bucketMsOf, type JoinSides, type JoinWindow } from './join-state.ts'

/**
 * Committed rows of a windowed join, for queries.
 *
 * Rows that are over stay visible until they are deleted, which happens with later records.
 */
export class JoinReader<K, A, B> {
  readonly #slots: Slots
  readonly #keys: KeyCodec<K>
  readonly #bucketMs: number

  constructor(slots: Slots, { key, withinMs }: JoinWindow<K>) {
    this.#slots = slots
    this.#keys = new KeyCodec(key)
    this.#bucketMs = bucketMsOf(withinMs)
  }

  /** Both sides of a key in the bucket (`withinMs` wide) that holds the time; one read. */
  get(key: K, timestampMs: number): JoinSides<A, B> | undefined {
    const startMs = Math.floor(timestampMs / this.#bucketMs) * this.#bucketMs
    const slot = `r${orderedMs(startMs)}${this.#keys.toSlot(key)}`
    return this.#slots.cleanGet(slot) as JoinSides<A, B> | undefined
  }

  /** Left rows that wait for a partner, oldest first: key and timestamp. */
  *waiting(limit = 1_000): Generator<readonly [K, number]> {
    for (const [slot] of this.#slots.cleanScan({ gte: 'u', lt: 'v', limit })) {
      yield [this.#keys.fromSlot(slot.slice(9)), msFromOrdered(slot, 1)]
    }
  }
}
