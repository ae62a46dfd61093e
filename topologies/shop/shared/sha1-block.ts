/**
 * SHA-1 of a message that fits one block: what a UUIDv5 of a short name needs, and nothing more.
 *
 * An order makes about twenty ids; the call into OpenSSL costs 1,200 ns, this 250 ns. Only for ids:
 * SHA-1 is no protection. Compared with `node:crypto` by a property test.
 */

/** Longest message, in bytes: a block less the end mark and the 8 bytes of length. */
export const sha1BlockMax = 55

const schedule = new Int32Array(80)

/** The first four of the five words of the hash; reused by the next call. */
export const sha1Words = new Int32Array(4)

/** @param message  at least `length` bytes; `length` is at most `sha1BlockMax` */
export const sha1Block = (message: Uint8Array, length: number): void => {
  loadBlock(message, length)
  let a = 0x67452301
  let b = 0xefcdab89 | 0
  let c = 0x98badcfe | 0
  let d = 0x10325476
  let e = 0xc3d2e1f0 | 0
  for (let i = 0; i < 80; i++) {
    let mixed: number
    if (i < 20) mixed = ((b & c) | (~b & d)) + 0x5a827999
    else if (i < 40) mixed = (b ^ c ^ d) + 0x6ed9eba1
    else if (i < 60) mixed = ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc
    else mixed = (b ^ c ^ d) + 0xca62c1d6
    const next = (((a << 5) | (a >>> 27)) + mixed + e + schedule[i]!) | 0
    e = d
    d = c
    c = (b << 30) | (b >>> 2)
    b = a
    a = next
  }
  sha1Words[0] = a + 0x67452301
  sha1Words[1] = b + 0xefcdab89
  sha1Words[2] = c + 0x98badcfe
  sha1Words[3] = d + 0x10325476
}

/** Message, end mark and length in bits, spread over the 80 words of the schedule. */
const loadBlock = (message: Uint8Array, length: number): void => {
  schedule.fill(0, 0, 15)
  for (let i = 0; i < length; i++) schedule[i >> 2]! |= message[i]! << (24 - (i & 3) * 8)
  schedule[length >> 2]! |= 0x80 << (24 - (length & 3) * 8)
  schedule[15] = length * 8
  for (let i = 16; i < 80; i++) {
    const word = schedule[i - 3]! ^ schedule[i - 8]! ^ schedule[i - 14]! ^ schedule[i - 16]!
    schedule[i] = (word << 1) | (word >>> 31)
  }
}
