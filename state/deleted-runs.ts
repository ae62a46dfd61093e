/**
 * Runs of rows that a store deleted at once, until the engine has done so too.
 *
 * Owned by `Slots`. What a window no longer needs is nobody's to read again, so its rows get no
 * slots: each run is one slot of its own, outside of the cache, whose value is the list of keys.
 * Undo, seal, apply and drop treat that slot as any other; a run lives as long as it has a dirty or
 * committing value. Until then the engine's rows of its keys count as missing.
 */

import { absent, type DirtyList, type Slot } from './slot.ts'

export class DeletedRun {
  /** At least one. */
  readonly keys: readonly string[]
  /** A key of it may have been written since. */
  isRewritten = false
  #bounds: readonly [first: string, last: string] | undefined
  #set: ReadonlySet<string> | undefined

  constructor(keys: readonly string[]) {
    this.keys = keys
  }

  get first(): string {
    return (this.#bounds ??= boundsOf(this.keys))[0]
  }

  get last(): string {
    return (this.#bounds ??= boundsOf(this.keys))[1]
  }

  /** Hardly ever asked for a key within the bounds: most rows are long dead. */
  has(key: string): boolean {
    if (key < this.first || key > this.last) return false
    return (this.#set ??= new Set(this.keys)).has(key)
  }
}

const boundsOf = (keys: readonly string[]): readonly [first: string, last: string] => {
  let [first = '', last = first] = keys
  for (const key of keys) {
    if (key < first) first = key
    else if (key > last) last = key
  }
  return [first, last]
}

export class DeletedRuns {
  #slots: Slot[] = []

  /** A clean slot for a run, whose value the caller writes. */
  slotOf(run: DeletedRun, dirtyList: DirtyList): Slot {
    const slot: Slot = {
      key: run.keys[0]!,
      hash: 0, // in no table
      dirty: absent,
      committing: absent,
      clean: undefined,
      referenced: false,
      leaves: false,
      bytes: 0,
      ringAt: -1,
      dirtyList,
    }
    this.#slots.push(slot)
    return slot
  }

  /** True if the engine's row of the key is deleted, and the engine may not know. */
  has(key: string): boolean {
    for (const slot of this.#slots) if (runOf(slot)?.has(key) === true) return true
    return false
  }

  /** The key is about to be written, in a slot of its own. */
  rewrites(key: string): void {
    for (const { dirty } of this.#slots) {
      if (dirty instanceof DeletedRun && dirty.has(key)) dirty.isRewritten = true
    }
  }

  /** Those that have keys in the range, as of now. */
  within(gte: string, lt: string | undefined): readonly DeletedRun[] {
    if (this.#slots.length === 0) return none
    return this.#slots.flatMap((slot) => {
      const run = runOf(slot)
      if (run === undefined || run.last < gte) return []
      return lt === undefined || run.first < lt ? [run] : []
    })
  }

  /** Call after a generation ended. */
  forgetEnded(): void {
    if (this.#slots.length > 0) this.#slots = this.#slots.filter((slot) => runOf(slot))
  }
}

const none: readonly DeletedRun[] = []

const runOf = ({ dirty, committing }: Slot): DeletedRun | undefined => {
  if (dirty instanceof DeletedRun) return dirty
  return committing instanceof DeletedRun ? committing : undefined
}
