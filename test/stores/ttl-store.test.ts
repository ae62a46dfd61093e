/**
 * Goal: a row is read exactly as long as stream time is less than its time to live past it, on
 * every engine, and what has expired leaves the store for good.
 * Method: random puts, deletions, looks, steps of time, undone records, commits and restarts
 * against a map that is filtered at every read; then single rules one by one.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { json, ttlStore, type TtlReader, type TtlState, utf8 } from '../../src/index.ts'
import type { Engine } from '../../state/engine.ts'
import { MemoryEngine } from '../../state/memory/memory-engine.ts'
import { openEngineKind } from '../contract/engine-kinds.ts'
import { OpenStore } from './open-store.ts'

const ttlMs = 200 // buckets of 3 ms
const options = { key: utf8, value: json<number>(), ttlMs }
const store = ttlStore('t', options)
const everything = { gte: Uint8Array.of(0), lt: Uint8Array.of(255) }

type Step =
  | { kind: 'put'; key: string; value: number; agoMs: number }
  | { kind: 'delete' | 'get'; key: string }
  | { kind: 'range'; from: string; limit: number; reverse: boolean }
  | { kind: 'time'; byMs: number }
  | { kind: 'undo' | 'commit' | 'restart' }

const key = fc.constantFrom('a', 'aé', 'b', 'c', '')
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    arbitrary: fc.record({
      kind: fc.constant('put' as const),
      key,
      value: fc.nat(9),
      agoMs: fc.integer({ min: -20, max: 250 }),
    }),
    weight: 3,
  },
  fc.record({ kind: fc.constantFrom('delete' as const, 'get'), key }),
  fc.record({
    kind: fc.constant('range' as const),
    from: key,
    limit: fc.nat(4),
    reverse: fc.boolean(),
  }),
  { arbitrary: fc.record({ kind: fc.constant('time' as const), byMs: fc.nat(120) }), weight: 2 },
  fc.record({ kind: fc.constantFrom('undo' as const, 'commit', 'restart') }),
)

type Rows = ReadonlyMap<string, { readonly value: number; readonly timestampMs: number }>
type Found = readonly (readonly [string, number])[]

const liveAt = (rows: Rows, nowMs: number): Found =>
  [...rows]
    .filter(([, { timestampMs }]) => nowMs < timestampMs + ttlMs)
    .map(([id, { value }]) => [id, value] as const)
    .sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))

/** The naive store: nothing is ever deleted, every read looks at the time. */
class Model {
  nowMs = 1_000
  rows: Rows = new Map()
  #kept: Rows = new Map()

  live(): Found {
    return liveAt(this.rows, this.nowMs)
  }

  keep(): void {
    this.#kept = this.rows
  }

  undo(): void {
    this.rows = this.#kept
  }
}

const put = (
  open: OpenStore<TtlState<string, number>, unknown>,
  model: Model,
  action: Step & { kind: 'put' },
) => {
  const { value, agoMs } = action
  const timestampMs = model.nowMs - agoMs
  const isInTime = agoMs < ttlMs
  expect(open.opened.put(action.key, value, timestampMs)).toBe(isInTime)
  if (isInTime) model.rows = new Map(model.rows).set(action.key, { value, timestampMs })
}

const checkRange = (
  reader: TtlReader<string, number>,
  model: Model,
  { from, limit, reverse }: Step & { kind: 'range' },
): void => {
  const bound = Buffer.from(from)
  const inside = model.live().filter(([id]) => Buffer.compare(Buffer.from(id), bound) >= 0)
  const expected = (reverse ? inside.toReversed() : inside).slice(0, limit)
  expect([...reader.range({ from, limit, reverse })]).toEqual(expected)
}

const perform = async (
  open: OpenStore<TtlState<string, number>, TtlReader<string, number>>,
  model: Model,
  action: Step,
): Promise<void> => {
  switch (action.kind) {
    case 'put':
      return put(open, model, action)
    case 'delete':
      open.opened.delete(action.key)
      model.rows = new Map([...model.rows].filter(([id]) => id !== action.key))
      return
    case 'get':
      return expect(open.opened.get(action.key)).toBe(new Map(model.live()).get(action.key))
    case 'range':
      return checkRange(open.opened, model, action)
    case 'time':
      open.keep() // the next record
      model.keep()
      model.nowMs += action.byMs
      return open.time.observe(model.nowMs)
    case 'undo':
      open.undo()
      return model.undo()
    case 'commit':
    case 'restart':
      open.opened.get('a') // the store's time is that of its last use
      await open[action.kind]()
      model.keep()
      expect([...open.reader.range()]).toEqual(model.live())
  }
}

const agreesWithModel = async (openEngine: () => Engine, numRuns: number): Promise<void> => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const engine = openEngine()
      await engine.deleteRange(everything)
      const open = new OpenStore(store, engine)
      const model = new Model()
      open.time.observe(model.nowMs)
      for (const action of steps) await perform(open, model, action)
      expect([...open.opened.range()]).toEqual(model.live())
      open.time.observe(model.nowMs + 1_000)
      open.opened.get('a')
      await open.commit()
      expect([...open.slots.cleanScan({})].map(([slot]) => slot)).toEqual(['b'])
    }),
    { numRuns },
  )
}

describe('equals a map that is filtered at every read', () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-ttl-'))
  const engines: Engine[] = []
  afterAll(async () => {
    for (const engine of engines) await engine.close()
    rmSync(directory, { recursive: true, force: true })
  })

  test('in memory', () => agreesWithModel(() => MemoryEngine.create(), 300))

  test.each(['rocksdb', 'lmdb'] as const)(
    'on %s',
    async (kind) => {
      const engine = await openEngineKind(kind, join(directory, kind))
      engines.push(engine)
      await agreesWithModel(() => engine, 25)
    },
    30_000,
  )
})

/** A store at time 0, and what its engine holds after a commit. */
const opened = (settings = store) => {
  const open = new OpenStore(settings)
  open.time.observe(0)
  const slots = async (): Promise<string[]> => {
    await open.commit()
    return [...open.slots.cleanScan({})].map(([slot]) => slot)
  }
  return { open, slots }
}

test('a row is gone at the very millisecond, read or not', () => {
  const { open } = opened()
  open.opened.put('a', 1, 50)
  open.time.observe(50 + ttlMs - 1)
  expect(open.opened.get('a')).toBe(1)
  open.time.observe(50 + ttlMs)
  expect(open.opened.get('a')).toBeUndefined()
  expect([...open.opened.range()]).toEqual([])
  expect(open.opened.put('a', 2, 50)).toBe(false)
  expect(open.opened.put('a', 2, 51)).toBe(true)
})

test('what has expired is deleted with its index, whatever was put again or deleted', async () => {
  const { open, slots } = opened()
  for (let i = 0; i < 50; i++) open.opened.put(`k${i}`, i, i)
  await open.commit()
  open.time.observe(150)
  open.opened.put('k7', 70, 150)
  open.opened.delete('k8')
  await open.commit()
  open.time.observe(320)
  expect(open.opened.get('k7')).toBe(70)
  const left = await slots()
  expect(left.filter((slot) => slot.startsWith('r'))).toEqual(['rk7'])
  expect(left.filter((slot) => slot.startsWith('t'))).toHaveLength(1)
  open.time.observe(150 + ttlMs + 5)
  open.opened.get('anything')
  expect(await slots()).toEqual(['b'])
})

test('deletes at most 1,000 rows at a time, and reads none of the others', async () => {
  const { open, slots } = opened()
  for (let i = 0; i < 2_500; i++) open.opened.put(`k${i}`, i, 10)
  await open.commit()
  const left: number[] = []
  for (let nowMs = 1_000; nowMs < 1_004; nowMs++) {
    open.time.observe(nowMs)
    expect(open.opened.get('k2499')).toBeUndefined()
    expect([...open.opened.range()]).toEqual([])
    left.push((await slots()).filter((slot) => slot.startsWith('r')).length)
  }
  expect(left).toEqual([1_500, 500, 0, 0])
})

test('another time to live holds for the rows that are there, and leaves none behind', async () => {
  for (const otherMs of [64, 130, 1_000, 3_200]) {
    const engine = MemoryEngine.create()
    const before = new OpenStore(store, engine)
    for (let timeMs = 900; timeMs < 1_000; timeMs++) {
      before.time.observe(timeMs)
      before.opened.put(`k${timeMs % 40}`, timeMs, timeMs)
    }
    await before.commit()
    const after = new OpenStore(ttlStore('t', { ...options, ttlMs: otherMs }), engine)
    after.time.observe(1_000)
    const oldestMs = Math.max(0, 1_001 - otherMs) // older than anything that lived before
    expect(after.opened.put('oldest', oldestMs, oldestMs)).toBe(true)
    const values = [oldestMs, ...Array.from({ length: 40 }, (_, i) => 960 + i)]
    for (let timeMs = 1_000; timeMs < otherMs + 1_200; timeMs++) {
      after.time.observe(timeMs)
      const live = [...after.opened.range()].map(([, value]) => value)
      expect(live.toSorted((a, b) => a - b)).toEqual(
        values.filter((value) => timeMs < value + otherMs),
      )
    }
    await after.commit()
    expect([...after.slots.cleanScan({})].map(([slot]) => slot)).toEqual(['b'])
  }
})

test('a changelog that lost the bounds and old rows still makes a whole store', async () => {
  const { open, slots } = opened()
  open.opened.put('a', 1, 100)
  await slots()
  open.slots.delete('b')
  await open.restart()
  open.time.observe(100)
  expect(open.opened.get('a')).toBe(1)
  open.time.observe(1_000)
  open.opened.get('a')
  expect(await slots()).toEqual(['b'])
})

test('refuses values, times and options that cannot be', () => {
  const { open } = opened()
  expect(() => open.opened.put('a', undefined as never, 1)).toThrow(TypeError)
  for (const timeMs of [-1, 0.5, NaN, Infinity]) {
    expect(() => open.opened.put('a', 1, timeMs)).toThrow(RangeError)
  }
  expect([...open.opened.range()]).toEqual([])
  for (const bad of [0, -1, 0.5, Infinity, NaN, 1e18]) {
    const make = () => ttlStore('x', { ...options, ttlMs: bad })
    expect(make).toThrow(/store x: ttlMs is .* from 1 to 9007199254740991$/)
  }
  expect(() => ttlStore('x', { ...options, changelogRetentionMs: 199 })).toThrow(/Retention/)
})

test('its changelog is compacted, and cut by age only where asked for', () => {
  expect(store.changelog).toEqual({ cleanupPolicy: 'compact' })
  expect(ttlStore('x', { ...options, changelogRetentionMs: 500 }).changelog).toEqual({
    cleanupPolicy: 'compact,delete',
    retentionMs: 500,
  })
})
