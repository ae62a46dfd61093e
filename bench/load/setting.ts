/** Settings of a benchmark, from the environment variables that its header names. */

import { UsageError } from '../../src/config/usage-error.ts'

/** @throws {UsageError} it is set, and not to a number above 0 */
export const numberSetting = (name: string, otherwise: number): number => {
  const value = Number(process.env[name] ?? otherwise)
  if (value > 0 && value < Infinity) return value
  throw new UsageError(`${name} is ${process.env[name]}, it must be a number above 0`)
}

/**
 * Those of a list with commas; all if it is not set.
 *
 * @throws {UsageError} one of them is not possible
 */
export const chosen = <const T extends string>(name: string, possible: readonly T[]): T[] => {
  const wanted = process.env[name]?.split(',') ?? possible
  return wanted.map((word) => {
    const found = possible.find((candidate) => candidate === word.trim())
    if (found !== undefined) return found
    throw new UsageError(`${name} is ${process.env[name]}, it may be ${possible.join(', ')}`)
  })
}
