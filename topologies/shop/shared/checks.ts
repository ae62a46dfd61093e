/**
 * Cheap checks of fields that came from outside, for the pure models.
 *
 * No schema library: these run for every command. Each throws a ShopError that names the field.
 */

import { ShopError } from './shop-error.ts'

const maxIdLength = 255

/** @throws {ShopError} BAD_COMMAND: dead letter */
export const checkId = (value: unknown, field: string): void => {
  if (typeof value !== 'string' || value.length === 0 || value.length > maxIdLength) {
    throw new ShopError('BAD_COMMAND', `${field} must be a text of 1 to ${maxIdLength} characters`)
  }
}

/** @throws {ShopError} BAD_COMMAND: dead letter */
export const checkCount = (value: unknown, field: string, min: 0 | 1): void => {
  if (!Number.isSafeInteger(value) || (value as number) < min) {
    throw new ShopError('BAD_COMMAND', `${field} must be a whole number of at least ${min}`)
  }
}

/** @throws {ShopError} BAD_COMMAND: dead letter */
export const checkOneOf = (value: unknown, field: string, allowed: readonly string[]): void => {
  if (!allowed.includes(value as string)) {
    throw new ShopError('BAD_COMMAND', `${field} must be one of ${allowed.join(', ')}`)
  }
}
