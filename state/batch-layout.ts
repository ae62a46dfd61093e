/**
 * How the entries of a `WriteBatch` lie in its packed bytes, one after the other.
 *
 * Written by `write-batch.ts`, read by `batch-entries.ts` and `entry-order.ts`. Little-endian:
 *   put     [1 u8][keyBytes u32][valueBytes u32][key][value]
 *   delete  [2 u8][keyBytes u32][key]
 *   expect  [3 u8][keyBytes u32][valueBytes u32][key][value]    value must equal
 *   absent  [4 u8][keyBytes u32][key]                           key must not exist
 */

export const entryKinds = { put: 1, delete: 2, expect: 3, absent: 4 } as const

const hasValue = (kind: number): boolean => kind === entryKinds.put || kind === entryKinds.expect

/** Where the key lies of the entry that begins at `start`. */
export const entryKeyAt = (packed: Uint8Array, start: number): number =>
  start + (hasValue(packed[start]!) ? 9 : 5)

export const entryKeyBytes = (packed: Uint8Array, start: number): number =>
  readU32(packed, start + 1)

/** Where the next entry begins. */
export const entryEnd = (packed: Uint8Array, start: number): number => {
  const keyEnd = entryKeyAt(packed, start) + entryKeyBytes(packed, start)
  return hasValue(packed[start]!) ? keyEnd + readU32(packed, start + 5) : keyEnd
}

const readU32 = (bytes: Uint8Array, at: number): number =>
  (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
