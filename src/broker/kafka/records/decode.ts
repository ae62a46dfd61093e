/**
 * Record batches (magic 2) of one fetched partition to records, without what was aborted.
 *
 * Called by the fetcher. 1. The abort filter is that of Kafka's Java client: aborted transactions
 * in the order of their first offset become active when the batches reach them; an ABORT marker
 * of the producer ends them. 2. `nextOffset` passes markers and aborted batches. 3. Records are
 * views of the buffer, or of what a batch was decompressed to. 4. A batch cut off at the end is
 * left for the next fetch; a batch that begins before the offset is read from the offset on.
 */

import { noHeaders } from '../../../record.ts'
import { BrokerError } from '../../errors.ts'
import type { RawRecord, RecordCursor } from '../../port.ts'
import { bufferPool } from '../../records/buffer-pool.ts'
import { RecordView } from '../../records/record-view.ts'
import type { AbortedTransaction } from '../protocol/fetch.ts'
import { at, attributeBits, headerBytes, lengthEnd } from '../../records/batch-header.ts'
import { decompress } from './compression.ts'
import { crc32c } from './crc32c.ts'
import { readInt64 } from './int64.ts'
import { VarintReader } from '../../records/varint-reader.ts'

export interface EncodedRecords {
  readonly buffer: Buffer<ArrayBuffer>
  readonly start: number
  readonly end: number
  /** Where the caller asked from. */
  readonly offset: number
  /** Null reads everything that is not a marker. */
  readonly aborted: readonly AbortedTransaction[] | null
}

export interface OpenedRecords {
  /** At or below the first record; `offset` if there is none. */
  readonly baseOffset: number
  readonly recordCount: number
  /** Of the visible batches as they came. */
  readonly sizeBytes: number
  readonly nextOffset: number
  /** From the first record on; any number of them. */
  cursor(): RecordCursor
  /** Once, when no cursor is used any more, nor a view: the buffer goes back to the pool. */
  release(): void
}

/** Behind the last whole batch, from the headers alone. */
export const nextOffsetOf = ({ buffer, start, end, offset }: EncodedRecords): number => {
  let next = offset
  for (let position = start; isWhole(buffer, position, end);) {
    next = lastOffset(buffer, position) + 1
    position += batchBytes(buffer, position)
  }
  return Math.max(next, offset)
}

/**
 * Checks the batches and filters them by their headers; records are decoded by a cursor.
 *
 * @throws {BrokerError} BROKER_UNAVAILABLE: damaged on its way, or on the broker's disk
 */
export const openRecords = (encoded: EncodedRecords): OpenedRecords => {
  const { buffer, start, end, offset } = encoded
  const filter = new AbortFilter(encoded.aborted)
  const positions: number[] = []
  let [baseOffset, nextOffset, recordCount, sizeBytes] = [-1, offset, 0, 0]
  for (let position = start; isWhole(buffer, position, end);) {
    const last = lastOffset(buffer, position)
    const size = batchBytes(buffer, position)
    if (last >= offset) {
      checkBatch(buffer, position, size)
      if (filter.isVisible(buffer, position, last)) {
        const first = readInt64(buffer, position)
        if (baseOffset < 0) baseOffset = Math.max(first, offset)
        positions.push(position)
        sizeBytes += size
        recordCount +=
          first >= offset
            ? buffer.readInt32BE(position + at.count)
            : new KafkaCursor(buffer, [position], offset, { areTaken: false }).countRest()
      }
      nextOffset = last + 1
    }
    position += size
  }
  if (baseOffset < 0) baseOffset = offset
  const views: HeaderViews = { areTaken: false }
  const cursor = () => new KafkaCursor(buffer, positions, baseOffset, views)
  const release = () => {
    if (!views.areTaken) bufferPool.give(buffer)
  }
  return { baseOffset, recordCount, sizeBytes, nextOffset, cursor, release }
}

export const noRecords = (offset: number): OpenedRecords => ({
  baseOffset: offset,
  recordCount: 0,
  sizeBytes: 0,
  nextOffset: offset,
  cursor: () => ({ next: () => [] }),
  release: () => {},
})

/** Values of headers are views of the buffer, and travel on with what is made of the record. */
interface HeaderViews {
  areTaken: boolean
}

class AbortFilter {
  readonly #aborted: readonly AbortedTransaction[] | null
  readonly #active = new Set<number>()
  #reached = 0

  constructor(aborted: readonly AbortedTransaction[] | null) {
    // the broker tells them in the order in which they were aborted
    this.#aborted = aborted?.toSorted((a, b) => a.firstOffset - b.firstOffset) ?? null
  }

  isVisible(buffer: Buffer, position: number, last: number): boolean {
    const attributes = buffer.readInt16BE(position + at.attributes)
    const isControl = (attributes & attributeBits.control) !== 0
    if (this.#aborted === null || this.#aborted.length === 0) return !isControl
    for (; this.#reached < this.#aborted.length; this.#reached++) {
      const { firstOffset, producerId } = this.#aborted[this.#reached]!
      if (firstOffset > last) break
      this.#active.add(producerId)
    }
    const producerId = readInt64(buffer, position + at.producerId)
    if (isControl) {
      if (isAbortMarker(buffer, position)) this.#active.delete(producerId)
      return false
    }
    const isTransactional = (attributes & attributeBits.transactional) !== 0
    return !(isTransactional && this.#active.has(producerId))
  }
}

const isWhole = (buffer: Buffer, position: number, end: number): boolean =>
  end - position >= headerBytes && position + batchBytes(buffer, position) <= end

const batchBytes = (buffer: Buffer, position: number): number =>
  buffer.readInt32BE(position + at.length) + lengthEnd

const lastOffset = (buffer: Buffer, position: number): number =>
  readInt64(buffer, position) + buffer.readInt32BE(position + at.lastOffsetDelta)

const checkBatch = (buffer: Buffer, position: number, size: number): void => {
  const magic = buffer[position + at.magic]!
  if (magic !== 2) {
    throw new BrokerError(
      'BROKER_INVALID_REQUEST',
      `the log holds batches of format ${magic}; 2 is understood (Kafka 0.11 and newer)`,
    )
  }
  const checksum = crc32c(buffer.subarray(position + at.attributes, position + size))
  if (checksum !== buffer.readUInt32BE(position + at.crc)) {
    throw new BrokerError(
      'BROKER_UNAVAILABLE',
      `the batch at offset ${readInt64(buffer, position)} is damaged: its checksum is wrong`,
    )
  }
}

/** The key of a control record is a version and a type, int16 each; 0 is ABORT, 1 COMMIT. */
const isAbortMarker = (buffer: Buffer, position: number): boolean => {
  const reader = new VarintReader(buffer, position + headerBytes)
  reader.int32() // length
  reader.position += 1 // attributes
  reader.int64() // timestamp
  reader.int32() // offset
  const keyBytes = reader.int32()
  return keyBytes >= 4 && buffer.readInt16BE(reader.position + 2) === 0
}

/** Goes through the visible batches of one fetched partition. */
class KafkaCursor implements RecordCursor {
  readonly #buffer: Buffer
  readonly #positions: readonly number[]
  /** Records below it were not asked for; deltas count from it. */
  readonly #baseOffset: number
  readonly #views: HeaderViews
  #batch = 0
  #left = 0
  #reader: VarintReader
  #batchOffset = 0
  #firstMs = 0
  /** −1: each record has its own. */
  #appendMs = -1

  constructor(
    buffer: Buffer,
    positions: readonly number[],
    baseOffset: number,
    views: HeaderViews,
  ) {
    this.#buffer = buffer
    this.#positions = positions
    this.#baseOffset = baseOffset
    this.#views = views
    this.#reader = new VarintReader(buffer, 0)
  }

  next(count: number): readonly RawRecord[] {
    const records: RawRecord[] = []
    while (records.length < count && (this.#left > 0 || this.#openBatch())) {
      this.#decode(records, Math.min(this.#left, count - records.length))
    }
    return records
  }

  countRest(): number {
    let rest = 0
    for (;;) {
      const { length } = this.next(countedAtOnce)
      if (length === 0) return rest
      rest += length
    }
  }

  #openBatch(): boolean {
    const [buffer, position] = [this.#buffer, this.#positions[this.#batch]]
    if (position === undefined) return false
    this.#batch += 1
    const attributes = buffer.readInt16BE(position + at.attributes)
    const isAppendTime = (attributes & attributeBits.logAppendTime) !== 0
    const compression = attributes & attributeBits.compression
    this.#left = buffer.readInt32BE(position + at.count)
    this.#batchOffset = readInt64(buffer, position)
    this.#firstMs = readInt64(buffer, position + at.firstTimestamp)
    this.#appendMs = isAppendTime ? readInt64(buffer, position + at.maxTimestamp) : -1
    this.#reader =
      compression === 0
        ? new VarintReader(buffer, position + headerBytes)
        : new VarintReader(unpacked(buffer, position, compression), 0)
    return true
  }

  #decode(records: RawRecord[], count: number): void {
    const reader = this.#reader
    const { buffer } = reader
    const toDelta = this.#batchOffset - this.#baseOffset
    this.#left -= count
    for (let i = 0; i < count; i++) {
      const bytes = reader.int32()
      const end = reader.position + bytes
      reader.position += 1 // attributes: none are defined
      const deltaMs = reader.int64()
      const delta = toDelta + reader.int32()
      if (delta >= 0) {
        const keyBytes = reader.int32()
        const keyStart = reader.position
        if (keyBytes > 0) reader.position += keyBytes
        const valueBytes = reader.int32()
        const valueStart = reader.position
        if (valueBytes > 0) reader.position += valueBytes
        const headerCount = reader.int32()
        if (headerCount > 0) this.#views.areTaken = true
        records.push(
          new RecordView(
            buffer,
            delta,
            this.#appendMs < 0 ? this.#firstMs + deltaMs : this.#appendMs,
            keyStart,
            keyStart + keyBytes,
            valueStart,
            valueStart + valueBytes,
            headerCount === 0 ? noHeaders : reader.headers(headerCount),
          ),
        )
      }
      reader.position = end
    }
  }
}

const countedAtOnce = 1_000

const unpacked = (buffer: Buffer, position: number, compression: number): Buffer => {
  const end = position + batchBytes(buffer, position)
  return decompress(compression, buffer.subarray(position + headerBytes, end))
}
