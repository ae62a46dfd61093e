/**
 * Goal: a row that is there is never said to be missing, and nearly all that are missing are said
 * to be. Method: random rows written, undone, committed, dropped and read by a successor, against
 * what a scan finds; then counts on many keys.
 */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BloomFilter, hashOfText, mixed } from '../../state/bloom-filter.ts'
import { orderedMs } from '../../state/key-layout.ts'
import { joinStore, json, utf8 } from '../../src/index.ts'
import { WrittenRows } from '../../src/stores/written-rows.ts'
import { OpenStore } from './open-store.ts'

const store = joinStore('j', {
  key: utf8,
  left: json<number>(),
  right: json<number>(),
  withinMs: 1_000,
  graceMs: 0,
})
const sides = { left: [], right: [{ timestampMs: 0, value: 1, matched: true }] }
const options = { kind: 'r', segmentMs: 30, listsKeys: true }
const slotOf = (key: string, bucketMs: number): string => `r${orderedMs(bucketMs)}${key}`

const key = fc.constantFrom('a', 'b', 'c', 'd')
const bucketMs = fc.integer({ min: 0, max: 12 }).map((bucket) => bucket * 10)
const write = fc.record({ key, bucketMs })
const takes = fc.integer({ min: 0, max: 3 })
const end = fc.constantFrom('keep', 'undo', 'commit', 'drop', 'restart', 'forget')

interface Row {
  readonly key: string
  readonly bucketMs: number
}

const writeRow = (open: OpenStore<unknown, unknown>, written: WrittenRows, row: Row): void => {
  const slot = slotOf(row.key, row.bucketMs)
  const isNew = written.isMissing(row.key, row.bucketMs) || open.slots.get(slot) === undefined
  open.slots.put(slot, sides)
  written.add(row.key, row.bucketMs, isNew)
}

const rowsOf = (open: OpenStore<unknown, unknown>, atMs: number): readonly string[] =>
  open.slots.keys({ gte: slotOf('', atMs), lt: slotOf('', atMs + 1) })

/** As a join deletes a bucket: by its list, or if there is none by a scan. */
const takeBucket = (
  open: OpenStore<unknown, unknown>,
  written: WrittenRows,
  { fromMs, takeMax }: { readonly fromMs: number; readonly takeMax: number },
): void => {
  const keys = written.takeKeys(fromMs, takeMax)
  open.slots.deleteAll(keys?.map((one) => slotOf(one, fromMs)) ?? rowsOf(open, fromMs))
  if (keys === undefined || keys.length < takeMax) expect(rowsOf(open, fromMs)).toEqual([])
}

test('no row that is there is said to be missing or left behind, whatever happened', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.array(write), end, bucketMs, takes)), async (records) => {
      const open = new OpenStore(store)
      let written = new WrittenRows(open.slots, options)
      for (const [writes, then, fromMs, takeMax] of records) {
        for (const one of writes) {
          writeRow(open, written, one)
        }
        if (then !== 'forget' && takeMax > 0) takeBucket(open, written, { fromMs, takeMax })
        if (then === 'undo') open.undo()
        else if (then === 'drop') open.slots.drop()
        else if (then === 'commit') await open.commit()
        else open.keep()
        if (then === 'forget') written.forgetBelow(fromMs)
        if (then === 'restart') {
          await open.restart()
          written = new WrittenRows(open.slots, options)
        }
        for (const slot of open.slots.keys({ gte: 'r', lt: 's' })) {
          const startMs = Number(Buffer.from(slot.slice(1, 9), 'latin1').readBigUInt64BE())
          expect(written.isMissing(slot.slice(9), startMs)).toBe(false)
        }
      }
    }),
    { numRuns: 200 },
  )
})

test('in buckets after those of an earlier process what was not written is missing', async () => {
  const open = new OpenStore(store)
  open.slots.put(slotOf('a', 40), sides)
  await open.restart()
  const written = new WrittenRows(open.slots, options)
  expect(written.isMissing('b', 50)).toBe(false) // the segment of a row nobody remembers
  expect(written.isMissing('b', 60)).toBe(true)
  written.add('b', 60, true)
  expect(written.isMissing('b', 60)).toBe(false)
  expect(written.isMissing('b', 70)).toBe(true)
})

test('lists the rows of buckets that began in this process, until their reading is undone', () => {
  const open = new OpenStore(store)
  const written = new WrittenRows(open.slots, options)
  for (const one of ['a', 'b', 'c']) writeRow(open, written, { key: one, bucketMs: 60 })
  writeRow(open, written, { key: 'a', bucketMs: 60 })
  open.keep()
  expect(written.takeKeys(50, 9)).toBeUndefined()
  expect(written.takeKeys(60, 2)).toEqual(['a', 'b'])
  expect(written.takeKeys(60, 2)).toEqual(['c'])
  expect(written.takeKeys(60, 2)).toBeUndefined()
  for (const one of ['a', 'b', 'c']) writeRow(open, written, { key: one, bucketMs: 70 })
  expect(written.takeKeys(70, 2)).toEqual(['a', 'b'])
  open.undo()
  expect(written.takeKeys(70, 2)).toBeUndefined()
  for (const bucketMs of [72, 74]) {
    for (const one of ['a', 'b']) writeRow(open, written, { key: one, bucketMs })
  }
  open.keep()
  expect(written.takeKeys(72, 1)).toEqual(['a'])
  open.slots.put('x', sides)
  open.undo()
  expect(written.takeKeys(74, 1)).toEqual(['a']) // whichever bucket is asked for first
  expect(written.takeKeys(72, 1)).toBeUndefined()
  const long = 'k'.repeat(40_000)
  const keys = [long, ...Array.from({ length: 5_000 }, (_, i) => `k${i}\u00ff`), long]
  for (const one of keys) written.add(one, 80, true)
  expect(written.takeKeys(80, 9_999)).toEqual(keys)
})

test('more buckets than the memory may list are not listed, and their filters stay', () => {
  const open = new OpenStore(store)
  const written = new WrittenRows(open.slots, options)
  let most = 0
  open.slots.keepsBeside = (now) => void (most = Math.max(most, now))
  expect(written.isMissing('a', 0)).toBe(true)
  for (let atMs = 0; atMs < 10_000; atMs += 1) written.add('a', atMs, true)
  expect(written.takeKeys(0, 9)).toBeUndefined()
  expect(written.takeKeys(9_990, 9)).toEqual(['a'])
  expect(written.isMissing('a', 0)).toBe(false)
  expect(written.isMissing('b', 0)).toBe(true)
  expect(most).toBeLessThanOrEqual(4 * 1024 * 1024)
})

test('what is forgotten says maybe, and gives its memory back', () => {
  const open = new OpenStore(store)
  const written = new WrittenRows(open.slots, options)
  const beside: number[] = []
  open.slots.keepsBeside = (bytes) => void beside.push(bytes)
  written.add('a', 0, true)
  expect(written.isMissing('b', 0)).toBe(true)
  written.forgetBelow(30)
  expect(written.isMissing('b', 0)).toBe(false)
  written.add('b', 0, true)
  expect(beside[0]).toBeGreaterThan(0)
  expect(beside.at(-1)).toBe(0)
})

test('more rows than the memory may hold make their segment say maybe, and no other', () => {
  const open = new OpenStore(store)
  const written = new WrittenRows(open.slots, options)
  let [bytes, most] = [0, 0]
  open.slots.keepsBeside = (now) => void ([bytes, most] = [now, Math.max(most, now)])
  written.add('a', 60, true)
  for (let i = 0; i < 2_000_000 && (i === 0 || written.isMissing('missing', 0)); i++) {
    written.add(`k${i}`, 0, true)
  }
  expect(written.isMissing('missing', 0)).toBe(false)
  expect(written.isMissing('missing', 60)).toBe(true)
  expect(most).toBeLessThanOrEqual(4 * 1024 * 1024)
  expect(bytes).toBeLessThan(10_000)
})

const hashOf = (text: string, seed: number): number => mixed(hashOfText(text), seed)

test('a filter that grew holds all, and is wrong for few that it does not hold', () => {
  const filter = new BloomFilter(100)
  const count = 50_000
  for (let i = 0; i < count; i++) filter.add(hashOf(`o-${i}`, 900))
  let [lost, wrong] = [0, 0]
  for (let i = 0; i < count; i++) {
    if (!filter.has(hashOf(`o-${i}`, 900))) lost += 1
    if (filter.has(hashOf(`o-${i}`, 1_800))) wrong += 1
  }
  expect(lost).toBe(0)
  expect(wrong).toBeLessThan(count * 0.05)
  expect(filter.bytes).toBeLessThan(count * 8)
})
