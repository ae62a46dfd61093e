/**
 * Bytes of a batch row. Written once per append; read only when the tail cache has no copy.
 *
 * ```
 *   batch   [version u8][kind u8][flags u8][0 u8][producerEpoch u32][producerId f64]
 *           [baseOffset f64][lastOffset f64][maxTimestampMs f64][cleanedAtMs f64]
 *           [sizeBytes u32][recordCount u32] record*                     flags: 1 transactional
 *   record  [offsetDelta u32][timestampMs f64][keyBytes i32][valueBytes i32][headerCount u32]
 *           [key][value] header*                                         −1 bytes: null
 *   header  [keyBytes u32][valueBytes i32][key utf8][value]
 * ```
 * Version 2 has, instead of the records, [firstMs f64] and the records as they were packed
 * (`packed-records.ts`): taken over as they come, with offsets from 0 without a gap.
 * Big-endian. Fixed widths, because a DataView store costs 1 ns and a varint 10.
 * `encodeBatch` answers a view of one shared buffer that the next call overwrites: the caller
 * hands it to `WriteBatch.put`, which copies. Decoded keys and values are views of the row.
 */

import { type Header, noHeaders } from '../../record.ts'
import { type ProduceRecord, RawRecord } from '../port.ts'
import { packedViews } from '../records/packed-views.ts'
import type { BatchHeader, BatchKind, StoredBatch } from './stored-batch.ts'

const versions = { plain: 1, packed: 2 }
const headerBytes = 56
const firstMsBytes = 8
const recordHeadBytes = 24
const smallBytes = 32

let scratch = Buffer.alloc(256 * 1024)
let view = new DataView(scratch.buffer, scratch.byteOffset, scratch.length)

/**
 * @param offsetDeltas  of each record; counted from 0 if absent
 * @returns  valid until the next call
 */
export const encodeBatch = (
  header: BatchHeader,
  records: readonly ProduceRecord[],
  offsetDeltas?: readonly number[],
): Uint8Array => {
  reserve(boundOf(header, records))
  writeHeader(header, versions.plain)
  let at = headerBytes
  for (let i = 0; i < records.length; i++) {
    const record = records[i]!
    view.setUint32(at, offsetDeltas === undefined ? i : offsetDeltas[i]!)
    at = writeRecord(record, at)
  }
  return scratch.subarray(0, at)
}

/**
 * @param firstMs  what the times of the packed records count from
 * @returns        valid until the next call of either
 */
export const encodePackedBatch = (
  header: BatchHeader,
  firstMs: number,
  packed: Uint8Array,
): Uint8Array => {
  const bytes = headerBytes + firstMsBytes + packed.length
  reserve(bytes)
  writeHeader(header, versions.packed)
  view.setFloat64(headerBytes, firstMs)
  scratch.set(packed, headerBytes + firstMsBytes)
  return scratch.subarray(0, bytes)
}

export const decodeHeader = (row: Uint8Array): BatchHeader => {
  const bytes = new DataView(row.buffer, row.byteOffset, row.length)
  const version = bytes.getUint8(0)
  if (version !== versions.plain && version !== versions.packed) {
    throw new Error(`batch row of layout ${version}`)
  }
  return {
    kind: bytes.getUint8(1) as BatchKind,
    transactional: (bytes.getUint8(2) & 1) === 1,
    producerEpoch: bytes.getUint32(4),
    producerId: bytes.getFloat64(8),
    baseOffset: bytes.getFloat64(16),
    lastOffset: bytes.getFloat64(24),
    maxTimestampMs: bytes.getFloat64(32),
    cleanedAtMs: bytes.getFloat64(40),
    sizeBytes: bytes.getUint32(48),
    recordCount: bytes.getUint32(52),
  }
}

export const decodeBatch = (row: Uint8Array): StoredBatch => {
  const header = decodeHeader(row)
  const bytes = Buffer.from(row.buffer, row.byteOffset, row.length)
  const reader = new DataView(row.buffer, row.byteOffset, row.length)
  if (row[0] === versions.packed) return decodePacked(header, bytes, reader.getFloat64(headerBytes))
  const records: RawRecord[] = []
  let at = headerBytes
  for (let i = 0; i < header.recordCount; i++) {
    const keyBytes = reader.getInt32(at + 12)
    const valueBytes = reader.getInt32(at + 16)
    const headerCount = reader.getUint32(at + 20)
    const keyAt = at + recordHeadBytes
    const valueAt = keyAt + Math.max(0, keyBytes)
    const headersAt = valueAt + Math.max(0, valueBytes)
    const headers: Header[] = []
    const end = headerCount === 0 ? headersAt : readHeaders(bytes, headersAt, headerCount, headers)
    records.push(
      new RawRecord(
        reader.getUint32(at),
        reader.getFloat64(at + 4),
        keyBytes < 0 ? null : bytes.subarray(keyAt, valueAt),
        valueBytes < 0 ? null : bytes.subarray(valueAt, headersAt),
        headerCount === 0 ? noHeaders : headers,
      ),
    )
    at = end
  }
  return { ...header, records, decodedCount: records.length }
}

const decodePacked = (header: BatchHeader, buffer: Buffer, firstMs: number): StoredBatch => {
  const { recordCount } = header
  const start = headerBytes + firstMsBytes
  const records = packedViews({ buffer, start, recordCount, firstMs })
  return { ...header, records, decodedCount: recordCount }
}

const writeHeader = (header: BatchHeader, version: number): void => {
  view.setUint8(0, version)
  view.setUint8(1, header.kind)
  view.setUint8(2, header.transactional ? 1 : 0)
  view.setUint8(3, 0)
  view.setUint32(4, header.producerEpoch)
  view.setFloat64(8, header.producerId)
  view.setFloat64(16, header.baseOffset)
  view.setFloat64(24, header.lastOffset)
  view.setFloat64(32, header.maxTimestampMs)
  view.setFloat64(40, header.cleanedAtMs)
  view.setUint32(48, header.sizeBytes)
  view.setUint32(52, header.recordCount)
}

const writeRecord = (record: ProduceRecord, start: number): number => {
  const { key, value, timestampMs, headers } = record
  view.setFloat64(start + 4, timestampMs)
  view.setInt32(start + 12, key === null ? -1 : key.length)
  view.setInt32(start + 16, value === null ? -1 : value.length)
  view.setUint32(start + 20, headers.length)
  let at = start + recordHeadBytes
  if (key !== null) at = writeBytes(key, at)
  if (value !== null) at = writeBytes(value, at)
  for (let i = 0; i < headers.length; i++) at = writeHeaderEntry(headers[i]!, at)
  return at
}

/** A call of `set` costs 40 ns however little it copies; short keys are copied by hand. */
const writeBytes = (bytes: Uint8Array, at: number): number => {
  const { length } = bytes
  if (length > smallBytes) scratch.set(bytes, at)
  else for (let i = 0; i < length; i++) scratch[at + i] = bytes[i]!
  return at + length
}

const writeHeaderEntry = ({ key, value }: Header, start: number): number => {
  const keyBytes = scratch.write(key, start + 8, 'utf8')
  view.setUint32(start, keyBytes)
  view.setInt32(start + 4, value === null ? -1 : value.length)
  const at = start + 8 + keyBytes
  return value === null ? at : writeBytes(value, at)
}

const readHeaders = (bytes: Buffer, start: number, count: number, into: Header[]): number => {
  let at = start
  for (let i = 0; i < count; i++) {
    const keyBytes = bytes.readUInt32BE(at)
    const valueBytes = bytes.readInt32BE(at + 4)
    const valueAt = at + 8 + keyBytes
    const end = valueAt + Math.max(0, valueBytes)
    const value = valueBytes < 0 ? null : bytes.subarray(valueAt, end)
    into.push({ key: bytes.toString('utf8', at + 8, valueAt), value })
    at = end
  }
  return at
}

/** Never less than the batch takes: UTF-8 needs at most three bytes per UTF-16 unit. */
const boundOf = ({ sizeBytes }: BatchHeader, records: readonly ProduceRecord[]): number => {
  let bytes = headerBytes + sizeBytes + records.length * recordHeadBytes
  for (let i = 0; i < records.length; i++) {
    const { headers } = records[i]!
    for (let j = 0; j < headers.length; j++) bytes += 8 + headers[j]!.key.length * 2
  }
  return bytes
}

const reserve = (bytes: number): void => {
  if (bytes <= scratch.length) return
  scratch = Buffer.alloc(Math.max(bytes, scratch.length * 2))
  view = new DataView(scratch.buffer, scratch.byteOffset, scratch.length)
}
