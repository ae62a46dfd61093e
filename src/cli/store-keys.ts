/** Keys of stores as text and back: what a person types, and what is shown. */

import { StoreRequestError } from '../../topologies/shop/http/shop-access.ts'

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
