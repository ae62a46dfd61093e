/**
 * All slots of one store by key, at most about `slotsMax` of them, evicted by CLOCK.
 *
 * Owned by `Slots`. A hand goes round a ring of slots and takes the first that was not referenced
 * since it last came by: 0.4 µs per eviction, where a Map kept in order of use cost 5 to 20.
 * 1. A slot with a dirty or committing value is never evicted, so the bound may be exceeded by
 * what one transaction wrote; each later insertion evicts up to two slots until it holds again.
 */

import { absent, type DirtyList, type Slot } from './slot.ts'

/** Steps of the hand per insertion: bounds its cost while nearly all slots are pinned. */
const handStepsMax = 64

export class SlotCache {
  readonly #byKey = new Map<string, Slot>()
  readonly #ring: Slot[] = []
  readonly #slotsMax: number
  readonly #dirtyList: DirtyList
  #hand = 0
  /** Found last: what reads a key writes it next, and the map is larger than the CPU's cache. */
  #last: Slot | undefined

  constructor(slotsMax: number, dirtyList: DirtyList) {
    this.#slotsMax = Math.max(1, slotsMax)
    this.#dirtyList = dirtyList
  }

  get size(): number {
    return this.#byKey.size
  }

  get(key: string): Slot | undefined {
    const last = this.#last
    if (last !== undefined && last.key === key) return last
    const slot = this.#byKey.get(key)
    this.#last = slot
    return slot
  }

  /** The caller has checked that there is none for the key. */
  insert(key: string, clean: unknown): Slot {
    const slot: Slot = {
      key,
      clean,
      committing: absent,
      dirty: absent,
      referenced: false, // the hand has just been here: it comes by last
      dirtyList: this.#dirtyList,
    }
    if (this.#ring.length < this.#slotsMax) this.#ring.push(slot)
    else this.#insertInto(slot)
    this.#byKey.set(key, slot)
    this.#last = slot
    return slot
  }

  clear(): void {
    this.#byKey.clear()
    this.#last = undefined
    this.#ring.length = 0
    this.#hand = 0
  }

  #insertInto(slot: Slot): void {
    const ring = this.#ring
    const at = this.#evict()
    if (at < 0) {
      ring.push(slot)
      return
    }
    ring[at] = slot
    if (ring.length <= this.#slotsMax) return
    const spare = this.#evict()
    if (spare < 0) return
    const last = ring.pop()!
    if (spare < ring.length) ring[spare] = last
  }

  /** Forgets one slot and returns its place in the ring, -1 if none was found soon enough. */
  #evict(): number {
    const ring = this.#ring
    for (let steps = Math.min(handStepsMax, 2 * ring.length); steps > 0; steps--) {
      if (this.#hand >= ring.length) this.#hand = 0
      const at = this.#hand++
      const slot = ring[at]!
      if (slot.dirty !== absent || slot.committing !== absent) continue
      if (slot.referenced) {
        slot.referenced = false
        continue
      }
      this.#byKey.delete(slot.key)
      if (this.#last === slot) this.#last = undefined
      return at
    }
    return -1
  }
}
