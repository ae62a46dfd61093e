/**
 * One key's decoded values in three generations; the unit of cache, overlay and undo.
 *
 * ```
 *   put ──► dirty ──seal──► committing ──applied──► clean      drop: dirty and committing vanish
 * ```
 * Used by `slots.ts` (all of it) and `undo-log.ts` (dirty only).
 * 1. In every generation `undefined` means "no such key", `absent` means "nothing known here".
 * 2. Values are replaced, never mutated in place: undo and the pipelined commit need it.
 * 3. A slot is in `dirtyList.slots` exactly if `dirty` is not `absent`.
 */

/** The generation says nothing about the key: look at the older one, at last in the engine. */
export const absent: unique symbol = Symbol('absent')

/** The slots of one store with a dirty value, in the order in which they became dirty. */
export interface DirtyList {
  slots: Slot[]
}

export interface Slot {
  readonly key: string
  readonly hash: number
  dirty: unknown
  committing: unknown
  clean: unknown
  /** Read or written since the eviction hand came by. */
  referenced: boolean
  /** Nobody is likely to read the row again: it leaves the cache once the engine holds it. */
  leaves: boolean
  /** Estimated, of the value last read or sealed; see `slotBytes`. */
  bytes: number
  /** Its place in the ring of its cache. */
  ringAt: number
  readonly dirtyList: DirtyList
}
