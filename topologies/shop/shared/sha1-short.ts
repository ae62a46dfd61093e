/**
 * SHA-1 of a message that fits two blocks: what a UUIDv5 of a name needs, and nothing more.
 *
 * FIPS 180-4 §6.1. An order makes about twenty ids; the call into OpenSSL costs 1,200 ns, a block
 * here 250 ns. Only for ids: SHA-1 is no protection. Tested against `node:crypto`.
 */

/** Longest message, in bytes: two blocks less the end mark and the 8 bytes of length. */
export const sha1MessageMax = 119

const blockBytes = 64
const schedule = new Int32Array(80)

/** The first four of the five words of the hash; reused by the next call. */
export const sha1Words = new Int32Array(5)

/** @param message  at least `length` bytes; `length` is at most `sha1MessageMax` */
export const sha1Short = (message: Uint8Array, length: number): void => {
  sha1Words[0] = 0x67452301
  sha1Words[1] = 0xefcdab89
  sha1Words[2] = 0x98badcfe
  sha1Words[3] = 0x10325476
  sha1Words[4] = 0xc3d2e1f0
  if (length <= blockBytes - 9) {
    loadWords(message, 0, length)
    schedule[length >> 2]! |= 0x80 << (24 - (length & 3) * 8)
  } else {
    const first = Math.min(length, blockBytes)
    loadWords(message, 0, first)
    if (length < blockBytes) schedule[length >> 2]! |= 0x80 << (24 - (length & 3) * 8)
    mixBlock()
    loadWords(message, first, length)
    const rest = length - first
    if (length >= blockBytes) schedule[rest >> 2]! |= 0x80 << (24 - (rest & 3) * 8)
  }
  schedule[15] = length * 8
  mixBlock()
}

/** Bytes from `start` to `end`, at most a block, as the first 16 words; the rest is zero. */
const loadWords = (message: Uint8Array, start: number, end: number): void => {
  const length = end - start
  const whole = length >> 2
  let at = start
  for (let i = 0; i < whole; i++, at += 4) {
    schedule[i] =
      (message[at]! << 24) | (message[at + 1]! << 16) | (message[at + 2]! << 8) | message[at + 3]!
  }
  for (let i = whole; i < 16; i++) schedule[i] = 0
  for (let i = whole * 4; i < length; i++) {
    schedule[whole]! |= message[start + i]! << (24 - (i & 3) * 8)
  }
}

const mixBlock = (): void => {
  for (let i = 16; i < 80; i++) {
    const word = schedule[i - 3]! ^ schedule[i - 8]! ^ schedule[i - 14]! ^ schedule[i - 16]!
    schedule[i] = (word << 1) | (word >>> 31)
  }
  let a = sha1Words[0]!
  let b = sha1Words[1]!
  let c = sha1Words[2]!
  let d = sha1Words[3]!
  let e = sha1Words[4]!
  // four loops, not one with three branches: a third of the time
  for (let i = 0; i < 20; i++) {
    const next =
      (((a << 5) | (a >>> 27)) + ((b & c) | (~b & d)) + 0x5a827999 + e + schedule[i]!) | 0
    e = d
    d = c
    c = (b << 30) | (b >>> 2)
    b = a
    a = next
  }
  for (let i = 20; i < 40; i++) {
    const next = (((a << 5) | (a >>> 27)) + (b ^ c ^ d) + 0x6ed9eba1 + e + schedule[i]!) | 0
    e = d
    d = c
    c = (b << 30) | (b >>> 2)
    b = a
    a = next
  }
  for (let i = 40; i < 60; i++) {
    const next =
      (((a << 5) | (a >>> 27)) + ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc + e + schedule[i]!) | 0
    e = d
    d = c
    c = (b << 30) | (b >>> 2)
    b = a
    a = next
  }
  for (let i = 60; i < 80; i++) {
    const next = (((a << 5) | (a >>> 27)) + (b ^ c ^ d) + 0xca62c1d6 + e + schedule[i]!) | 0
    e = d
    d = c
    c = (b << 30) | (b >>> 2)
    b = a
    a = next
  }
  sha1Words[0] = sha1Words[0]! + a
  sha1Words[1] = sha1Words[1]! + b
  sha1Words[2] = sha1Words[2]! + c
  sha1Words[3] = sha1Words[3]! + d
  sha1Words[4] = sha1Words[4]! + e
}
