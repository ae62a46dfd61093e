/** Keys of stores as text and back: what a person types, and what is shown. */

import { type RowBounds, StoreRequestError } from '../../topologies/shop/http/shop-access.ts'
import type { Serde } from '../serde/serde.ts'

/**
 * @param name    of the store, for the message
 * @param format  of its keys; see `Serde`
 * @throws {StoreRequestError} no key of this type can be given as text, or not this one
 */
export const keyFromText = (name: string, format: string, text: string): unknown => {
  if (format === 'utf8') return text
  if (format === 'int64' && /^-?\d+$/.test(text)) return BigInt(text)
  if (format === 'json') return fromJson(text)
  throw new StoreRequestError(`store ${name} has ${format} keys: '${text}' cannot be one`)
}

export interface KeyBounds {
  /** Inclusive. */
  readonly from?: unknown
  /** Exclusive. */
  readonly to?: unknown
}

/**
 * @param name  of the store, for the message
 * @param key   of its keys, which order its rows
 * @throws {StoreRequestError} a bound can be no key; the end lies before the beginning
 */
export const keyBounds = (
  name: string,
  key: Serde<unknown>,
  { from: first, to: end }: RowBounds,
): KeyBounds => {
  const from = first === undefined ? undefined : keyFromText(name, key.format, first)
  const to = end === undefined ? undefined : keyFromText(name, key.format, end)
  if (from !== undefined && to !== undefined && isReversed(key, from, to)) {
    throw new StoreRequestError(
      `nothing lies from '${first}' to '${end}': the end comes first in the order of the keys `
        + 'of this store, which is that of their bytes',
    )
  }
  return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }
}

const isReversed = (key: Serde<unknown>, from: unknown, to: unknown): boolean =>
  Buffer.compare(key.encode(from), key.encode(to)) > 0

/** A value that JSON can hold: 64-bit numbers as text, bytes in hex. */
export const printable = (value: unknown): unknown => {
  if (typeof value === 'bigint') return String(value)
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value
}

/** Text that is no JSON is itself: `tea` and `"tea"` are one key. */
const fromJson = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}
