/**
 * The slots of one cache by key: a hash table of the slots themselves.
 *
 * Owned by `SlotCache`. A cache holds more than the CPU's does, so a look-up costs what it misses
 * there: a Map goes through bucket, chain and the keys in it (4 to 6 misses), this through its one
 * array, the slot and its key, of which the caller needs the slot anyway.
 *
 * Linear probing over a power of two at most half full, with deletion by shifting back (Knuth,
 * TAOCP 3, 6.4, algorithm R). The hash is seeded per process: keys come from outside.
 */

import { randomInt } from 'node:crypto'
import type { Slot } from './slot.ts'
import { touchedAtOnce, touchSlots } from './touch-slots.ts'

const sizeFirst = 16
const seed = randomInt(0x7fff_ffff)

export class SlotTable {
  #table = emptyTable(sizeFirst)
  #mask = sizeFirst - 1
  #size = 0

  get size(): number {
    return this.#size
  }

  /** @param hash  `hashOfKey` of the key */
  get(key: string, hash: number): Slot | undefined {
    const table = this.#table
    const mask = this.#mask
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const slot = table[at]
      if (slot === undefined || isOf(slot, key, hash)) return slot
    }
  }

  /** As `get` of each key, for who will read and write them next: see `touch-slots.ts`. */
  getMany(keys: readonly string[]): (Slot | undefined)[] {
    const table = this.#table
    const mask = this.#mask
    const hashes = keys.map(hashOfKey)
    const slots = hashes.map((hash) => table[hash & mask]) // of most keys it is the first
    for (let from = 0; from < slots.length; from += touchedAtOnce) touchSlots(slots, from)
    for (let i = 0; i < slots.length; i++) {
      const slot = slots[i]
      const isOther = slot !== undefined && !isOf(slot, keys[i]!, hashes[i]!)
      if (isOther) slots[i] = this.get(keys[i]!, hashes[i]!)
    }
    return slots
  }

  /** The caller has checked that there is none for its key. */
  add(slot: Slot): void {
    if (2 * (this.#size + 1) > this.#table.length) this.#grow()
    this.#place(slot)
    this.#size += 1
  }

  /** The slot is in the table. */
  remove(slot: Slot): void {
    const table = this.#table
    const mask = this.#mask
    let hole = slot.hash & mask
    while (table[hole] !== slot) hole = (hole + 1) & mask
    for (let at = (hole + 1) & mask; ; at = (at + 1) & mask) {
      const other = table[at]
      if (other === undefined) break
      const home = other.hash & mask
      if (((at - home) & mask) < ((at - hole) & mask)) continue // it may not lie before its home
      table[hole] = other
      hole = at
    }
    table[hole] = undefined
    this.#size -= 1
  }

  clear(): void {
    this.#table = emptyTable(sizeFirst)
    this.#mask = sizeFirst - 1
    this.#size = 0
  }

  #place(slot: Slot): void {
    const table = this.#table
    const mask = this.#mask
    let at = slot.hash & mask
    while (table[at] !== undefined) at = (at + 1) & mask
    table[at] = slot
  }

  #grow(): void {
    const before = this.#table
    this.#table = emptyTable(2 * before.length)
    this.#mask = this.#table.length - 1
    for (const slot of before) if (slot !== undefined) this.#place(slot)
  }
}

const isOf = (slot: Slot, key: string, hash: number): boolean =>
  slot.hash === hash && slot.key === key

/** 31 bits that depend on every character, after MurmurHash3 (Appleby, 2011). */
export const hashOfKey = (key: string): number => {
  let hash = seed
  for (let i = 0; i < key.length; i++) {
    hash = Math.imul(hash ^ key.charCodeAt(i), 0x5bd1_e995)
    hash ^= hash >>> 15
  }
  hash = Math.imul(hash, 0x85eb_ca6b)
  return (hash ^ (hash >>> 13)) & 0x7fff_ffff
}

const emptyTable = (size: number): (Slot | undefined)[] =>
  Array.from({ length: size }, () => undefined)
