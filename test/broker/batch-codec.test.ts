/**
 * Goal: a batch row says exactly what was written. Method: random records, with the sizes where
 * the encoding changes its way (null, empty, 32 bytes), encoded and decoded.
 */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decodeBatch,
  decodeHeader,
  encodeBatch,
  encodePackedBatch,
} from '../../src/broker/embedded/batch-codec.ts'
import {
  type BatchHeader,
  batchKinds,
  recordBytes,
} from '../../src/broker/embedded/stored-batch.ts'
import type { ProduceRecord } from '../../src/broker/port.ts'
import { headerBytes } from '../../src/broker/records/batch-header.ts'
import { PackedRecords, type PackedSegment } from '../../src/broker/records/packed-records.ts'
import { packedCuts } from '../../src/broker/records/packed-views.ts'

const bytes = fc.option(fc.uint8Array({ maxLength: 80 }), { nil: null })
const record = fc.record({
  timestampMs: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
  key: bytes,
  value: bytes,
  headers: fc.array(fc.record({ key: fc.string({ unit: 'binary' }), value: bytes }), {
    maxLength: 3,
  }),
})

const headerOf = (records: readonly ProduceRecord[]): BatchHeader => ({
  kind: batchKinds.data,
  transactional: true,
  producerId: 2 ** 40,
  producerEpoch: 32_766,
  baseOffset: 2 ** 45,
  lastOffset: 2 ** 45 + 1_000_000,
  maxTimestampMs: 5,
  cleanedAtMs: 9,
  sizeBytes: records.reduce((sum, each) => sum + recordBytes(each), 0),
  recordCount: records.length,
})

const plain = ({ timestampMs, key, value, headers }: ProduceRecord) => ({
  timestampMs,
  key: key && [...key],
  value: value && [...value],
  headers: headers.map((header) => [header.key, header.value && [...header.value]]),
})

describe('batch codec', () => {
  it('decodes what was encoded', () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 20 }), (records) => {
        const header = headerOf(records)
        const deltas = records.map((_, index) => index * 7)
        const row = Uint8Array.from(encodeBatch(header, records, deltas))
        const { records: decoded, decodedCount, ...rest } = decodeBatch(row)
        expect(decodedCount).toBe(records.length)
        expect(rest).toEqual(header)
        expect(decodeHeader(row)).toEqual(header)
        expect(decoded.map(plain)).toEqual(records.map(plain))
        expect(decoded.map(({ offsetDelta }) => offsetDelta)).toEqual(deltas)
      }),
    )
  })

  it('decodes packed records, cut wherever the bounds want it', () => {
    const bounds = fc.record({ bytesMax: fc.integer({ min: 1, max: 400 }), recordsMax: fc.nat(9) })
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 20 }), bounds, (records, cut) => {
        const limits = { ...cut, recordsMax: cut.recordsMax + 1 }
        const packed = new PackedRecords({ segmentBytesMax: 1_000_000, expectedBytes: 0 })
        const dated = records.map((each) => ({ ...each, timestampMs: each.timestampMs % 2 ** 52 }))
        for (const { timestampMs, key, value, headers } of dated) {
          packed.append(timestampMs, key, value, headers)
        }
        const [{ buffer, firstMs, recordCount }] = packed.segments() as [PackedSegment]
        const place = { buffer, firstMs, recordCount, start: headerBytes }
        const rows = packedCuts(place, buffer.length, limits).map((piece) => {
          const header = { ...headerOf([]), recordCount: piece.recordCount }
          const bytes = buffer.subarray(piece.start, piece.end)
          const row = Uint8Array.from(encodePackedBatch(header, firstMs, bytes))
          expect(decodeHeader(row)).toEqual(header)
          expect(bytes.length <= limits.bytesMax || piece.recordCount === 1).toBe(true)
          return decodeBatch(row).records
        })
        expect(rows.flat().map(plain)).toEqual(dated.map(plain))
        for (const row of rows) {
          expect(row.length).toBeLessThanOrEqual(limits.recordsMax)
          expect(row.map(({ offsetDelta }) => offsetDelta)).toEqual(row.map((_, i) => i))
        }
      }),
    )
  })

  it('grows for batches larger than its buffer', () => {
    const records = Array.from({ length: 4 }, (_, index) => ({
      timestampMs: index,
      key: null,
      value: new Uint8Array(200_000).fill(index),
      headers: [],
    }))
    const decoded = decodeBatch(Uint8Array.from(encodeBatch(headerOf(records), records)))
    expect(
      decoded.records.map(({ value }) => value!.every((byte, _, all) => byte === all[0])),
    ).toEqual([true, true, true, true])
    expect(decoded.records.map(({ value }) => value![0])).toEqual([0, 1, 2, 3])
  })

  it('refuses a row of another layout', () => {
    const row = Uint8Array.from(encodeBatch(headerOf([]), []))
    row[0] = 9
    expect(() => decodeHeader(row)).toThrow('layout 9')
  })
})
