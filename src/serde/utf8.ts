/**
 * Strings as UTF-8, the usual serde of keys.
 *
 * 1. Invalid bytes are refused, never replaced: U+FFFD would merge different keys into one.
 * 2. So is a lone surrogate on the way out. 3. A leading byte order mark is kept as data.
 */

import type { Serde } from './serde.ts'

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Longest input for which looking at the bytes one by one beats the native decoder. */
const shortBytesMax = 32

export const utf8: Serde<string> = {
  format: 'utf8',
  copies: true,
  encode: (value) => Buffer.from(checked(value), 'utf8'),
  decode(bytes) {
    const { length } = bytes
    if (length > shortBytesMax || !isAscii(bytes, 0, length)) return decoder.decode(bytes)
    return bufferOf(bytes).toString('latin1')
  },
  decodeSlice(buffer, start, end) {
    if (end - start <= shortBytesMax && isAscii(buffer, start, end)) {
      return buffer.toString('latin1', start, end)
    }
    return decoder.decode(buffer.subarray(start, end))
  },
  encodeRaw: (value) => checked(value),
}

const bufferOf = (bytes: Uint8Array): Buffer =>
  bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)

const checked = (value: unknown): string => {
  if (typeof value !== 'string') throw new TypeError(`utf8 cannot encode ${typeof value}`)
  if (!value.isWellFormed()) throw new TypeError('utf8 cannot encode a lone surrogate')
  return value
}

const isAscii = (bytes: Uint8Array, start: number, end: number): boolean => {
  let seen = 0
  for (let i = start; i < end; i++) seen |= bytes[i]!
  return seen < 0x80
}
