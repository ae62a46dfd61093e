/**
 * Kafka's default partitioner: murmur2 of the key bytes, as its Java client computes it.
 *
 * Every writer of a keyed topic must agree, or a key's records meet in no store. Integer
 * arithmetic only (a bigint version costs 461 ns a key).
 * Source: Austin Appleby's MurmurHash2 with Kafka's seed 0x9747b28c.
 */

const multiplier = 0x5bd1e995
const seed = 0x9747b28c

/** Of the bytes from `start` to before `end`. */
export const murmur2 = (bytes: Uint8Array, start = 0, end = bytes.length): number => {
  const length = end - start
  let hash = seed ^ length
  const wordsEnd = start + (length & ~3)
  for (let i = start; i < wordsEnd; i += 4) {
    let word = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24)
    word = Math.imul(word, multiplier)
    word ^= word >>> 24
    hash = Math.imul(hash, multiplier) ^ Math.imul(word, multiplier)
  }
  const rest = length & 3
  if (rest > 2) hash ^= bytes[wordsEnd + 2]! << 16
  if (rest > 1) hash ^= bytes[wordsEnd + 1]! << 8
  if (rest > 0) hash = Math.imul(hash ^ bytes[wordsEnd]!, multiplier)
  hash = Math.imul(hash ^ (hash >>> 13), multiplier)
  return hash ^ (hash >>> 15)
}

/** @returns the partition of a key, 0 ≤ p < `partitions` */
export const partitionOf = (key: Uint8Array, partitions: number): number =>
  partitionOfBytes(key, 0, key.length, partitions)

/** As `partitionOf` of the bytes from `start` to before `end`. */
export const partitionOfBytes = (
  buffer: Uint8Array,
  start: number,
  end: number,
  partitions: number,
): number => (murmur2(buffer, start, end) & 0x7fffffff) % partitions

/** As `partitionOf` of the text's UTF-8, which ASCII need not be turned into. */
export const partitionOfText = (key: string, partitions: number): number => {
  const { length } = key
  let hash = seed ^ length
  let seen = 0
  const wordsEnd = length & ~3
  for (let i = 0; i < wordsEnd; i += 4) {
    const a = key.charCodeAt(i)
    const b = key.charCodeAt(i + 1)
    const c = key.charCodeAt(i + 2)
    const d = key.charCodeAt(i + 3)
    seen |= a | b | c | d
    let word = Math.imul(a | (b << 8) | (c << 16) | (d << 24), multiplier)
    word ^= word >>> 24
    hash = Math.imul(hash, multiplier) ^ Math.imul(word, multiplier)
  }
  for (let i = length - 1; i >= wordsEnd; i--) {
    const code = key.charCodeAt(i)
    seen |= code
    hash ^= code << ((i - wordsEnd) * 8)
  }
  if (seen > 0x7f) return partitionOf(Buffer.from(key, 'utf8'), partitions)
  if (wordsEnd < length) hash = Math.imul(hash, multiplier)
  hash = Math.imul(hash ^ (hash >>> 13), multiplier)
  return ((hash ^ (hash >>> 15)) & 0x7fffffff) % partitions
}
