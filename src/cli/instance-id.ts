/**
 * Which replica this is: an id that belongs to the state directory and outlives restarts.
 *
 * Used where several instances share a cluster. It names the transactional id, so that a restarted
 * instance fences what it left open, and another instance is never fenced by mistake. The caller
 * holds the directory's lock.
 */

import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CommandError } from './failure.ts'

/**
 * @param given  the id from now on; else the one that the directory has, or gets
 * @throws {CommandError} the file holds something else
 */
export const instanceIdOf = (stateDir: string, given?: string): string => {
  const file = join(stateDir, 'instance-id')
  if (given !== undefined || !existsSync(file)) {
    writeFileSync(`${file}.new`, `${given ?? randomUUID()}\n`)
    renameSync(`${file}.new`, file)
  }
  const id = readFileSync(file, 'utf8').trim()
  if (/^[\w-]{1,64}$/.test(id)) return id
  throw new CommandError(`${file} does not hold an instance id; remove it to get a new one`)
}
