/**
 * Turns errors of LMDB into the store's own, on which callers can act.
 *
 * Its errors carry a number: negative ones are LMDB's, positive ones the system's. Where only part
 * of a write fits on the device, LMDB tells an I/O error: free space is looked at then.
 */

import { statfsSync } from 'node:fs'
import { constants } from 'node:os'
import { StoreCorruptError, StoreError, StoreFullError, StoreIoError } from '../errors.ts'

/** Not what LMDB wrote: page not found, corrupted, version, no LMDB file; a read after such. */
const corruptCodes: ReadonlySet<unknown> = new Set([-30797, -30796, -30794, -30793, -30782])
const fullCodes: ReadonlySet<unknown> = new Set([
  constants.errno.ENOSPC,
  constants.errno.EDQUOT,
  'ENOSPC',
  'EDQUOT',
])

export const storeErrorOf = (error: unknown, directory: string): StoreError => {
  if (error instanceof StoreError) return error
  const code = (error as { readonly code?: unknown } | null)?.code
  if (corruptCodes.has(code)) return new StoreCorruptError(directory, error)
  if (fullCodes.has(code) || (code === constants.errno.EIO && isFull(directory))) {
    return new StoreFullError(directory, error)
  }
  return new StoreIoError(directory, error)
}

/** The part of a failed write that fitted is in the file: next to nothing is left. */
const leftBytesMax = 4 * 1024 * 1024

const isFull = (directory: string): boolean => {
  try {
    const { bavail, bsize } = statfsSync(directory)
    return bavail * bsize <= leftBytesMax
  } catch {
    return false // the place itself cannot be read: an I/O error it is
  }
}
