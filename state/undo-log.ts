/**
 * Remembers what slots held before a record touched them, so that a throw costs the record only.
 *
 * Owned by a task, shared by all its `Slots`, which call `remember`; the record scope of the task
 * calls `clear` or `rollback`. 1. Rollback runs backwards, so a slot written twice ends at its
 * first value and slots leave the dirty lists in the reverse of the order they came in.
 * 2. Two flat arrays filled up to `#count` and never shrunk in between (length = 0 would free
 * and allocate them anew for each record). 3. Empty whenever a generation is
 * sealed or dropped.
 */

import { absent, type Slot } from './slot.ts'

/** Entries kept allocated; a record that wrote more gives the rest back. */
const keptEntriesMax = 1024

export class UndoLog {
  readonly #slots: Slot[] = []
  readonly #before: unknown[] = []
  #count = 0
  /** Records that failed so far: what was read of their writes is wrong. */
  rollbacks = 0

  get isEmpty(): boolean {
    return this.#count === 0
  }

  /** Call before the write: keeps the dirty value as it is now. */
  remember(slot: Slot): void {
    const at = this.#count++
    this.#slots[at] = slot
    this.#before[at] = slot.dirty
  }

  /** The record succeeded: its writes stay. */
  clear(): void {
    if (this.#count > keptEntriesMax) this.#slots.length = this.#before.length = 0
    this.#count = 0
  }

  /** The record failed: every slot gets back the dirty value it had when the record began. */
  rollback(): void {
    for (let i = this.#count - 1; i >= 0; i--) {
      const slot = this.#slots[i]!
      const before = this.#before[i]
      slot.dirty = before
      if (before !== absent) continue
      const last = slot.dirtyList.slots.pop()
      if (last !== slot) throw new Error(`undo log: key ${slot.key} is not the newest dirty slot`)
    }
    this.rollbacks += 1
    this.clear()
  }
}
