/**
 * Reads the packed entries of a `WriteBatch`.
 *
 * Called by the engines, also in the writer thread. Key and value are views of the packed bytes:
 * valid as long as those are, to be copied by whoever keeps them.
 */

import { entryEnd, entryKeyAt, entryKeyBytes, entryKinds } from './batch-layout.ts'
import { sortEntries } from './entry-order.ts'

export interface BatchVisitor {
  put(key: Buffer, value: Buffer): void
  delete(key: Buffer): void
  /** `value` is what the key must hold, undefined if it must not exist. */
  expect(key: Buffer, value: Buffer | undefined): void
}

/** A smaller batch is written before its sort would have paid. */
const sortedBytesMin = 32 * 1024

/**
 * In the order in which they were added.
 *
 * @throws {Error} not the bytes of a WriteBatch: a bug, nothing may be written
 */
export const visitEntries = (packed: Buffer, visitor: BatchVisitor): void => {
  for (let at = 0; at < packed.length;) {
    const end = checkedEnd(packed, at)
    visitEntry(packed, at, end, visitor)
    at = end
  }
}

/**
 * In the order that is best for writing them: those of a large batch about as their keys sort,
 * those of one key as they were added.
 *
 * @throws {Error} as `visitEntries`, before any is visited if the batch is large
 */
export const visitToWrite = (packed: Buffer, visitor: BatchVisitor): void => {
  if (packed.length < sortedBytesMin) return visitEntries(packed, visitor)
  const starts = entryStarts(packed)
  sortEntries(packed, starts)
  for (const start of starts) visitEntry(packed, start, entryEnd(packed, start), visitor)
}

const visitEntry = (packed: Buffer, start: number, end: number, visitor: BatchVisitor): void => {
  const keyAt = entryKeyAt(packed, start)
  const keyEnd = keyAt + entryKeyBytes(packed, start)
  const kind = packed[start]
  const key = packed.subarray(keyAt, keyEnd)
  if (kind === entryKinds.put) visitor.put(key, packed.subarray(keyEnd, end))
  else if (kind === entryKinds.delete) visitor.delete(key)
  else visitor.expect(key, kind === entryKinds.absent ? undefined : packed.subarray(keyEnd, end))
}

const entryStarts = (packed: Buffer): Uint32Array => {
  const starts: number[] = []
  for (let at = 0; at < packed.length; at = checkedEnd(packed, at)) starts.push(at)
  return Uint32Array.from(starts)
}

const checkedEnd = (packed: Buffer, start: number): number => {
  const kind = packed[start]!
  if (kind < entryKinds.put || kind > entryKinds.absent) {
    throw new Error(`write batch: unknown kind ${kind} of entry at byte ${start}`)
  }
  const end = entryEnd(packed, start)
  if (!(end <= packed.length)) throw new Error('write batch: the last entry is cut off')
  return end
}
