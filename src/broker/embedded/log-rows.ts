/**
 * What is appended, cut into rows small enough that one read stays small.
 *
 * Made by `PartitionLog` of a producer's batch. Packed records stay packed: their bytes become
 * the row and its copy in the tail, and are only looked into by whoever reads them.
 */

import { type ProduceBatch, type ProduceRecord, RawRecord } from '../port.ts'
import { headerBytes as segmentHeaderBytes } from '../records/batch-header.ts'
import { PackedBatch } from '../records/packed-batch.ts'
import { packedCuts, type PackedPlace, packedViews } from '../records/packed-views.ts'
import { encodeBatch, encodePackedBatch } from './batch-codec.ts'
import { type BatchHeader, recordBytes, type StoredBatch } from './stored-batch.ts'

const rowBytesMax = 128 * 1024
const rowRecordsMax = 2_000

/** Records of one row, before it has its offsets. */
export interface LogRow {
  readonly recordCount: number
  readonly sizeBytes: number
  readonly maxTimestampMs: number
  /** The row's bytes; valid until the next call of any row. */
  encode(header: BatchHeader): Uint8Array
  /** For the cached tail. */
  kept(header: BatchHeader): StoredBatch
}

/** Keys, values and headers are kept by reference: nobody may write into them afterwards. */
export const logRows = (batch: ProduceBatch): readonly LogRow[] =>
  batch instanceof PackedBatch ? packedRows(batch) : plainRows(batch.records)

const packedRows = ({ parts }: PackedBatch): readonly LogRow[] =>
  parts.flatMap((part) => {
    part.trim() // it stays in the tail
    return part.segments().flatMap(({ buffer, recordCount, firstMs, maxMs }) => {
      const place = { buffer, start: segmentHeaderBytes, recordCount, firstMs }
      const bounds = { bytesMax: rowBytesMax, recordsMax: rowRecordsMax }
      return packedCuts(place, buffer.length, bounds).map((cut) => packedRow(cut, maxMs))
    })
  })

const packedRow = (place: PackedPlace & { readonly end: number }, maxMs: number): LogRow => ({
  recordCount: place.recordCount,
  sizeBytes: place.end - place.start,
  maxTimestampMs: maxMs,
  encode: (header) =>
    encodePackedBatch(header, place.firstMs, place.buffer.subarray(place.start, place.end)),
  kept: (header) => ({
    ...header,
    decodedCount: 0,
    get records() {
      return packedViews(place)
    },
  }),
})

const plainRows = (records: readonly ProduceRecord[]): readonly LogRow[] => {
  const rows: LogRow[] = []
  for (let from = 0; from < records.length;) {
    const until = rowEnd(records, from)
    const isWhole = from === 0 && until === records.length
    rows.push(plainRow(isWhole ? records : records.slice(from, until)))
    from = until
  }
  return rows
}

const plainRow = (records: readonly ProduceRecord[]): LogRow => {
  let sizeBytes = 0
  let maxTimestampMs = 0
  for (let i = 0; i < records.length; i++) {
    const record = records[i]!
    sizeBytes += recordBytes(record)
    if (record.timestampMs > maxTimestampMs) maxTimestampMs = record.timestampMs
  }
  return {
    recordCount: records.length,
    sizeBytes,
    maxTimestampMs,
    encode: (header) => encodeBatch(header, records),
    kept: (header) => ({
      ...header,
      decodedCount: records.length,
      records: rawRecords(records),
    }),
  }
}

const rowEnd = (records: readonly ProduceRecord[], from: number): number => {
  let bytes = 0
  const last = Math.min(records.length, from + rowRecordsMax)
  for (let i = from; i < last; i++) {
    bytes += recordBytes(records[i]!)
    if (bytes > rowBytesMax && i > from) return i
  }
  return last
}

const rawRecords = (records: readonly ProduceRecord[]): RawRecord[] => {
  const raw: RawRecord[] = []
  for (let i = 0; i < records.length; i++) {
    const { timestampMs, key, value, headers } = records[i]!
    raw.push(new RawRecord(i, timestampMs, key, value, headers))
  }
  return raw
}
