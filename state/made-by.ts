/**
 * Which engine a directory was made by: no engine opens the files of another.
 *
 * Asked by the engines before they open, and by the command line, which goes on with the engine
 * that is there. Only names of files are looked at.
 */

import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { StoreMismatchError } from './errors.ts'

export type DiskEngine = 'rocksdb' | 'lmdb'

/** `undefined` if there is no database in it, or no such directory. */
export const engineOf = (directory: string): DiskEngine | undefined => {
  if (!existsSync(directory)) return undefined
  if (existsSync(join(directory, 'data.mdb'))) return 'lmdb'
  const isRocks = readdirSync(directory).some((name) => /^(CURRENT$|MANIFEST-)|\.sst$/.test(name))
  return isRocks ? 'rocksdb' : undefined
}

/** @throws {StoreMismatchError} it is the other's: open it with that one, or choose another */
export const checkMadeBy = (directory: string, engine: DiskEngine): void => {
  const other = engineOf(directory)
  if (other === undefined || other === engine) return
  throw new StoreMismatchError(
    `the database in ${directory} was made by ${other} and cannot be opened with ${engine}: start `
      + `with --state-engine ${other}, or choose another directory with --state-dir`,
  )
}
