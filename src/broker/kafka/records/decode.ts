/**
 * Record batches (magic 2) of one fetched partition to records, without what was aborted.
 *
 * Called by the fetcher. 1. The abort filter is that of Kafka's Java client: aborted transactions
 * in the order of their first offset become active when the batches reach them; an ABORT marker
 * of the producer ends them. 2. `nextOffset` passes markers and aborted batches. 3. Records are
 * views of the buffer, or of what a batch was decompressed to. 4. A batch cut off at the end is
 * left for the next fetch; a batch that begins before the offset is read from the offset on.
 */

import { type Header, type Headers, noHeaders } from '../../../record.ts'
import { BrokerError } from '../../errors.ts'
import { RawRecord } from '../../port.ts'
import { type AbortedTransaction } from '../protocol/fetch.ts'
import { at, attributeBits, headerBytes, lengthEnd } from './batch-header.ts'
import { decompress } from './compression.ts'
import { crc32c } from './crc32c.ts'
import { readInt64 } from './int64.ts'
import { VarintReader } from './varint-reader.ts'

export interface EncodedRecords {
  readonly buffer: Buffer
  readonly start: number
  readonly end: number
  /** Where the caller asked from. */
  readonly offset: number
  /** Null reads everything that is not a marker. */
  readonly aborted: readonly AbortedTransaction[] | null
}

export interface DecodedRecords {
  /** Of the first record; `offset` if there is none. */
  readonly baseOffset: number
  readonly records: readonly RawRecord[]
  readonly sizeBytes: number
  readonly nextOffset: number
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

/** @throws {BrokerError} BROKER_UNAVAILABLE: damaged on its way, or on the broker's disk */
export const decodeRecords = (encoded: EncodedRecords): DecodedRecords => {
  const { buffer, start, end, offset } = encoded
  const sink = new Sink(offset)
  const filter = new AbortFilter(encoded.aborted)
  let nextOffset = offset
  for (let position = start; isWhole(buffer, position, end);) {
    const last = lastOffset(buffer, position)
    const size = batchBytes(buffer, position)
    if (last >= offset) {
      checkBatch(buffer, position, size)
      if (filter.isVisible(buffer, position, last)) decodeBatch(buffer, position, size, sink)
      nextOffset = last + 1
    }
    position += size
  }
  const { baseOffset, records, sizeBytes } = sink
  return { baseOffset, records, sizeBytes, nextOffset }
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

/** Collects records; offsets become deltas to the first. */
class Sink {
  readonly records: RawRecord[] = []
  readonly fromOffset: number
  baseOffset: number
  sizeBytes = 0

  constructor(fromOffset: number) {
    this.fromOffset = fromOffset
    this.baseOffset = fromOffset
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

const decodeBatch = (buffer: Buffer, position: number, size: number, sink: Sink): void => {
  const attributes = buffer.readInt16BE(position + at.attributes)
  const count = buffer.readInt32BE(position + at.count)
  const batchOffset = readInt64(buffer, position)
  const firstMs = readInt64(buffer, position + at.firstTimestamp)
  const isAppendTime = (attributes & attributeBits.logAppendTime) !== 0
  const appendMs = isAppendTime ? readInt64(buffer, position + at.maxTimestamp) : -1
  const compression = attributes & attributeBits.compression
  const reader =
    compression === 0
      ? new VarintReader(buffer, position + headerBytes)
      : new VarintReader(
          decompress(compression, buffer.subarray(position + headerBytes, position + size)),
          0,
        )
  const { records } = sink
  for (let i = 0; i < count; i++) {
    const bytes = reader.int32()
    const end = reader.position + bytes
    reader.position += 1 // attributes: none are defined
    const deltaMs = reader.int64()
    const offset = batchOffset + reader.int32()
    if (offset >= sink.fromOffset) {
      if (records.length === 0) sink.baseOffset = offset
      const key = nullable(reader)
      const value = nullable(reader)
      const headerCount = reader.int32()
      const headers = headerCount === 0 ? noHeaders : readHeaders(reader, headerCount)
      const timestampMs = isAppendTime ? appendMs : firstMs + deltaMs
      records.push(new RawRecord(offset - sink.baseOffset, timestampMs, key, value, headers))
      sink.sizeBytes += (key === null ? 0 : key.length) + (value === null ? 0 : value.length)
      if (headerCount > 0) sink.sizeBytes += headersBytes(headers)
    }
    reader.position = end
  }
}

const nullable = (reader: VarintReader): Uint8Array | null => {
  const length = reader.int32()
  if (length < 0) return null
  const start = reader.position
  reader.position = start + length
  return reader.buffer.subarray(start, start + length)
}

const readHeaders = (reader: VarintReader, count: number): Headers => {
  const headers: Header[] = []
  for (let i = 0; i < count; i++) {
    const keyBytes = reader.int32()
    const key = reader.buffer.toString('utf8', reader.position, reader.position + keyBytes)
    reader.position += keyBytes
    headers.push({ key, value: nullable(reader) })
  }
  return headers
}

const headersBytes = (headers: Headers): number => {
  let bytes = 0
  for (const { key, value } of headers) bytes += key.length + (value === null ? 0 : value.length)
  return bytes
}
