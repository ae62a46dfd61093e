/**
 * Goal: what is packed comes out again, record by record and on the wire, whatever was undone in
 * between. Method: random records and failures against a plain list; the bytes are read by the
 * Kafka decoder, which knows nothing of packing.
 */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { batchOfSegment } from '../../src/broker/kafka/records/encode.ts'
import { openRecords } from '../../src/broker/kafka/records/decode.ts'
import { writeInt64 } from '../../src/broker/kafka/records/int64.ts'
import type { ProduceRecord } from '../../src/broker/port.ts'
import {
  type PackedContent,
  PackedRecords,
  type SelfWriting,
} from '../../src/broker/records/packed-records.ts'
import type { Headers } from '../../src/record.ts'

interface Entry {
  readonly timestampMs: number
  readonly key: PackedContent
  readonly value: PackedContent
  readonly headers: Headers
}

const text = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 60 }), fc.string({ maxLength: 200 }))
const content = fc.oneof(text, fc.uint8Array({ maxLength: 120 }), fc.constant(null))
const entry: fc.Arbitrary<Entry> = fc.record({
  timestampMs: fc.integer({ min: 0, max: 2 ** 42 }),
  key: content,
  value: content,
  headers: fc.array(
    fc.record({
      key: fc.string({ unit: 'grapheme', maxLength: 9 }),
      value: fc.option(fc.uint8Array({ maxLength: 9 }), { nil: null }),
    }),
    { maxLength: 2 },
  ),
})
/** What one input record stages, and whether it fails afterwards. */
const scope = fc.record({ entries: fc.array(entry, { maxLength: 5 }), fails: fc.boolean() })
const options = fc.record({
  segmentBytesMax: fc.integer({ min: 80, max: 3_000 }),
  expectedBytes: fc.integer({ min: 0, max: 5_000 }),
})

const plain = ({ timestampMs, key, value, headers }: ProduceRecord) => ({
  timestampMs,
  key: key === null ? null : [...key],
  value: value === null ? null : [...value],
  headers: headers.map((header) => [header.key, header.value === null ? null : [...header.value]]),
})

const bytesOf = (packed: PackedContent): Uint8Array | null =>
  typeof packed === 'string' ? Buffer.from(packed, 'utf8') : packed

interface Guessed {
  readonly content: readonly string[]
  readonly guess: number
}

const isGuessed = (value: PackedContent | Guessed): value is Guessed =>
  typeof value === 'object' && value !== null && 'guess' in value

const selfWriting = (value: PackedContent | Guessed): PackedContent | SelfWriting =>
  isGuessed(value)
    ? {
        length: value.guess,
        bytesMax: value.content.join('').length * 3,
        writeTo: (writer) => value.content.forEach((part) => writer.content(part)),
      }
    : value

const valueBytes = (value: PackedContent | Guessed): readonly number[] | null => {
  const bytes = bytesOf(isGuessed(value) ? value.content.join('') : value)
  return bytes === null ? null : [...bytes]
}

const expected = (entries: readonly Entry[]) =>
  entries.map((one) => plain({ ...one, key: bytesOf(one.key), value: bytesOf(one.value) }))

const wireOf = (packed: PackedRecords): readonly ProduceRecord[] =>
  packed.segments().flatMap((segment) => {
    const batch = batchOfSegment(segment, 'none')
    const owner = { producerId: 7n, epoch: 3, isTransactional: true }
    const buffer = Buffer.from(batch.seal(owner, segment.firstIndex))
    writeInt64(buffer, segment.firstIndex, 0)
    const opened = openRecords({ buffer, start: 0, end: buffer.length, offset: 0, aborted: [] })
    expect(opened.recordCount).toBe(segment.recordCount)
    expect(opened.nextOffset).toBe(segment.firstIndex + segment.recordCount)
    return opened.cursor().next(Infinity)
  })

describe('packed records', () => {
  test('come out as they went in, and what was undone does not', () => {
    fc.assert(
      fc.property(fc.array(scope, { maxLength: 20 }), options, (scopes, limits) => {
        const packed = new PackedRecords(limits)
        const kept: Entry[] = []
        for (const { entries, fails } of scopes) {
          packed.mark()
          for (const one of entries) {
            packed.append(one.timestampMs, one.key, one.value, one.headers)
          }
          if (fails) packed.rewind()
          else kept.push(...entries)
        }
        expect(packed.recordCount).toBe(kept.length)
        expect(packed.records().map(plain)).toEqual(expected(kept))
        expect(wireOf(packed).map(plain)).toEqual(expected(kept))
      }),
    )
  })

  test('rows come out as they went in, whatever who writes itself guessed', () => {
    const slot = fc.string({ unit: fc.nat(255).map((code) => String.fromCharCode(code)) })
    const direct = fc.record({ content: fc.array(text, { maxLength: 3 }), guess: fc.nat(400) })
    const rows = fc.array(fc.record({ slot, value: fc.oneof(content, direct) }), { maxLength: 20 })
    fc.assert(
      fc.property(rows, options, (all, limits) => {
        const packed = new PackedRecords(limits)
        for (const one of all) packed.appendRow(7, one.slot, selfWriting(one.value))
        const wanted = all.map((one) => ({
          timestampMs: 7,
          key: [...Buffer.from(one.slot, 'latin1')],
          value: valueBytes(one.value),
          headers: [],
        }))
        expect(packed.records().map(plain)).toEqual(wanted)
        expect(wireOf(packed).map(plain)).toEqual(wanted)
      }),
    )
  })

  test('a segment is above its bound only if it holds a single record', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 30 }), options, (entries, limits) => {
        const packed = new PackedRecords(limits)
        for (const one of entries) {
          packed.append(one.timestampMs, one.key, one.value, one.headers)
        }
        for (const { buffer, recordCount, maxMs, firstIndex } of packed.segments()) {
          if (recordCount > 1) expect(buffer.length).toBeLessThanOrEqual(limits.segmentBytesMax)
          const times = entries
            .slice(firstIndex, firstIndex + recordCount)
            .map(({ timestampMs }) => timestampMs)
          expect(maxMs).toBe(Math.max(...times))
        }
      }),
    )
  })

  test('keep nothing of the caller’s bytes', () => {
    const packed = new PackedRecords({ segmentBytesMax: 1_000, expectedBytes: 0 })
    const value = Uint8Array.of(1, 2, 3)
    packed.append(5, 'k', value)
    value[0] = 9
    expect(packed.records().map(plain)).toEqual([
      { timestampMs: 5, key: [107], value: [1, 2, 3], headers: [] },
    ])
  })

  test('once released their memory is used again', () => {
    const packed = new PackedRecords({ segmentBytesMax: 5_000, expectedBytes: 3_000 })
    packed.append(1, 'k', 'v')
    const { buffer: memory } = packed.segments()[0]!.buffer
    packed.release()
    packed.release() // twice gives it once
    const others = [1, 2].map(
      () => new PackedRecords({ segmentBytesMax: 5_000, expectedBytes: 3_000 }),
    )
    for (const other of others) other.append(1, 'k', 'v')
    const used = others.map((other) => other.segments()[0]!.buffer.buffer)
    expect(used.filter((one) => one === memory)).toHaveLength(1)
  })

  test('trimmed, they take what they hold, and stay as they are while others are packed', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(entry, { minLength: 1, maxLength: 40 }), { maxLength: 12 }),
        options,
        (groups, limits) => {
          const closed = groups.map((entries) => {
            const packed = new PackedRecords(limits)
            for (const one of entries) {
              packed.append(one.timestampMs, one.key, one.value, one.headers)
            }
            packed.trim()
            packed.trim() // twice changes nothing
            return packed
          })
          for (const [i, packed] of closed.entries()) {
            expect(packed.records().map(plain)).toEqual(expected(groups[i]!))
            for (const { buffer } of packed.segments()) {
              expect(buffer.length).toBeGreaterThanOrEqual(buffer.buffer.byteLength * 0.8)
            }
          }
        },
      ),
    )
  })
})
