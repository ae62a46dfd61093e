/**
 * Records to record batches (magic 2): built once, sealed when they are sent.
 *
 * Called by the producers. 1. A batch holds records of one partition, in order, and is below
 * `batchBytesMax` unless a single record is larger. 2. Producer id, epoch and sequence are known
 * only when it is sent: `seal` writes them, and may be called again for another owner.
 */

import type { Headers } from '../../../record.ts'
import type { ProduceRecord } from '../../port.ts'
import type { PackedSegment } from '../../records/packed-records.ts'
import { at, attributeBits, headerBytes, lengthEnd } from '../../records/batch-header.ts'
import { compress, compressionBits, type Compression } from './compression.ts'
import { crc32c } from './crc32c.ts'
import { writeInt64 } from './int64.ts'
import { int32Bytes, int64Bytes, VarintWriter } from '../../records/varint-writer.ts'

export interface EncodeOptions {
  readonly batchBytesMax: number
  readonly compression: Compression
}

export interface BatchOwner {
  readonly producerId: bigint
  readonly epoch: number
  readonly isTransactional: boolean
}

/** A record's bytes at most, alone in a batch; what `max.message.bytes` is compared with. */
export const aloneBytes = (record: ProduceRecord): number => {
  const bytes = bodyBytes(record, 0, 0)
  return headerBytes + int32Bytes(bytes) + bytes
}

export class EncodedBatch {
  readonly recordCount: number
  /** Index of the first record within the batch that the caller sent. */
  readonly firstIndex: number
  readonly #buffer: Buffer

  constructor(buffer: Buffer, recordCount: number, firstIndex: number) {
    this.#buffer = buffer
    this.recordCount = recordCount
    this.firstIndex = firstIndex
  }

  get sizeBytes(): number {
    return this.#buffer.length
  }

  /** @returns the batch as it travels; a view that the next `seal` changes */
  seal({ producerId, epoch, isTransactional }: BatchOwner, sequence: number): Buffer {
    const buffer = this.#buffer
    const transactional = isTransactional ? attributeBits.transactional : 0
    const attributes = buffer.readInt16BE(at.attributes) & ~attributeBits.transactional
    buffer.writeInt16BE(attributes | transactional, at.attributes)
    buffer.writeBigInt64BE(producerId, at.producerId)
    buffer.writeInt16BE(epoch, at.producerEpoch)
    buffer.writeInt32BE(sequence, at.baseSequence)
    buffer.writeUInt32BE(crc32c(buffer.subarray(at.attributes)), at.crc)
    return buffer
  }
}

export const encodeBatches = (
  records: readonly ProduceRecord[],
  options: EncodeOptions,
): readonly EncodedBatch[] => {
  const batches: EncodedBatch[] = []
  for (let index = 0; index < records.length;) {
    const batch = encodeFrom(records, index, options)
    batches.push(batch)
    index += batch.recordCount
  }
  return batches
}

/** As if all records were as large as the first; it grows where they are not. */
const capacityBytes = (first: ProduceRecord, count: number, batchBytesMax: number): number => {
  const recordBytes = bodyBytes(first, 0, 0) + 10
  return headerBytes + Math.max(recordBytes, Math.min(batchBytesMax, recordBytes * count))
}

const encodeFrom = (
  records: readonly ProduceRecord[],
  firstIndex: number,
  { batchBytesMax, compression }: EncodeOptions,
): EncodedBatch => {
  const first = records[firstIndex]!
  const expectedBytes = capacityBytes(first, records.length - firstIndex, batchBytesMax)
  const writer = new VarintWriter(expectedBytes, headerBytes)
  const firstMs = first.timestampMs
  let maxMs = firstMs
  let count = 0
  for (; firstIndex + count < records.length; count++) {
    const record = records[firstIndex + count]!
    const deltaMs = record.timestampMs - firstMs
    const bytes = bodyBytes(record, deltaMs, count)
    const recordBytes = int32Bytes(bytes) + bytes
    if (count > 0 && writer.position + recordBytes > batchBytesMax) break
    writer.reserve(recordBytes)
    writer.int32(bytes)
    writeRecord(writer, record, deltaMs, count)
    if (record.timestampMs > maxMs) maxMs = record.timestampMs
  }
  const content = writer.buffer.subarray(0, writer.position)
  return sealable(content, { firstIndex, firstMs, maxMs, recordCount: count }, compression)
}

/** A packed segment is a batch already, but for its header; the buffer is taken over. */
export const batchOfSegment = (segment: PackedSegment, compression: Compression): EncodedBatch =>
  sealable(segment.buffer, segment, compression)

const sealable = (
  content: Buffer,
  { firstIndex, firstMs, maxMs, recordCount }: Omit<PackedSegment, 'buffer'>,
  compression: Compression,
): EncodedBatch => {
  const buffer = packed(content, compression)
  buffer.fill(0, 0, headerBytes)
  buffer.writeInt32BE(buffer.length - lengthEnd, at.length)
  buffer.writeInt32BE(-1, at.leaderEpoch)
  buffer[at.magic] = 2
  buffer.writeInt16BE(compressionBits(compression), at.attributes)
  buffer.writeInt32BE(recordCount - 1, at.lastOffsetDelta)
  writeInt64(buffer, firstMs, at.firstTimestamp)
  writeInt64(buffer, maxMs, at.maxTimestamp)
  buffer.writeInt32BE(recordCount, at.count)
  return new EncodedBatch(buffer, recordCount, firstIndex)
}

const packed = (content: Buffer, compression: Compression): Buffer => {
  if (compression === 'none') return content
  const compressed = compress(compression, content.subarray(headerBytes))
  const batch = Buffer.allocUnsafeSlow(headerBytes + compressed.length)
  batch.set(compressed, headerBytes)
  return batch
}

const writeRecord = (
  writer: VarintWriter,
  { key, value, headers }: ProduceRecord,
  deltaMs: number,
  offsetDelta: number,
): void => {
  writer.int32(0) // attributes: none are defined
  writer.int64(deltaMs)
  writer.int32(offsetDelta)
  writer.bytes(key)
  writer.bytes(value)
  writer.int32(headers.length)
  if (headers.length > 0) writeHeaders(writer, headers)
}

const writeHeaders = (writer: VarintWriter, headers: Headers): void => {
  for (const { key, value } of headers) {
    const keyBytes = Buffer.byteLength(key)
    writer.int32(keyBytes)
    writer.buffer.write(key, writer.position)
    writer.position += keyBytes
    writer.bytes(value)
  }
}

const bodyBytes = (
  { key, value, headers }: ProduceRecord,
  deltaMs: number,
  offsetDelta: number,
): number => {
  let bytes =
    1
    + int64Bytes(deltaMs)
    + int32Bytes(offsetDelta)
    + nullableBytes(key)
    + nullableBytes(value)
    + int32Bytes(headers.length)
  for (let i = 0; i < headers.length; i++) {
    const header = headers[i]!
    const keyBytes = Buffer.byteLength(header.key)
    bytes += int32Bytes(keyBytes) + keyBytes + nullableBytes(header.value)
  }
  return bytes
}

const nullableBytes = (bytes: Uint8Array | null): number =>
  bytes === null ? 1 : int32Bytes(bytes.length) + bytes.length
