/**
 * The keys with a dirty or committing value, as scans want them: sorted, of a range.
 *
 * Owned by `Slots`. Sorting all of a generation pays only for who scans often in it, as window
 * stores do: the first scans look for theirs among all, then all are sorted, once.
 */

import type { SlotRange } from './scan-rows.ts'
import type { Slot } from './slot.ts'
import { SortedKeys } from './sorted-keys.ts'

const unsortedScansMax = 2

export class UncommittedKeys {
  #sorted: SortedKeys | undefined
  #scans = 0

  /** The key has a dirty value now, and had none. */
  touch(key: string): void {
    this.#sorted?.touch(key)
  }

  /**
   * For one scan; of the keys beyond its range some.
   *
   * @param slots  all with a dirty or committing value, in any order
   */
  ofScan({ gte = '', lt }: SlotRange, ...slots: readonly (readonly Slot[])[]): SortedKeys {
    if (this.#sorted !== undefined) return this.#sorted
    this.#scans += 1
    if (this.#scans > unsortedScansMax) return (this.#sorted = sorted(slots, () => true))
    return sorted(slots, (key) => key >= gte && (lt === undefined || key < lt))
  }

  /** The generation that was committing is not any more. */
  forget(): void {
    this.#sorted = undefined
    this.#scans = 0
  }
}

const sorted = (
  slots: readonly (readonly Slot[])[],
  isWanted: (key: string) => boolean,
): SortedKeys => {
  const keys = new SortedKeys(() => true)
  for (const some of slots) for (const { key } of some) if (isWanted(key)) keys.touch(key)
  return keys
}
