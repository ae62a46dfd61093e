/**
 * Cheap checks of fields that came from outside, for the pure models.
 *
 * No schema library: these run for every command. Each throws a ShopError that names the field.
 */

import { idLengthMax } from './order-limits.ts'
import { ShopError } from './shop-error.ts'
import { textProblem } from './text-problem.ts'

/** @throws {ShopError} BAD_COMMAND: dead letter */
export const checkId = (value: unknown, field: string): void => {
  const problem = textProblem(value, idLengthMax)
  if (problem !== undefined) throw new ShopError('BAD_COMMAND', `${field} ${problem}`)
}

/** @throws {ShopError} BAD_COMMAND: dead letter */
export const checkCount = (
  value: unknown,
  field: string,
  min: 0 | 1,
  max = Number.MAX_SAFE_INTEGER,
): void => {
  if (Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max) return
  throw new ShopError('BAD_COMMAND', `${field} must be a whole number from ${min} to ${max}`)
}

/** @throws {ShopError} BAD_COMMAND: dead letter */
export const checkOneOf = (value: unknown, field: string, allowed: readonly string[]): void => {
  if (!allowed.includes(value as string)) {
    throw new ShopError('BAD_COMMAND', `${field} must be one of ${allowed.join(', ')}`)
  }
}
