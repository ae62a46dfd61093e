/**
 * All slots of one store by key, evicted by CLOCK: at most about `slotsMax`, and together with all
 * other stores at most about the bytes of their `SlotMemory`.
 *
 * Owned by `Slots`. A hand goes round a ring of slots and takes the first that was not referenced
 * since it last came by: 0.4 µs per eviction, where a Map kept in order of use cost 5 to 20.
 * 1. A slot with a dirty or committing value is never evicted, so the bounds may be exceeded by
 * what one transaction wrote; each later insertion evicts up to two slots until the first holds
 * again. 2. A new slot lies behind the hand, which comes by last. 3. After `release` nothing is
 * charged any more.
 */

import { absent, type DirtyList, type Slot } from './slot.ts'
import { slotBytes, type SlotMemory, type Sweep, type SweptCache } from './slot-memory.ts'
import { hashOfKey, SlotTable } from './slot-table.ts'

/** Steps of the hand per insertion: bounds its cost while nearly all slots are pinned. */
const handStepsMax = 64

export interface SlotCacheOptions {
  readonly slotsMax: number
  readonly memory: SlotMemory
  readonly dirtyList: DirtyList
}

/** Slots found ahead that are remembered; they are, until the next are, even if evicted. */
const aheadMax = 1_024
const noSlots: readonly Slot[] = []

/** In place of the bytes of a slot that somebody still holds. */
const evicted = -1

export class SlotCache implements SweptCache {
  readonly #byKey = new SlotTable()
  readonly #ring: Slot[] = []
  readonly #slotsMax: number
  readonly #memory: SlotMemory
  readonly #dirtyList: DirtyList
  #hand = 0
  #bytes = 0
  #besideBytes = 0
  #state: 'idle' | 'charged' | 'released' = 'idle'
  /** Found last: what reads a key writes it next, and the table is larger than the CPU's cache. */
  #last: Slot | undefined
  /** Of the key that was looked for last and is missing: it is inserted next. */
  #missedKey: string | undefined
  #missedHash = 0
  /** Found by `getAhead`; up to `#aheadAt` they were asked for. */
  #ahead: readonly (Slot | undefined)[] = noSlots
  #aheadAt = 0

  constructor({ slotsMax, memory, dirtyList }: SlotCacheOptions) {
    this.#slotsMax = Math.max(1, slotsMax)
    this.#memory = memory
    this.#dirtyList = dirtyList
  }

  get size(): number {
    return this.#byKey.size
  }

  /** Estimated; part of what the shared memory counts. */
  get bytes(): number {
    return this.#bytes
  }

  get(key: string): Slot | undefined {
    const last = this.#last
    if (last !== undefined && last.key === key) return last
    const next = this.#ahead[this.#aheadAt]
    const isNext = next !== undefined && next.key === key && next.bytes !== evicted
    if (isNext) this.#aheadAt += 1
    this.#last = isNext ? next : this.#find(key)
    return this.#last
  }

  /**
   * As `get` of each; the next calls of `get` are best for these keys, in this order.
   *
   * @returns  the caller's, who may put in slots that are inserted for the missing ones
   */
  getAhead(keys: readonly string[]): (Slot | undefined)[] {
    const slots = this.#byKey.getMany(keys)
    this.#ahead = slots.length <= aheadMax ? slots : noSlots
    this.#aheadAt = 0
    return slots
  }

  /**
   * The caller has checked that there is none for the key.
   *
   * @param valueBytes  encoded; 0 if it is missing or not known
   */
  insert(key: string, clean: unknown, valueBytes: number): Slot {
    const bytes = slotBytes(key.length, valueBytes)
    if (this.#state === 'idle') this.#begin()
    this.#memory.makeRoom(bytes)
    for (let i = 0; i < 2 && this.#ring.length >= this.#slotsMax; i++) {
      if (!this.#evictOne()) break
    }
    const slot: Slot = {
      key,
      hash: key === this.#missedKey ? this.#missedHash : hashOfKey(key),
      dirty: absent,
      committing: absent,
      clean,
      referenced: false, // the hand has just been here: it comes by last
      leaves: false,
      bytes,
      ringAt: 0,
      dirtyList: this.#dirtyList,
    }
    this.#pushBehindHand(slot)
    this.#byKey.add(slot)
    this.#count(bytes)
    this.#last = slot
    return slot
  }

  /** The slot's value takes so many bytes now, encoded; nothing if it is here no more. */
  charge(slot: Slot, valueBytes: number): void {
    if (slot.bytes === evicted) return
    const bytes = slotBytes(slot.key.length, valueBytes)
    if (this.#state === 'charged') this.#count(bytes - slot.bytes)
    slot.bytes = bytes
  }

  /** What the store holds beside the slots; charged to the shared memory, never evicted. */
  keepsBeside(bytes: number): void {
    if (this.#state === 'released') return
    if (this.#state === 'idle') this.#begin()
    this.#memory.charge(bytes - this.#besideBytes)
    this.#besideBytes = bytes
  }

  sweep(): Sweep {
    const ring = this.#ring
    if (this.#hand >= ring.length) {
      this.#hand = 0
      return 'end'
    }
    const slot = ring[this.#hand]!
    const isPinned = slot.dirty !== absent || slot.committing !== absent
    if (isPinned || slot.referenced) {
      if (!isPinned) slot.referenced = false
      this.#hand += 1
      return 'kept'
    }
    this.#remove(slot)
    return 'evicted'
  }

  /** Lets a slot go at once, if it is still here and the engine holds what was written. */
  evict(slot: Slot): void {
    const isPinned = slot.dirty !== absent || slot.committing !== absent
    if (!isPinned && this.#ring[slot.ringAt] === slot) this.#remove(slot)
  }

  clear(): void {
    this.#byKey.clear()
    this.#last = undefined
    this.#ahead = noSlots
    this.#ring.length = 0
    this.#hand = 0
    this.#count(-this.#bytes)
  }

  /** Gives its bytes back for good: its task is closed. */
  release(): void {
    this.clear()
    this.keepsBeside(0)
    this.#state = 'released'
    this.#memory.remove(this)
  }

  /** Only from the first slot on: a task that is never admitted need not be released. */
  #begin(): void {
    this.#state = 'charged'
    this.#memory.add(this)
  }

  #count(bytes: number): void {
    if (this.#state !== 'charged') return
    this.#bytes += bytes
    this.#memory.charge(bytes)
  }

  #find(key: string): Slot | undefined {
    const hash = hashOfKey(key)
    const slot = this.#byKey.get(key, hash)
    if (slot === undefined) {
      this.#missedKey = key
      this.#missedHash = hash
    }
    return slot
  }

  #remove(slot: Slot): void {
    const last = this.#ring.pop()!
    if (last !== slot) this.#place(last, slot.ringAt)
    this.#byKey.remove(slot)
    if (this.#last === slot) this.#last = undefined
    this.#count(-slot.bytes)
    slot.bytes = evicted
  }

  #pushBehindHand(slot: Slot): void {
    const ring = this.#ring
    if (this.#hand >= ring.length) {
      this.#place(slot, ring.length)
      this.#hand = ring.length
      return
    }
    this.#place(ring[this.#hand]!, ring.length) // still before the hand
    this.#place(slot, this.#hand++)
  }

  #place(slot: Slot, ringAt: number): void {
    this.#ring[ringAt] = slot
    slot.ringAt = ringAt
  }

  #evictOne(): boolean {
    const stepsMax = Math.min(handStepsMax, 2 * this.#ring.length + 2) // two of them: `end`
    for (let steps = 0; steps < stepsMax; steps++) if (this.sweep() === 'evicted') return true
    return false
  }
}
