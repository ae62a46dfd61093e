/**
 * One bound in bytes over the decoded rows of all stores and tasks of an instance.
 *
 * Made by the application, shared by every `SlotCache`. When a row needs room, one hand goes
 * through the rings of all caches as through a single CLOCK: what no task has touched lately goes
 * first, in whatever store it is. 1. `bytes` is the sum over all cached slots. 2. A row that a
 * transaction has written and not applied is never evicted, so the bound may be exceeded by what
 * one transaction writes; room is made again when it is applied, and at each insertion.
 */

/** What a step of the hand came upon; `end` if the ring is through. */
export type Sweep = 'evicted' | 'kept' | 'end'

export interface SweptCache {
  /** Moves its hand by one slot, and evicts that if nobody used it since the last time. */
  sweep(): Sweep
}

/** Steps of the hand per insertion: bounds its cost while nearly all slots are pinned. */
const insertionStepsMax = 64
/** After a commit whose slots may all be evicted now. */
const trimStepsMax = 8_192

export class SlotMemory {
  readonly bytesMax: number
  readonly #caches: SweptCache[] = []
  #bytes = 0
  #at = 0

  /** @param bytesMax  estimated, see `slotBytes`; no bound if absent */
  constructor(bytesMax = Infinity) {
    this.bytesMax = bytesMax
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Stores of tasks that hold rows, or did since they were opened. */
  get cacheCount(): number {
    return this.#caches.length
  }

  /** Takes part in evictions until `remove`. */
  add(cache: SweptCache): void {
    this.#caches.push(cache)
  }

  remove(cache: SweptCache): void {
    const index = this.#caches.indexOf(cache)
    if (index >= 0) this.#caches.splice(index, 1)
  }

  /** @param bytes  more than before; fewer if negative */
  charge(bytes: number): void {
    this.#bytes += bytes
  }

  /** Call before a slot of so many bytes is inserted: what is evicted is not the new one. */
  makeRoom(bytes: number): void {
    if (this.#bytes + bytes > this.bytesMax) this.#evict(this.bytesMax - bytes, insertionStepsMax)
  }

  /** Call after slots were let go or grew. */
  trim(): void {
    if (this.#bytes > this.bytesMax) this.#evict(this.bytesMax, trimStepsMax)
  }

  #evict(bytesMax: number, stepsMax: number): void {
    for (let steps = 0; this.#bytes > bytesMax && steps < stepsMax; steps++) {
      const cache = this.#caches[this.#at]
      if (cache === undefined) this.#at = 0
      else if (cache.sweep() === 'end') this.#at += 1
    }
  }
}

/**
 * Estimated bytes of a cached row: the slot, its places in map and ring, key, decoded value.
 *
 * Measured on V8 of Node 24: 140 to 180 bytes beside key and value; a value as an object takes
 * between 0.6 times (two numbers) and 2.5 times (rows of the shop) its encoded bytes.
 */
export const slotBytes = (keyBytes: number, valueBytes: number): number =>
  160 + keyBytes + 2 * valueBytes
