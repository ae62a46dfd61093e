/**
 * Strings as UTF-8, the usual serde of keys.
 *
 * 1. Invalid bytes are refused, never replaced: U+FFFD would merge different keys into one.
 * 2. So is a lone surrogate on the way out. 3. A leading byte order mark is kept as data.
 */

import { type Serde } from './serde.ts'

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Longest input for which a loop over the bytes beats the native decoder. */
const shortBytesMax = 24

export const utf8: Serde<string> = {
  format: 'utf8',
  encode(value) {
    if (typeof value !== 'string') throw new TypeError(`utf8 cannot encode ${typeof value}`)
    if (!value.isWellFormed()) throw new TypeError('utf8 cannot encode a lone surrogate')
    return Buffer.from(value, 'utf8')
  },
  decode(bytes) {
    return bytes.length <= shortBytesMax ? decodeShort(bytes) : decoder.decode(bytes)
  },
}

const decodeShort = (bytes: Uint8Array): string => {
  let text = ''
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!
    if (byte > 0x7f) return decoder.decode(bytes)
    text += String.fromCharCode(byte)
  }
  return text
}
