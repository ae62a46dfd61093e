/**
 * Reads the packed entries of a `WriteBatch`, the one place besides it that knows the layout.
 *
 * Called by the engines, also in the writer thread. Key and value are views of the packed bytes:
 * valid as long as those are, to be copied by whoever keeps them.
 */

import { entryKinds } from './write-batch.ts'

export interface BatchVisitor {
  put(key: Buffer, value: Buffer): void
  delete(key: Buffer): void
  /** `value` is what the key must hold, undefined if it must not exist. */
  expect(key: Buffer, value: Buffer | undefined): void
}

/** @throws {Error} not the bytes of a WriteBatch: a bug, nothing may be written */
export const visitEntries = (packed: Buffer, visitor: BatchVisitor): void => {
  let at = 0
  while (at < packed.length) {
    const kind = packed[at]!
    const keyBytes = packed.readUInt32LE(at + 1)
    if (kind === entryKinds.put || kind === entryKinds.expect) {
      const keyAt = at + 9
      const valueAt = keyAt + keyBytes
      at = valueAt + packed.readUInt32LE(at + 5)
      if (at > packed.length) break
      const key = packed.subarray(keyAt, valueAt)
      const value = packed.subarray(valueAt, at)
      if (kind === entryKinds.put) visitor.put(key, value)
      else visitor.expect(key, value)
    } else if (kind === entryKinds.delete || kind === entryKinds.absent) {
      const keyAt = at + 5
      at = keyAt + keyBytes
      if (at > packed.length) break
      const key = packed.subarray(keyAt, at)
      if (kind === entryKinds.delete) visitor.delete(key)
      else visitor.expect(key, undefined)
    } else {
      throw new Error(`write batch: unknown kind ${kind} of entry at byte ${at}`)
    }
  }
  if (at !== packed.length) throw new Error('write batch: the last entry is cut off')
}
