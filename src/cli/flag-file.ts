/** Files that flags name: certificates, passwords. */

import { readFileSync } from 'node:fs'
import { UsageError } from '../config/usage-error.ts'

/** @throws {UsageError} it cannot be read; names the flag */
export const flagFile = (flag: string, path: string): Buffer => {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new UsageError(`${flag}: cannot read ${path}: ${(error as Error).message}`)
  }
}
