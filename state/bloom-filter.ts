/**
 * A set of hashes that may say "maybe" of what is not in it, never "no" of what is.
 *
 * Used by `WrittenRows`. Grows with what is added: a part of four times the size follows once one
 * is full. 1. Sixteen bits a hash, eight of them set within one cache line: about one wrong "maybe"
 * in a thousand. 2. The bits lie outside the heap: the collector has nothing to mark. 3. Nothing is
 * ever taken out.
 */

const bitsPerHash = 16
const lineWords = 16
const lineBits = 512
const probes = 8
const growth = 4

interface Part {
  readonly lines: number
  readonly words: Uint32Array
  readonly hashesMax: number
}

export class BloomFilter {
  readonly #parts: Part[] = []
  /** Of the last part. */
  #left = 0
  #bytes = 0
  #count = 0

  /** @param expected  hashes; more may come */
  constructor(expected: number) {
    this.#grow(expected)
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Hashes that were new when they were added. */
  get count(): number {
    return this.#count
  }

  /** @param hash  well mixed, 32 bits */
  has(hash: number): boolean {
    const parts = this.#parts
    for (let i = parts.length - 1; i >= 0; i--) if (isIn(parts[i]!, hash)) return true
    return false
  }

  add(hash: number): void {
    if (this.has(hash)) return
    if (this.#left === 0) this.#grow(this.#parts.at(-1)!.hashesMax * growth)
    const { words, lines } = this.#parts.at(-1)!
    const line = lineOf(hash, lines)
    let bits = Math.imul(hash, spread)
    for (let i = 0; i < probes; i++) {
      const bit = bits >>> 23
      words[line + (bit >>> 5)]! |= 1 << (bit & 31)
      bits = Math.imul(bits, step) + increment
    }
    this.#left -= 1
    this.#count += 1
  }

  #grow(expected: number): void {
    const lines = Math.max(1, Math.ceil((expected * bitsPerHash) / lineBits))
    const hashesMax = Math.floor((lines * lineBits) / bitsPerHash)
    const words = new Uint32Array(lines * lineWords)
    this.#parts.push({ lines, words, hashesMax })
    this.#left = hashesMax
    this.#bytes += words.byteLength
  }
}

const [spread, step, increment] = [0x9e3779b1, 0x2c1b3c6d, 0x6d2b79f5]

const isIn = ({ words, lines }: Part, hash: number): boolean => {
  const line = lineOf(hash, lines)
  let bits = Math.imul(hash, spread)
  for (let i = 0; i < probes; i++) {
    const bit = bits >>> 23
    if ((words[line + (bit >>> 5)]! & (1 << (bit & 31))) === 0) return false
    bits = Math.imul(bits, step) + increment
  }
  return true
}

/** First word of the line; the upper bits of the hash choose it. */
const lineOf = (hash: number, lines: number): number =>
  Math.floor(((hash >>> 0) / 0x1_0000_0000) * lines) * lineWords

/** Of a latin1 string, not mixed well: for `mixed`. */
export const hashOfText = (text: string): number => {
  let hash = 0
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x5bd1e995) + 1
  return hash
}

/** 32 well-mixed bits of a hash and a whole number. */
export const mixed = (textHash: number, seed: number): number => {
  let hash = Math.imul(textHash ^ seed, 0x5bd1e995)
  hash ^= hash >>> 15
  hash = Math.imul(hash, 0x2c1b3c6d)
  hash ^= hash >>> 12
  hash = Math.imul(hash, 0x297a2d39)
  return hash ^ (hash >>> 15)
}
