/**
 * Goal: what a join keeps goes away as a whole, in pieces that a record can pay for, and a look
 * ahead reads what its records will read. Method: more rows than one record may delete, with
 * commits, failures and restarts in between; reads of the engine counted.
 */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bytes, columns, joinStore, json, utf8 } from '../../src/index.ts'
import { PackedRecords } from '../../src/broker/records/packed-records.ts'
import type { JoinState } from '../../src/stores/join-state.ts'
import { MemoryEngine } from '../../state/memory/memory-engine.ts'
import { OpenStore } from './open-store.ts'

const store = joinStore('j', {
  key: utf8,
  left: json<number>(),
  right: json<number>(),
  withinMs: 1_000,
  graceMs: 0,
})
const rowCount = 2_500

type State = JoinState<string>

const arrive = (
  state: State,
  key: string,
  timestampMs: number,
  streamTimeMs = timestampMs,
): void => {
  const moment = { timestampMs, streamTimeMs, nowMs: 0 }
  state.add({ side: 'right', key, value: 1, isKept: false }, moment)
}

/** One record's share of forgetting. */
const expire = (state: State, streamTimeMs: number): void => {
  const moment = { timestampMs: streamTimeMs, streamTimeMs, nowMs: 0 }
  expect([...state.expire('left', moment)]).toEqual([])
}

const rowsOf = (open: OpenStore<unknown, unknown>): number =>
  open.slots.keys({ gte: 'r', lt: 's' }).length

const filled = async () => {
  const open = new OpenStore(store)
  for (let i = 0; i < rowCount; i++) arrive(open.opened, `k${i}`, 500 + (i % 7), 506)
  await open.commit()
  return open
}

test('a bucket of many rows is deleted piece by piece, across commits and restarts', async () => {
  const open = await filled()
  const left: number[] = []
  for (const then of [() => open.keep(), () => open.commit(), () => open.restart()]) {
    expire(open.opened, 5_000)
    await then()
    left.push(rowsOf(open))
  }
  expect(left).toEqual([1_500, 500, 0])
})

test('a piece whose record failed is deleted again', async () => {
  const open = await filled()
  expire(open.opened, 5_000)
  open.keep()
  expire(open.opened, 5_000)
  open.undo()
  expect(rowsOf(open)).toBe(1_500)
  for (let i = 0; i < 2; i++) expire(open.opened, 5_000)
  await open.restart()
  expect(rowsOf(open)).toBe(0)
})

test('rows that are deleted are not read, and none of them stays in memory', async () => {
  const open = await filled()
  await open.restart()
  const before = { reads: open.slots.engineReads, rows: open.slots.cached.rows }
  expire(open.opened, 5_000)
  expect(open.slots.engineReads - before.reads).toBe(1) // the bounds
  expect(open.slots.cached.rows - before.rows).toBe(1)
  expect(rowsOf(open)).toBe(1_500)
})

test('rows whose bucket began in this process are deleted without asking the engine', () => {
  const engine = MemoryEngine.create()
  const open = new OpenStore(store, engine)
  for (let i = 0; i < rowCount; i++) arrive(open.opened, `k${i}`, 500 + (i % 7), 506)
  let scans = 0
  const scan = engine.scan.bind(engine)
  engine.scan = (options) => {
    scans += 1
    return scan(options)
  }
  for (let i = 0; i < 3; i++) expire(open.opened, 2_100)
  expect(scans).toBe(0)
  expect(rowsOf(open)).toBe(0)
})

test('one record deletes many small buckets, so that narrow windows leave nothing behind', () => {
  const narrow = { key: utf8, left: json<number>(), right: json<number>(), graceMs: 2_000 }
  const open = new OpenStore(joinStore('narrow', { ...narrow, withinMs: 1 }))
  for (let ms = 0; ms < rowCount; ms++) arrive(open.opened, 'k', ms, rowCount)
  const left: number[] = []
  for (let i = 0; i < 4; i++) {
    expire(open.opened, 9_000)
    left.push(rowsOf(open))
  }
  expect(left).toEqual([1_500, 500, 0, 0])
})

test('a row that comes into a bucket while it is being deleted goes too', async () => {
  const open = await filled()
  expire(open.opened, 5_000)
  arrive(open.opened, 'a comes first', 501, 5_000)
  for (let i = 0; i < 3; i++) expire(open.opened, 5_000)
  await open.restart()
  expect(rowsOf(open)).toBe(0)
})

test('what an undone record reported, or a failed commit, is reported again', async () => {
  const open = new OpenStore(store)
  const moment = { timestampMs: 500, streamTimeMs: 500, nowMs: 0 }
  open.opened.add({ side: 'left', key: 'k', value: 1, isKept: true }, moment)
  await open.commit()
  const report = (): readonly string[] => {
    const later = { timestampMs: 5_000, streamTimeMs: 5_000, nowMs: 0 }
    return [...open.opened.expire('right', later)].map(({ key }) => key)
  }
  expect([report(), report()]).toEqual([['k'], []])
  open.undo()
  expect([report(), report()]).toEqual([['k'], []])
  open.keep()
  open.slots.drop()
  expect([report(), report()]).toEqual([['k'], []])
})

test('rows that are reported are read many at once', async () => {
  const engine = MemoryEngine.create()
  const kept = new OpenStore(store, engine, 1_000)
  for (let i = 0; i < 200; i++) {
    const moment = { timestampMs: 500 + i, streamTimeMs: 500 + i, nowMs: 0 }
    kept.opened.add({ side: 'left', key: `k${i}`, value: i, isKept: true }, moment)
  }
  await kept.restart()
  let calls = 0
  const get = engine.get.bind(engine)
  engine.get = (key) => {
    calls += 1
    return get(key)
  }
  engine.getMany = (keys) => {
    calls += 1
    return keys.map(get)
  }
  const reported: unknown[] = []
  for (let streamTimeMs = 1_500; streamTimeMs < 3_000; streamTimeMs += 10) {
    const moment = { timestampMs: streamTimeMs, streamTimeMs, nowMs: 0 }
    reported.push(...Array.from(kept.opened.expire('right', moment), ({ row }) => row.value))
  }
  expect(reported).toEqual(Array.from({ length: 200 }, (_, i) => i))
  expect(calls).toBeLessThanOrEqual(1 + Math.ceil(200 / 32)) // the bounds, then rows
})

test('once its records were looked at ahead, add reads nothing more', async () => {
  const open = new OpenStore(store)
  const coming = Array.from({ length: 5 }, (_, i) => ({ key: `k${i}`, timestampMs: 4_000 + i }))
  for (const { key, timestampMs } of coming) arrive(open.opened, key, timestampMs - 900)
  await open.restart()
  open.opened.prefetch(coming)
  const before = open.slots.engineReads
  const moment = (timestampMs: number) => ({ timestampMs, streamTimeMs: timestampMs, nowMs: 0 })
  const met = coming.map(({ key, timestampMs }) =>
    open.opened
      .add({ side: 'left', key, value: 2, isKept: true }, moment(timestampMs))
      .map((row) => row.timestampMs),
  )
  expect(met).toEqual(coming.map(({ timestampMs }) => [timestampMs - 900]))
  expect(open.slots.engineReads - before).toBe(1) // the bounds
})

test('the reach of a window far in the past costs a look ahead no more than others', () => {
  const yearMs = 31_536_000_000
  const far = { key: utf8, left: json<number>(), right: json<number>(), graceMs: 0 }
  const past = joinStore('past', { ...far, beforeMs: yearMs, afterMs: 1 - yearMs })
  const open = new OpenStore(past)
  open.opened.prefetch([{ key: 'k', timestampMs: 2 * yearMs }])
  expect(open.slots.engineReads).toBeLessThanOrEqual(7)
})

const pair = (open: OpenStore<State, unknown>, key: string, timestampMs: number): void => {
  for (const side of ['left', 'right'] as const) {
    const moment = { timestampMs, streamTimeMs: timestampMs, nowMs: 0 }
    open.opened.add({ side, key, value: 1, isKept: side === 'left' }, moment)
  }
}

test('a row that meets its partner before the commit is never marked as waiting', async () => {
  const open = new OpenStore(store)
  pair(open, 'k', 500)
  expect((await open.commit()).filter((slot) => slot.startsWith('u'))).toEqual([])
})

test('rows that met their one partner leave the memory, one that meets more stays', async () => {
  const open = new OpenStore(store)
  const arriveRight = (timestampMs: number): void => arrive(open.opened, 'k', timestampMs)
  const rows = (): number => open.slots.cached.rows
  pair(open, 'k', 4_000)
  pair(open, 'other', 4_000)
  await open.commit()
  expect(rows()).toBe(1) // the bounds
  arriveRight(4_001)
  await open.commit()
  expect(rows()).toBe(2)
  const before = open.slots.engineReads
  arriveRight(4_002)
  expect(open.slots.engineReads).toBe(before)
})

test('a mark that was committed goes when the partner comes', async () => {
  const open = new OpenStore(store)
  const moment = { timestampMs: 500, streamTimeMs: 500, nowMs: 0 }
  for (const value of [1, 2]) {
    open.opened.add({ side: 'left', key: 'k', value, isKept: true }, moment)
    await open.restart()
  }
  expect([...open.reader.waiting()]).toEqual([['k', 500]])
  arrive(open.opened, 'k', 600)
  await open.restart()
  expect([...open.reader.waiting()]).toEqual([])
})

test('rows that stay alone are reported once each, however many are matched between them', () => {
  const open = new OpenStore(store)
  const alone: string[] = []
  for (let i = 0; i < 400; i++) {
    const moment = { timestampMs: i, streamTimeMs: i, nowMs: 0 }
    open.opened.add({ side: 'left', key: `k${i}`, value: i, isKept: true }, moment)
    if (i % 9 === 0 || i > 380) alone.push(`k${i}`)
    else arrive(open.opened, `k${i}`, i)
  }
  const reported: string[] = []
  for (let streamTimeMs = 1_000; streamTimeMs < 1_500; streamTimeMs += 17) {
    const moment = { timestampMs: streamTimeMs, streamTimeMs, nowMs: 0 }
    for (const { key } of open.opened.expire('right', moment)) reported.push(key)
    open.keep()
  }
  expect(reported).toEqual(alone)
})

test('rows of both sides come back as they were, in text and in bytes', async () => {
  const mixed = joinStore('mixed', {
    key: utf8,
    left: json<{ readonly text: string }>(),
    right: bytes,
    withinMs: 1_000,
    graceMs: 0,
  })
  const open = new OpenStore(mixed)
  const lefts = ['', 'ascii', 'zwölf € 🦊'].map((text) => ({ text }))
  const rights = [new Uint8Array(0), Uint8Array.of(0, 255, 7)]
  const add = (side: 'left' | 'right', value: unknown, timestampMs: number): void => {
    const moment = { timestampMs, streamTimeMs: timestampMs, nowMs: 0 }
    open.opened.add({ side, key: 'k', value, isKept: true }, moment)
  }
  lefts.forEach((value, i) => add('left', value, 100 + i))
  rights.forEach((value, i) => add('right', value, 200 + i))
  add('left', { text: 'alone' }, 0)
  await open.restart()
  const { left, right } = open.reader.get('k', 150)!
  expect(left.map(({ value }) => value)).toEqual([...lefts, { text: 'alone' }])
  expect(left.map(({ timestampMs }) => timestampMs)).toEqual([100, 101, 102, 0])
  expect(right.map(({ value }) => [...value])).toEqual(rights.map((value) => [...value]))
  expect(right.every(({ matched }) => matched)).toBe(true)
})

test('rows sealed in place have the bytes of those that get a buffer each', () => {
  const value = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 40 }), fc.string())
  const arrival = fc.record({
    side: fc.constantFrom('left' as const, 'right' as const),
    key: fc.constantFrom('a', 'b', 'ü'),
    value,
    timestampMs: fc.nat(3_000),
    isKept: fc.boolean(),
  })
  const texts = { key: utf8, left: utf8, right: json<string>(), withinMs: 1_000, graceMs: 9_000 }
  const buffers = { ...texts, left: { ...utf8, encodeRaw: undefined } } as unknown as typeof texts
  fc.assert(
    fc.property(
      fc.array(arrival, { maxLength: 30 }),
      fc.constantFrom(texts, buffers),
      (arrivals, options) => {
        const [one, other] = [0, 1].map(() => new OpenStore(joinStore('j', options)))
        for (const { timestampMs, ...rest } of arrivals) {
          const moment = { timestampMs, streamTimeMs: 3_000, nowMs: 0 }
          for (const open of [one!, other!]) open.opened.add(rest, moment)
        }
        for (const open of [one!, other!]) open.keep()
        const packed = new PackedRecords({ segmentBytesMax: 1_000, expectedBytes: 0 })
        one!.slots.sealTo((key, row) => packed.appendRow(0, key, row ?? null))
        const inPlace = packed.records().map(({ key, value: row }) => [key, row].map(hexOf))
        const each = other!.slots.seal().map(({ key, value: row }) => [key, row].map(hexOf))
        expect(inPlace).toEqual(each)
      },
    ),
  )
})

test('a row has the bytes that its layout says', () => {
  const open = new OpenStore(store)
  const moment = { timestampMs: 1_500, streamTimeMs: 1_500, nowMs: 0 }
  open.opened.add({ side: 'left', key: 'k', value: 7, isKept: true }, moment)
  open.opened.add({ side: 'left', key: 'k', value: 123, isKept: true }, moment)
  open.opened.add({ side: 'right', key: 'k', value: null, isKept: false }, moment)
  open.keep()
  const rows = new Map(open.slots.seal().map(({ key, value }) => [hexOf(key), hexOf(value)]))
  const time = '4097700000000000' // 1,500 as f64
  expect(rows.get(`72${'00'.repeat(6)}03e86b`)).toBe(
    `00000002${time}010000000137${time}0100000003313233${time}01000000046e756c6c`,
  )
})

test('a row that cannot be read fails the record that reports it, none long before', async () => {
  let refused = -1
  const decode = (encoded: Uint8Array): number => {
    const value = json<number>().decode(encoded)
    if (value === refused) throw new Error('refused')
    return value
  }
  const touchy = { key: utf8, left: { ...json<number>(), decode }, right: json<number>() }
  const open = new OpenStore(joinStore('touchy', { ...touchy, withinMs: 10_000, graceMs: 0 }))
  for (const timestampMs of [1_000, 5_000, 9_000]) {
    const moment = { timestampMs, streamTimeMs: timestampMs, nowMs: 0 }
    const key = `k${timestampMs}`
    open.opened.add({ side: 'left', key, value: timestampMs, isKept: true }, moment)
  }
  await open.restart()
  refused = 9_000
  const reportedAt = (streamTimeMs: number): readonly string[] => {
    const moment = { timestampMs: streamTimeMs, streamTimeMs, nowMs: 0 }
    return Array.from(open.opened.expire('right', moment), ({ key }) => key)
  }
  expect(reportedAt(12_000)).toEqual(['k1000'])
  expect(() => reportedAt(20_000)).toThrow('refused')
})

const hexOf = (bytesOrNone: Uint8Array | null | undefined): string | undefined =>
  bytesOrNone ? Buffer.from(bytesOrNone).toString('hex') : undefined

test('a partner is what its serde keeps of it, whether it is in memory or was stored', async () => {
  interface Order {
    readonly id: string
    readonly lines: readonly { readonly sku: string }[]
    readonly buyer?: { readonly name: string }
  }
  const orders = columns<Order>('order/1', {
    id: 'json',
    lines: [{ sku: 'json' }],
    buyer: { name: 'json' },
  })
  const open = new OpenStore(
    joinStore('o', { key: utf8, left: orders, right: json(), withinMs: 1_000, graceMs: 0 }),
  )
  const order = {
    id: 'o1',
    note: 'x',
    lines: [{ sku: 's1', units: 2 }],
    buyer: { name: 'b', age: 3 },
  }
  const moment = { timestampMs: 1, streamTimeMs: 1, nowMs: 0 }
  open.opened.add({ side: 'left', key: 'k', value: order, isKept: true }, moment)
  const met = (): unknown =>
    open.opened.add({ side: 'right', key: 'k', value: 1, isKept: false }, moment)[0]?.value
  const kept = { id: 'o1', lines: [{ sku: 's1' }], buyer: { name: 'b' } }
  expect(met()).toEqual(kept)
  await open.restart()
  expect(met()).toEqual(kept)
})
