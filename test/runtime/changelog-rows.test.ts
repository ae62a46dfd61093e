/**
 * Goal: of each key the newest row, in the order of the keys' bytes, from every kind of batch.
 * Method: random records in random batches, as lists and as cursors over packed bytes, against a
 * map; the write batch is read back entry by entry.
 */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { visitEntries } from '../../state/batch-entries.ts'
import { WriteBatch } from '../../state/write-batch.ts'
import { type RawBatch, RawRecord } from '../../src/broker/port.ts'
import { RecordView } from '../../src/broker/records/record-view.ts'
import { noHeaders } from '../../src/record.ts'
import { ChangelogRows } from '../../src/runtime/changelog-rows.ts'

type Pair = readonly [key: Uint8Array | null, value: Uint8Array | null]

const viewOf = ([key, value]: Pair): RecordView => {
  const [keyBytes, valueBytes] = [key?.length ?? -1, value?.length ?? -1]
  const valueStart = 3 + Math.max(0, keyBytes)
  const buffer = Buffer.concat([Buffer.from('pad'), key ?? Buffer.of(), value ?? Buffer.of()])
  return new RecordView(
    buffer,
    0,
    0,
    3,
    3 + keyBytes,
    valueStart,
    valueStart + valueBytes,
    noHeaders,
  )
}

const batchOf = (pairs: readonly Pair[], isView: boolean): RawBatch => {
  const records = isView
    ? pairs.map(viewOf)
    : pairs.map(([key, value]) => new RawRecord(0, 0, key, value, noHeaders))
  const offsets = { logStartOffset: 0n, lastStableOffset: 0n, highWatermark: 0n, leaderEpoch: 0 }
  const place = { topic: 't', partition: 0, baseOffset: 0n, nextOffset: 0n, sizeBytes: 1 }
  if (!isView) return { ...place, ...offsets, records }
  const cursor = () => {
    const left = [...records]
    return { next: (count: number) => left.splice(0, Math.min(count, 2)) }
  }
  return { ...place, ...offsets, records: [], recordCount: records.length, cursor }
}

const written = (writes: WriteBatch): readonly (readonly [string, string | undefined])[] => {
  const rows: [string, string | undefined][] = []
  visitEntries(writes.finish(), {
    put: (key, value) => rows.push([key.toString('latin1'), value.toString('latin1')]),
    delete: (key) => rows.push([key.toString('latin1'), undefined]),
    expect: () => expect.unreachable(),
  })
  return rows
}

const bytes = fc.uint8Array({ maxLength: 2 })
const pair = fc.tuple(fc.option(bytes, { freq: 8 }), fc.option(bytes, { freq: 3 }))
const batch = fc.tuple(fc.array(pair, { maxLength: 8 }), fc.boolean())

test('equals a map, in order', () => {
  fc.assert(
    fc.property(fc.array(batch, { maxLength: 5 }), (batches) => {
      const rows = new ChangelogRows()
      const model = new Map<string, string | undefined>()
      for (const [pairs, isView] of batches) {
        rows.add(batchOf(pairs, isView))
        for (const [key, value] of pairs) {
          if (key === null) continue
          const text = value === null ? undefined : Buffer.from(value).toString('latin1')
          model.set(`p${Buffer.from(key).toString('latin1')}`, text)
        }
      }
      expect(rows.recordCount).toBe(batches.reduce((sum, [pairs]) => sum + pairs.length, 0))
      expect(rows.sizeBytes).toBe(batches.length)
      const writes = new WriteBatch()
      rows.moveTo(writes, Buffer.from('p'))
      expect(written(writes)).toEqual([...model].sort(([a], [b]) => (a < b ? -1 : 1)))
      expect([rows.recordCount, rows.sizeBytes]).toEqual([0, 0])
    }),
  )
})
