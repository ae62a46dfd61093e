/**
 * How keys of any length become keys of LMDB, which takes 1 to 1978 bytes, in the same order.
 *
 * Stored, behind one byte `0x01` (LMDB has no empty key):
 * ```
 *   short  [key]                              → [value]                 up to 1900 bytes
 *   long   [first 1900 bytes][sha256 of key]  → [keyBytes u32][key][value]   1932 bytes, all
 * ```
 * 1. A short key and a long one sort as they are, and so do long keys that differ in their first
 * 1900 bytes. 2. Long keys with the same beginning lie side by side, in the order of their hashes:
 * whoever scans sorts such a group (`lmdb-rows.ts`).
 */

import { createHash } from 'node:crypto'
import type { KeyRange } from '../engine.ts'

const shortBytesMax = 1900
const hashBytes = 32
/** Above every hash. */
const aboveHashes = Buffer.alloc(hashBytes + 1, 0xff)
const belowHashes = Buffer.alloc(1)
const marker = 0x01

/** Puts the marker before a stored key and takes it off; called by the package for every key. */
export const lmdbKeyEncoder = {
  writeKey(key: Uint8Array, target: Uint8Array, start: number): number {
    target[start] = marker
    target.set(key, start + 1)
    return start + 1 + key.length
  },
  readKey: (source: Uint8Array, start: number, end: number): Buffer =>
    Buffer.from(source.subarray(start + 1, end)),
}

export const isLong = (key: Uint8Array): boolean => key.length > shortBytesMax

/** What a key is stored under. */
export const storedKey = (key: Uint8Array): Uint8Array =>
  isLong(key) ? Buffer.concat([beginningOf(key), createHash('sha256').update(key).digest()]) : key

/** What is stored for a value. */
export const storedValue = (key: Uint8Array, value: Uint8Array): Uint8Array => {
  if (!isLong(key)) return value
  const head = Buffer.allocUnsafe(4)
  head.writeUInt32BE(key.length)
  return Buffer.concat([head, key, value])
}

/** Key and value of a row, from what is stored. */
export const rowOf = (stored: Uint8Array, value: Uint8Array): readonly [Buffer, Buffer] => {
  const bytes = bufferOf(value)
  if (!isLong(stored)) return [bufferOf(stored), bytes]
  const valueAt = 4 + bytes.readUInt32BE(0)
  return [bytes.subarray(4, valueAt), bytes.subarray(valueAt)]
}

/** The first bytes of a key, which tell long keys apart mostly. */
export const beginningOf = (key: Uint8Array): Uint8Array => key.subarray(0, shortBytesMax)

/** Bounds of stored keys; of long keys at its ends too many, by their group. */
export const storedRange = ({ gte, lt }: KeyRange): KeyRange => ({
  gte: isLong(gte) ? Buffer.concat([beginningOf(gte), belowHashes]) : gte,
  lt: isLong(lt) ? Buffer.concat([beginningOf(lt), aboveHashes]) : lt,
})

const bufferOf = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
