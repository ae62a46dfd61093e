/** The applications that are shipped, by name, as commands take them. */

import { nearest } from '../config/nearest.ts'
import { UsageError } from '../config/usage-error.ts'

const applications = ['shop']

/** @throws {UsageError} with the nearest name there is */
export const checkApplication = (name: string): void => {
  if (applications.includes(name)) return
  const best = nearest(name, applications)
  throw new UsageError(`unknown application '${name}'; the nearest known one is '${best}'`)
}
