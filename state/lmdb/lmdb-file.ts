/**
 * Looks at a database file before LMDB maps it: what is wrong with it would end the process.
 *
 * The package crashes on a header that it refuses, and reading past the end of a file that was cut
 * raises SIGBUS. Called by `LmdbDatabase` with the directory locked.
 * Read here, little-endian, of the two heads at bytes 0 and `pageBytes`:
 * ```
 *   24 magic u32   28 version u32   48 pageBytes u32   144 lastPage u64   152 transaction u64
 * ```
 * LMDB has no checksums: damage inside of pages is found where it breaks the tree, not in values.
 */

import { execFile } from 'node:child_process'
import { closeSync, fstatSync, openSync, readSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { StoreCorruptError } from '../errors.ts'

const headBytes = 160
const magic = 0xbeefc0de
/** Of the file format; with another the package was built for other files. */
const version = 2

interface Head {
  readonly pageBytes: number
  readonly lastPage: bigint
  readonly transaction: bigint
}

/**
 * @throws {StoreCorruptError} it is damaged or cut off: restore the directory from a backup
 * @throws {Error} of the system: it cannot be read
 */
export const checkFile = async (directory: string): Promise<void> => {
  const found = headsOf(directory)
  if (found === undefined) return
  const { heads, fileBytes } = found
  const newest = heads.reduce((a, b) => (b.transaction > a.transaction ? b : a))
  const neededBytes = (newest.lastPage + 1n) * BigInt(newest.pageBytes)
  if (BigInt(fileBytes) >= neededBytes) return
  // pages at the end that were freed at once are never written: only reading all tells a cut
  if (!(await canBeRead(directory))) {
    throw damaged(directory, `data.mdb ends after ${fileBytes} bytes, before rows that are in it`)
  }
  truncateSync(join(directory, 'data.mdb'), Number(neededBytes)) // no page is past the end now
}

/** `undefined` if there is no database yet. */
const headsOf = (
  directory: string,
): { readonly heads: readonly Head[]; readonly fileBytes: number } | undefined => {
  const fd = openIfThere(join(directory, 'data.mdb'))
  if (fd === undefined) return undefined
  try {
    const fileBytes = fstatSync(fd).size
    if (fileBytes === 0) return undefined // made, never written: a start that was cut short
    const first = headAt(fd, 0, directory)
    return { heads: [first, headAt(fd, first.pageBytes, directory)], fileBytes }
  } finally {
    closeSync(fd)
  }
}

const openIfThere = (file: string): number | undefined => {
  try {
    return openSync(file, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

const headAt = (fd: number, at: number, directory: string): Head => {
  const bytes = Buffer.alloc(headBytes)
  const isWhole = readSync(fd, bytes, 0, headBytes, at) === headBytes
  if (!isWhole || bytes.readUInt32LE(24) !== magic || bytes.readUInt32LE(28) !== version) {
    throw damaged(directory, `data.mdb has no head of LMDB at byte ${at}`)
  }
  return {
    pageBytes: bytes.readUInt32LE(48),
    lastPage: bytes.readBigUInt64LE(144),
    transaction: bytes.readBigUInt64LE(152),
  }
}

/** In a process of its own, which may die of it. */
const canBeRead = (directory: string): Promise<boolean> => {
  const script = fileURLToPath(new URL('./lmdb-read-all.ts', import.meta.url))
  return new Promise((resolve) => {
    execFile(process.execPath, [script, directory], (error) => resolve(error === null))
  })
}

const damaged = (directory: string, what: string): StoreCorruptError =>
  new StoreCorruptError(directory, new Error(what))
