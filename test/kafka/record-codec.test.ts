/**
 * Goal: what is encoded is decoded, byte for byte, whatever the records, the compression and the
 * way they were split into batches; damage is noticed. Method: random records through encode, seal
 * and decode; aborted transactions against a model of the log.
 */

import fc from 'fast-check'
import { compressionsAlgorithms } from '@platformatic/kafka'
import { describe, expect, it } from 'vitest'
import { BrokerError } from '../../src/broker/errors.ts'
import type { ProduceRecord } from '../../src/broker/port.ts'
import { at, headerBytes } from '../../src/broker/records/batch-header.ts'
import { bufferPool } from '../../src/broker/records/buffer-pool.ts'
import type { Compression } from '../../src/broker/kafka/records/compression.ts'
import {
  type EncodedRecords,
  nextOffsetOf,
  openRecords,
} from '../../src/broker/kafka/records/decode.ts'
import { aloneBytes, encodeBatches } from '../../src/broker/kafka/records/encode.ts'
import { readInt64, writeInt64 } from '../../src/broker/kafka/records/int64.ts'
import { VarintReader } from '../../src/broker/records/varint-reader.ts'
import { int32Bytes, int64Bytes, VarintWriter } from '../../src/broker/records/varint-writer.ts'
import { noHeaders } from '../../src/record.ts'

const compressions: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
const plainOwner = { producerId: 7n, epoch: 3, isTransactional: false }

const bytes = fc.option(fc.uint8Array({ maxLength: 200 }), { nil: null })
const headers = fc.array(fc.record({ key: fc.string({ unit: 'grapheme' }), value: bytes }), {
  maxLength: 3,
})
const record: fc.Arbitrary<ProduceRecord> = fc.record({
  timestampMs: fc.integer({ min: 0, max: 2 ** 42 }),
  key: bytes,
  value: bytes,
  headers,
})

const decodeRecords = (part: EncodedRecords) => {
  const opened = openRecords(part)
  return { ...opened, records: opened.cursor().next(Infinity) }
}

const plain = (value: Uint8Array | null) => (value === null ? null : [...value])

const plainRecord = ({ timestampMs, key, value, headers: all }: ProduceRecord) => ({
  timestampMs,
  key: plain(key),
  value: plain(value),
  headers: all.map((header) => [header.key, plain(header.value)]),
})

/** As a leader would write them: offsets given, one behind the other. */
const logOf = (batches: readonly { bytes: Buffer; count: number }[], firstOffset = 0) => {
  let offset = firstOffset
  const placed = batches.map((batch) => {
    const copy = Buffer.from(batch.bytes)
    writeInt64(copy, offset, at.baseOffset)
    offset += batch.count
    return copy
  })
  return { buffer: Buffer.concat(placed), endOffset: offset }
}

const encoded = (records: readonly ProduceRecord[], compression: Compression, max = 1_000_000) =>
  encodeBatches(records, { batchBytesMax: max, compression }).map((batch) => ({
    bytes: Buffer.from(batch.seal(plainOwner, 0)),
    count: batch.recordCount,
  }))

describe('record batches', () => {
  it.each(compressions)('keep everything, %s', (compression) => {
    fc.assert(
      fc.property(
        fc.array(record, { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 100, max: 5_000 }),
        (records, batchBytesMax) => {
          const { buffer, endOffset } = logOf(encoded(records, compression, batchBytesMax), 1_000)
          const decoded = decodeRecords({
            buffer,
            start: 0,
            end: buffer.length,
            offset: 1_000,
            aborted: null,
          })
          expect(decoded.records.map(plainRecord)).toEqual(records.map(plainRecord))
          expect(decoded.records.map(({ offsetDelta }) => offsetDelta)).toEqual(
            records.map((_, index) => index),
          )
          expect(decoded.nextOffset).toBe(endOffset)
        },
      ),
      { numRuns: 60 },
    )
  })

  it('stay below the size wanted, unless one record is larger', () => {
    const records = Array.from({ length: 100 }, (_, index): ProduceRecord => ({
      timestampMs: 5,
      key: null,
      value: Buffer.alloc(index === 50 ? 900 : 90),
      headers: noHeaders,
    }))
    const batches = encodeBatches(records, { batchBytesMax: 500, compression: 'none' })
    expect(batches.filter(({ sizeBytes }) => sizeBytes > 500)).toHaveLength(1)
    expect(batches.reduce((sum, { recordCount }) => sum + recordCount, 0)).toBe(100)
    expect(batches.map(({ firstIndex }) => firstIndex)[0]).toBe(0)
    expect(
      batches.every(
        (batch, index) =>
          index === 0
          || batch.firstIndex === batches[index - 1]!.firstIndex + batches[index - 1]!.recordCount,
      ),
    ).toBe(true)
  })

  it('alone, a record takes what was predicted', () => {
    fc.assert(
      fc.property(record, (one) => {
        const [batch] = encodeBatches([one], { batchBytesMax: 1, compression: 'none' })
        expect(batch!.sizeBytes).toBe(aloneBytes(one))
      }),
    )
  })

  it('may be sealed again for another owner', () => {
    const [batch] = encodeBatches(
      [{ timestampMs: 1, key: null, value: Buffer.from('v'), headers: [] }],
      { batchBytesMax: 1_000, compression: 'none' },
    )
    const first = Buffer.from(batch!.seal({ ...plainOwner, isTransactional: true }, 5))
    const second = Buffer.from(batch!.seal(plainOwner, 0))
    expect(first.readInt32BE(at.baseSequence)).toBe(5)
    expect(second.readInt32BE(at.baseSequence)).toBe(0)
    for (const buffer of [first, second]) {
      expect(
        decodeRecords({ buffer, start: 0, end: buffer.length, offset: 0, aborted: null }).records,
      ).toHaveLength(1)
    }
  })

  it('that are damaged anywhere are noticed', () => {
    const { bytes: batch } = encoded(
      [{ timestampMs: 1, key: Buffer.from('k'), value: Buffer.from('value'), headers: [] }],
      'none',
    )[0]!
    for (let position = at.attributes; position < batch.length; position++) {
      const damaged = Buffer.from(batch)
      damaged[position]! ^= 1
      expect(() =>
        decodeRecords({ buffer: damaged, start: 0, end: damaged.length, offset: 0, aborted: null }),
      ).toThrow(BrokerError)
    }
  })

  it('that are cut off at the end are left', () => {
    const records = ['a', 'b', 'c'].map((value): ProduceRecord => ({
      timestampMs: 1,
      key: null,
      value: Buffer.from(value),
      headers: [],
    }))
    const { buffer } = logOf(
      records.flatMap((one) => encoded([one], 'none')),
      10,
    )
    for (let cut = 1; cut < headerBytes + 5; cut++) {
      const part = { buffer, start: 0, end: buffer.length - cut, offset: 10, aborted: null }
      const decoded = decodeRecords(part)
      expect(decoded.records).toHaveLength(2)
      expect(decoded.nextOffset).toBe(12)
      expect(nextOffsetOf(part)).toBe(12)
    }
  })

  it('are read from the middle, and time of the broker is taken where it counts', () => {
    const records = ['a', 'b', 'c'].map((value, index): ProduceRecord => ({
      timestampMs: index,
      key: null,
      value: Buffer.from(value),
      headers: [],
    }))
    const { buffer } = logOf(encoded(records, 'zstd'), 20)
    const decoded = decodeRecords({
      buffer,
      start: 0,
      end: buffer.length,
      offset: 21,
      aborted: null,
    })
    expect(decoded.baseOffset).toBe(21)
    expect(decoded.records.map(({ offsetDelta, value }) => [offsetDelta, String(value)])).toEqual([
      [0, 'b'],
      [1, 'c'],
    ])
  })

  it('of snappy in blocks, as Java writes them, are read', () => {
    const { bytes: batch } = encoded(
      [{ timestampMs: 1, key: null, value: Buffer.from('block'), headers: [] }],
      'none',
    )[0]!
    const block = compressionsAlgorithms.snappy.compressSync(batch.subarray(headerBytes))
    const xerial = Buffer.concat([
      Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]),
      Buffer.from([0, 0, 0, block.length]),
      block,
    ])
    const buffer = Buffer.concat([batch.subarray(0, headerBytes), xerial])
    buffer.writeInt32BE(buffer.length - 12, at.length)
    buffer.writeInt16BE(2, at.attributes)
    buffer.writeUInt32BE(crcOf(buffer), at.crc)
    expect(
      String(
        decodeRecords({ buffer, start: 0, end: buffer.length, offset: 0, aborted: null })
          .records[0]!.value,
      ),
    ).toBe('block')
  })
})

describe('the memory of a fetched partition', () => {
  it.each([
    ['is used again once it is released', noHeaders, true],
    ['is not, if values of headers may be held', [{ key: 'h', value: Buffer.of(1) }], false],
  ])('%s', (_, ofRecord, isReused) => {
    const [batch] = encoded(
      [{ timestampMs: 1, key: null, value: Buffer.of(1), headers: ofRecord }],
      'none',
    )
    const buffer = bufferPool.take(600_000)
    batch!.bytes.copy(buffer)
    const part = { buffer, start: 0, end: batch!.bytes.length, offset: 0, aborted: null }
    const opened = openRecords(part)
    expect(opened.cursor().next(9)).toHaveLength(1)
    opened.release()
    const next = bufferPool.take(600_000)
    expect(next === buffer).toBe(isReused)
    bufferPool.give(next)
  })
})

/** CRC-32C, bit by bit: the oracle of the fast one. */
const crcOf = (buffer: Buffer): number => {
  let crc = 0xffff_ffff
  for (const byte of buffer.subarray(at.attributes)) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f6_3b78 : 0)
  }
  return (crc ^ 0xffff_ffff) >>> 0
}

describe('the abort filter', () => {
  interface Entry {
    readonly producerId: number
    readonly kind: 'data' | 'commit' | 'abort'
  }

  const entryBytes = ({ producerId, kind }: Entry, value: string): Buffer => {
    const key =
      kind === 'data' ? Buffer.from('k') : Buffer.from([0, 0, 0, kind === 'commit' ? 1 : 0])
    const [batch] = encodeBatches(
      [{ timestampMs: 1, key, value: Buffer.from(value), headers: noHeaders }],
      { batchBytesMax: 1_000, compression: 'none' },
    )
    const sealed = Buffer.from(
      batch!.seal({ producerId: BigInt(producerId), epoch: 0, isTransactional: true }, 0),
    )
    if (kind !== 'data') sealed.writeInt16BE(0x30, at.attributes)
    sealed.writeUInt32BE(crcOf(sealed), at.crc)
    return sealed
  }

  it('hides exactly what was aborted, from wherever it is read', () => {
    const step = fc.record({
      producerId: fc.integer({ min: 1, max: 4 }),
      kind: fc.constantFrom('data', 'data', 'data', 'commit', 'abort'),
    })
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), fc.nat(), (steps, from) => {
        const open = new Map<number, number[]>()
        const entries: Entry[] = []
        const visible = new Set<number>()
        const aborted: { producerId: number; firstOffset: number; lastOffset: number }[] = []
        for (const { producerId, kind } of steps as readonly Entry[]) {
          const offsets = open.get(producerId) ?? []
          if (kind !== 'data' && offsets.length === 0) continue
          if (kind === 'data') open.set(producerId, [...offsets, entries.length])
          if (kind === 'commit') for (const offset of offsets) visible.add(offset)
          if (kind === 'abort') {
            aborted.push({ producerId, firstOffset: offsets[0]!, lastOffset: entries.length })
          }
          if (kind !== 'data') open.delete(producerId)
          entries.push({ producerId, kind })
        }
        // as a leader does: up to the first offset of an open transaction
        const stable = Math.min(entries.length, ...[...open.values()].map(([first]) => first!))
        if (stable === 0) return
        const { buffer } = logOf(
          entries
            .slice(0, stable)
            .map((entry, offset) => ({ bytes: entryBytes(entry, String(offset)), count: 1 })),
        )
        const offset = from % stable
        const start = buffer.length === 0 ? 0 : startOf(buffer, offset)
        const decoded = decodeRecords({
          buffer,
          start,
          end: buffer.length,
          offset,
          aborted: aborted.filter(({ lastOffset }) => lastOffset >= offset),
        })
        expect(decoded.records.map(({ value }) => Number(value))).toEqual(
          [...visible].filter((seen) => seen >= offset && seen < stable).sort((a, b) => a - b),
        )
        expect(decoded.nextOffset).toBe(stable)
      }),
      { numRuns: 400 },
    )
  })

  const startOf = (buffer: Buffer, offset: number): number => {
    let position = 0
    while (readInt64(buffer, position) < offset) position += buffer.readInt32BE(position + 8) + 12
    return position
  }
})

describe('integers of the wire', () => {
  it('of 64 bits are exact up to 2^53', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        const buffer = Buffer.alloc(8)
        writeInt64(buffer, value, 0)
        expect(buffer.readBigInt64BE(0)).toBe(BigInt(value))
        expect(readInt64(buffer, 0)).toBe(value)
      }),
    )
  })

  it('of variable length come back, and take what was predicted', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: -(2 ** 52), max: 2 ** 52 }), (short, long) => {
        const writer = new VarintWriter(20, 0)
        writer.int32(short)
        expect(writer.position).toBe(int32Bytes(short))
        writer.int64(long)
        expect(writer.position).toBe(int32Bytes(short) + int64Bytes(long))
        const reader = new VarintReader(writer.buffer, 0)
        expect([reader.int32(), reader.int64()]).toEqual([short, long])
      }),
    )
  })
})
