/**
 * One atomic set of writes, packed into one transferable buffer as it is built.
 *
 * Filled by the commit of an instance, consumed once by `Engine.commit`. Why packed: a worker
 * thread gets it by transfer, which cut the main thread's share of 10k puts from 17 to 3 ms. The
 * layout is told in `batch-layout.ts`.
 *
 * 1. Expectations are checked against the state before the batch, all of them, before any write.
 * 2. Of several writes to one key the last wins.
 */

import { batchBuffers } from './batch-buffers.ts'
import { entryKinds } from './batch-layout.ts'

const capacityBytesDefault = 16 * 1024

export class WriteBatch {
  #buffer: Buffer<ArrayBuffer>
  #length = 0
  #count = 0
  #isFinished = false

  /** @param capacityBytes  as much as will be written, if known: growing copies everything */
  constructor(capacityBytes = capacityBytesDefault) {
    this.#buffer = Buffer.from(batchBuffers.take(capacityBytes))
  }

  /** Entries so far, expectations included. */
  get count(): number {
    return this.#count
  }

  get byteLength(): number {
    return this.#length
  }

  /** @param prefix  written before the key: the namespace of the store */
  put(prefix: Uint8Array, key: Uint8Array, value: Uint8Array): void {
    this.#keyAndValue(entryKinds.put, prefix, key, value)
  }

  /** As `put`, key and value being parts of one buffer. */
  // oxlint-disable-next-line max-params -- per row: an options object would cost as much
  putFrom(
    prefix: Uint8Array,
    source: Buffer,
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
  ): void {
    const keyBytes = prefix.length + keyEnd - keyStart
    let at = this.#reserve(9 + keyBytes + valueEnd - valueStart)
    const buffer = this.#buffer
    buffer[at] = entryKinds.put
    writeU32(buffer, keyBytes, at + 1)
    writeU32(buffer, valueEnd - valueStart, at + 5)
    at += 9
    buffer.set(prefix, at)
    copyRange(source, keyStart, keyEnd, buffer, at + prefix.length)
    copyRange(source, valueStart, valueEnd, buffer, at + keyBytes)
  }

  delete(prefix: Uint8Array, key: Uint8Array): void {
    this.#keyOnly(entryKinds.delete, prefix, key)
  }

  /** The commit fails with StoreConflictError unless the key holds exactly this now. */
  expect(prefix: Uint8Array, key: Uint8Array, value: Uint8Array | undefined): void {
    if (value === undefined) this.#keyOnly(entryKinds.absent, prefix, key)
    else this.#keyAndValue(entryKinds.expect, prefix, key, value)
  }

  /**
   * The packed entries: a view of a buffer that nobody else uses.
   *
   * @throws {Error} called twice: the buffer may be another batch's by now
   */
  finish(): Buffer<ArrayBuffer> {
    if (this.#isFinished) throw new Error('write batch: finished already, make a new one')
    this.#isFinished = true
    return this.#buffer.subarray(0, this.#length)
  }

  #keyAndValue(kind: number, prefix: Uint8Array, key: Uint8Array, value: Uint8Array): void {
    const keyBytes = prefix.length + key.length
    let at = this.#reserve(9 + keyBytes + value.length)
    const buffer = this.#buffer
    buffer[at] = kind
    buffer.writeUInt32LE(keyBytes, at + 1)
    buffer.writeUInt32LE(value.length, at + 5)
    at += 9
    buffer.set(prefix, at)
    buffer.set(key, at + prefix.length)
    buffer.set(value, at + keyBytes)
  }

  #keyOnly(kind: number, prefix: Uint8Array, key: Uint8Array): void {
    const keyBytes = prefix.length + key.length
    const at = this.#reserve(5 + keyBytes)
    this.#buffer[at] = kind
    this.#buffer.writeUInt32LE(keyBytes, at + 1)
    this.#buffer.set(prefix, at + 5)
    this.#buffer.set(key, at + 5 + prefix.length)
  }

  #reserve(bytes: number): number {
    const at = this.#length
    this.#length += bytes
    this.#count += 1
    if (this.#length > this.#buffer.length) this.#grow()
    return at
  }

  #grow(): void {
    const larger = Math.max(this.#length, this.#buffer.length * 2)
    const grown = Buffer.from(batchBuffers.take(larger))
    grown.set(this.#buffer)
    batchBuffers.give(this.#buffer.buffer)
    this.#buffer = grown
  }
}

const writeU32 = (buffer: Buffer, value: number, at: number): void => {
  buffer[at] = value
  buffer[at + 1] = value >>> 8
  buffer[at + 2] = value >>> 16
  buffer[at + 3] = value >>> 24
}

/** A view costs 50 ns: what is short is copied by hand. */
const handBytesMax = 48

// oxlint-disable-next-line max-params -- per row, twice
const copyRange = (
  source: Buffer,
  start: number,
  end: number,
  target: Buffer,
  at: number,
): void => {
  if (end - start > handBytesMax) target.set(source.subarray(start, end), at)
  else for (let i = start, to = at; i < end; i++, to++) target[to] = source[i]!
}
