/**
 * Goal: bad input has the result that `docs/bad-input.md` says, in every operator that keeps state.
 * Method: one bad record goes into each input of each family of the metamorphic tests; before and
 * after it what is kept and written is compared.
 */

import { describe, expect, test } from 'vitest'
import {
  aggregate,
  hopping,
  joinStore,
  json,
  keyValueStore,
  mapValues,
  process,
  session,
  sliding,
  stream,
  to,
  topic,
  topology,
  tumbling,
  utf8,
  versionedStore,
  waitingStore,
  windowedStore,
  windowStore,
} from '../../src/index.ts'
import { TopologyDriver } from '../../src/testing/index.ts'
import { families } from '../metamorphic/families.ts'
import { seenIn } from '../metamorphic/story.ts'

const known = families({ graceMs: 12, emitIntervalMs: 0 })
const startMs = 1_000_000
const hourMs = 3_600_000

describe('a bad record leaves nothing but its dead letter', () => {
  const badRecords: Readonly<Record<string, readonly [value: string, timestampMs: number]>> = {
    'negative time': ['5', -1],
    'far future': ['5', startMs + hourMs + 1],
    'farthest future': ['5', Number.MAX_SAFE_INTEGER],
    'bytes the serde refuses': ['{', startMs],
  }
  describe.each(Object.entries(badRecords))('%s', (_what, [value, timestampMs]) => {
    test.each(known)('%s', (_name, family) => {
      const driver = new TopologyDriver(family.topology, { startMs })
      for (const input of family.inputs) driver.pipe(input, 'a', 3, { timestampMs: startMs })
      const before = seenIn(family, driver)
      for (const input of family.inputs) {
        driver.pipeBytes(input, Buffer.from('a'), Buffer.from(value), { timestampMs })
        expect(driver.deadLetters()).toMatchObject([{ value: Buffer.from(value) }])
      }
      expect(seenIn(family, driver)).toEqual({ ...before, outputs: [] })
      // time stands where it was: a record of before is as good as it would have been
      const fresh = new TopologyDriver(family.topology, { startMs })
      for (const input of family.inputs) fresh.pipe(input, 'a', 3, { timestampMs: startMs })
      seenIn(family, fresh)
      for (const each of [driver, fresh]) {
        for (const input of family.inputs) each.pipe(input, 'a', 4, { timestampMs: startMs + 1 })
      }
      expect(seenIn(family, driver)).toEqual(seenIn(family, fresh))
    })
  })
})

describe('a record without a key', () => {
  /** Joined with nothing, by name of the family and index of the input. */
  const alone = [
    'leftJoinWithin, late records drop 0',
    'leftJoinWithin, late records join 0',
    'outerJoinWithin, late records drop 0',
    'outerJoinWithin, late records drop 1',
    'outerJoinWithin, late records join 0',
    'outerJoinWithin, late records join 1',
    'leftJoinTable with history 0',
    'leftJoinTable that waits 0',
  ]
  test.each(known)('%s', (name, family) => {
    for (const [index, input] of family.inputs.entries()) {
      const driver = new TopologyDriver(family.topology)
      driver.pipeBytes(input, null, Buffer.from('5'), { timestampMs: 1 })
      const { outputs, stores } = seenIn(family, driver)
      const isAlone = alone.includes(`${name} ${index}`)
      const isPassed = isAlone || name === 'distinctBy'
      expect(outputs).toHaveLength(isPassed ? 1 : 0)
      expect(driver.deadLetters()).toEqual([])
      if (name === 'distinctBy') continue // its id was made of no key
      expect(Object.values(stores).flat()).toEqual([])
      const isDropped = !isPassed && !name.startsWith('process')
      expect(driver.counters.droppedNullKey).toBe(isDropped ? 1 : 0)
    }
  })
})

const numbers = topic('numbers', { key: utf8, value: json<number>() })
const picky = {
  ...json<number>(),
  format: 'picky',
  encode: (value: number): Uint8Array => {
    if (value > 5) throw new RangeError('more than 5')
    return Buffer.from(String(value))
  },
  encodeRaw: undefined as never,
}
Reflect.deleteProperty(picky, 'encodeRaw')

test('an output that its serde refuses is a dead letter of the input, and undoes its state', () => {
  const sums = keyValueStore('sums', { key: utf8, value: json<number>() })
  const pickyOut = topic('picky-out', { key: utf8, value: picky })
  const driver = new TopologyDriver(
    topology('t', () => [
      stream(numbers).pipe(
        aggregate(
          sums,
          () => 0,
          (sum, value) => sum + value,
        ),
        to(pickyOut),
      ),
    ]),
  )
  for (const value of [3, 4, 2]) driver.pipe(numbers, 'a', value)
  expect(driver.values(pickyOut)).toEqual([3, 5])
  expect(driver.query(sums).get('a')).toBe(5)
  expect(driver.deadLetters()).toMatchObject([{ value: Buffer.from('4') }])
})

test('a row that the serde of its store refuses stops the instance', () => {
  const sums = keyValueStore('sums', { key: utf8, value: picky })
  const driver = new TopologyDriver(
    topology('t', () => [
      stream(numbers).pipe(
        aggregate(
          sums,
          () => 0,
          (sum, value) => sum + value,
        ),
      ),
    ]),
  )
  driver.pipe(numbers, 'a', 3)
  expect(() => driver.pipe(numbers, 'a', 4)).toThrow(
    expect.objectContaining({
      code: 'STREAMS_HANDLER_FAILED',
      action: 'stop',
      message: expect.stringContaining('store sums: a value cannot be encoded: more than 5'),
    }),
  )
  expect(driver.query(sums).get('a')).toBe(3)
})

const out = topic('out', numbers)
const copying = topology('copying', () => [
  stream(numbers).pipe(
    mapValues((value) => value + 1),
    to(out),
  ),
])

test('a null value is a dead letter where the serde takes none', () => {
  const driver = new TopologyDriver(copying)
  driver.pipeBytes(numbers, Buffer.from('a'), null)
  expect(driver.deadLetters()).toMatchObject([{ value: null }])
})

test.each([1.5, 2 ** 52])('an output at %s ms is a dead letter of the input', (timestampMs) => {
  const driver = new TopologyDriver(copying, { startMs: 2 ** 52 })
  driver.pipe(numbers, 'a', 1, { timestampMs: 2 ** 52 - 1 })
  expect(driver.read(out)).toMatchObject([{ value: 2, timestampMs: 2 ** 52 - 1 }])
  driver.pipe(numbers, 'a', 1, { timestampMs })
  expect(driver.values(out)).toEqual([])
  const [dead] = driver.deadLetters()
  expect(dead!.headers['__streams.errors.message']).toContain(
    `timestamp ${timestampMs} is not a whole number of ms from 0 to 4503599627370495`,
  )
})

describe('definitions that cannot be', () => {
  const serdes = { key: utf8, value: json<number>() }
  const sides = { key: utf8, left: serdes.value, right: serdes.value }
  const tumbled = tumbling({ sizeMs: 10, graceMs: 5 })
  const bad: Readonly<Record<string, () => unknown>> = {
    'size 0': () => tumbling({ sizeMs: 0, graceMs: 0 }),
    'negative size': () => tumbling({ sizeMs: -1, graceMs: 0 }),
    'advance 0': () => hopping({ sizeMs: 10, advanceMs: 0, graceMs: 0 }),
    'advance above the size': () => hopping({ sizeMs: 10, advanceMs: 11, graceMs: 0 }),
    'width 0': () => sliding({ withinMs: 0, graceMs: 0 }),
    'negative gap': () => session({ gapMs: -1, graceMs: 0 }),
    'negative grace': () => session({ gapMs: 1, graceMs: -1 }),
    'half a ms': () => tumbling({ sizeMs: 1.5, graceMs: 0 }),
    'grace beyond retention': () =>
      windowedStore('s', { ...serdes, windows: tumbled, retentionMs: 14 }),
    'join without a span': () => joinStore('s', { ...sides, graceMs: 0 }),
    'join of half a ms': () => joinStore('s', { ...sides, withinMs: 0.5, graceMs: 0 }),
    'join with half a ms of grace': () => joinStore('s', { ...sides, withinMs: 1, graceMs: 0.5 }),
    'join from a fraction': () =>
      joinStore('s', { ...sides, beforeMs: -0.5, afterMs: 1.5, graceMs: 0 }),
    'waiting half a ms': () => waitingStore('s', { ...serdes, graceMs: 0.5 }),
    'history of a fraction': () => versionedStore('s', { ...serdes, historyRetentionMs: 1.5 }),
    'history of nothing': () => versionedStore('s', { ...serdes, historyRetentionMs: 0 }),
    'windows kept for nothing': () => windowStore('s', { ...serdes, retentionMs: 0 }),
  }
  test.each(Object.entries(bad))('%s', (_name, make) => expect(make).toThrow(RangeError))

  test.each([0, -1, Number.NaN, 0.5])('a punctuator each %s ms', (everyMs) => {
    const tick = { everyMs, on: 'streamTime', run: () => [] } as const
    const make = () =>
      topology('t', () => [
        stream(numbers).pipe(process('p', {}, { onRecord: () => [], punctuators: { tick } })),
      ])
    expect(make).toThrow(/punctuator p.tick: everyMs is .*, it must be at least 1/)
  })

  test('a session gap of 0 is legal', () => {
    expect(session({ gapMs: 0, graceMs: 0 })).toMatchObject({ gapMs: 0 })
  })
})
