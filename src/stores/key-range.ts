/** A range of typed keys, and the range of slots it stands for. */

import type { SlotRange } from '../../state/slots.ts'
import { type KeyCodec, prefixEndOf } from './key-codec.ts'

export interface KeyRangeOptions<K> {
  /** Inclusive. */
  readonly from?: K
  /** Exclusive. */
  readonly to?: K
  /** Keys whose encoded bytes start with those of this key. */
  readonly prefix?: K
  readonly reverse?: boolean
  /** Rows at most; all if absent. */
  readonly limit?: number
}

/** Bounds are those of the encoded bytes: the slots of a store whose rows are keyed by them. */
export const keySlotRange = <K>(
  keys: KeyCodec<K>,
  { from, to, prefix, reverse, limit }: KeyRangeOptions<K>,
): SlotRange => {
  const start = prefix === undefined ? undefined : keys.toSlot(prefix)
  const gte = highest(from === undefined ? undefined : keys.toSlot(from), start)
  const end = start === undefined ? undefined : prefixEndOf(start)
  const lt = lowest(to === undefined ? undefined : keys.toSlot(to), end)
  return {
    ...(gte !== undefined && { gte }),
    ...(lt !== undefined && { lt }),
    ...(reverse !== undefined && { reverse }),
    ...(limit !== undefined && { limit }),
  }
}

/** The same range behind the letter that marks one sort of rows of a store. */
export const prefixed = (letter: string, { gte = '', lt, ...rest }: SlotRange): SlotRange => ({
  ...rest,
  gte: letter + gte,
  lt: lt === undefined ? String.fromCharCode(letter.charCodeAt(0) + 1) : letter + lt,
})

const highest = (a: string | undefined, b: string | undefined): string | undefined =>
  a === undefined || (b !== undefined && b > a) ? b : a

const lowest = (a: string | undefined, b: string | undefined): string | undefined =>
  a === undefined || (b !== undefined && b < a) ? b : a
