/**
 * Strings as UTF-8, the usual serde of keys.
 *
 * 1. Invalid bytes are refused, never replaced: U+FFFD would merge different keys into one.
 * 2. So is a lone surrogate on the way out. 3. A leading byte order mark is kept as data.
 */

import type { Serde } from './serde.ts'
import { registerTextDecoder } from './text-decoder.ts'

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export const utf8: Serde<string> = {
  format: 'utf8',
  copies: true,
  encode: (value) => Buffer.from(checked(value), 'utf8'),
  decode: (bytes) => textAt(bufferOf(bytes), 0, bytes.length),
  decodeSlice: (buffer, start, end) => textAt(buffer, start, end),
  encodeRaw: (value) => checked(value),
  keepsBytes: (buffer, start, end) => end - start <= asciiBytesMax && isAscii(buffer, start, end),
}

registerTextDecoder(utf8.decode, (text) => text)

/** Longest text whose bytes are looked at one by one: beyond it the decoder is as fast. */
const asciiBytesMax = 128

const isAscii = (buffer: Buffer, start: number, end: number): boolean => {
  let seen = 0
  for (let i = start; i < end; i++) seen |= buffer[i]!
  return seen < 0x80
}

/**
 * A third faster than the strict decoder, which needs a view for each text. No encoding is named,
 * since Node looks up those that are.
 */
const textAt = (buffer: Buffer, start: number, end: number): string => {
  const text = buffer.toString(undefined, start, end)
  // it stands for invalid bytes, unless it was written so
  return text.includes(replacement) ? strict.decode(buffer.subarray(start, end)) : text
}

const replacement = '\uFFFD'

const bufferOf = (bytes: Uint8Array): Buffer =>
  bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)

const checked = (value: unknown): string => {
  if (typeof value !== 'string') throw new TypeError(`utf8 cannot encode ${typeof value}`)
  if (!value.isWellFormed()) throw new TypeError('utf8 cannot encode a lone surrogate')
  return value
}
