/**
 * Goal: what windowed aggregates add to Kafka Streams' behaviour, or do otherwise; the rest is
 * compared with recordings in test/vectors. See docs/semantics.md.
 */

import { describe, expect, test } from 'vitest'
import {
  aggregate,
  cogroup,
  count,
  type EmitOptions,
  folding,
  hopping,
  json,
  nullable,
  reduce,
  session,
  sliding,
  type StoreQuery,
  stream,
  tableStore,
  to,
  topic,
  topology,
  tumbling,
  utf8,
  windowed,
  windowedStore,
  type WindowedReader,
  type WindowRow,
  type WindowedStore,
  type Windows,
} from '../../src/index.ts'
import { TopologyDriver } from '../../src/testing/index.ts'
import { numbers, others } from '../topology/shared.ts'

const counts = topic('counts', { key: windowed(utf8), value: nullable(json<number>()) })
const serdes = { key: utf8, value: json<number>() }

const counting = <W extends Windows>(
  store: WindowedStore<string, number, W>,
  options: EmitOptions = {},
): TopologyDriver =>
  new TopologyDriver(
    topology('t', () => [stream(numbers).pipe(count(store as never, options), to(counts))]),
  )

const feed = (driver: TopologyDriver, times: readonly number[], key = 'k'): void => {
  for (const timestampMs of times) driver.pipe(numbers, key, 1, { timestampMs })
}

/** `key[start,end)=count` */
const seen = (driver: TopologyDriver): readonly string[] =>
  driver
    .read(counts)
    .map(({ key, value }) => `${key.key}[${key.startMs},${key.endMs})=${value ?? 'none'}`)

const onClose = { emit: 'onClose', emitIntervalMs: 0 } as const

describe('emit on close', () => {
  const windows = tumbling({ sizeMs: 10, graceMs: 5 })

  test('loses no window when stream time jumps, unlike Kafka Streams', () => {
    const driver = counting(windowedStore('w', { ...serdes, windows }), onClose)
    feed(driver, [3, 4, 12, 100_000])
    expect(seen(driver)).toEqual(['k[0,10)=2', 'k[10,20)=1'])
  })

  test('with a retention of its own a store keeps to it, as in Kafka Streams', () => {
    const driver = counting(windowedStore('w', { ...serdes, windows, retentionMs: 15 }), onClose)
    feed(driver, [3, 4, 12, 100_000])
    expect(seen(driver)).toEqual([])
  })

  test('waits for the interval on the wall clock, and emits the rest with the next record', () => {
    const driver = counting(windowedStore('w', { ...serdes, windows }), { emit: 'onClose' })
    feed(driver, [3]) // uses up the first look
    feed(driver, [25, 40])
    expect(seen(driver)).toEqual([])
    driver.advanceWallClock(1_000)
    feed(driver, [41])
    expect(seen(driver)).toEqual(['k[0,10)=1', 'k[20,30)=1'])
  })

  test('does not wait for ever once the wall clock was set back', () => {
    const driver = counting(windowedStore('w', { ...serdes, windows }), { emit: 'onClose' })
    driver.advanceWallClock(1_000_000)
    feed(driver, [3])
    driver.clock.stepWallClock(-900_000)
    feed(driver, [25])
    expect(seen(driver)).toEqual(['k[0,10)=1'])
  })

  test('emits each window once, whatever restarts come between', () => {
    const driver = counting(windowedStore('w', { ...serdes, windows }), onClose)
    for (const timestampMs of [3, 12, 18, 31, 33, 50, 51]) {
      driver.restart()
      feed(driver, [timestampMs])
    }
    expect(seen(driver)).toEqual(['k[0,10)=1', 'k[10,20)=2', 'k[30,40)=2'])
  })
})

describe('state', () => {
  test('is forgotten: rows of closed windows do not pile up', () => {
    const windows = hopping({ sizeMs: 100, advanceMs: 50, graceMs: 0 })
    const store = windowedStore('w', { ...serdes, windows })
    const driver = counting(store)
    for (let i = 0; i < 500; i++) feed(driver, [i * 10], `key-${i % 7}`)
    expect(rowsOf(driver, store)).toBeLessThanOrEqual(7 * 3)
    expect(driver.query(store).partitions()[0]!.get('key-0', 0)).toBeUndefined()
  })

  test('of sessions and of sliding windows neither', () => {
    for (const windows of [
      session({ gapMs: 5, graceMs: 10 }),
      sliding({ withinMs: 5, graceMs: 10 }),
    ]) {
      const store = windowedStore('w', { ...serdes, windows })
      const driver = counting(store as WindowedStore<string, number>)
      for (let i = 0; i < 500; i++) feed(driver, [i * 10], `key-${i % 7}`)
      expect(rowsOf(driver, store as WindowedStore<string, number>)).toBeLessThanOrEqual(9)
    }
  })

  test('is read by key, by key and time, and by time', () => {
    const windows = tumbling({ sizeMs: 10, graceMs: 100 })
    const store = windowedStore('w', { ...serdes, windows })
    const driver = counting(store)
    feed(driver, [1, 12, 13, 25], 'a')
    feed(driver, [14], 'b')
    const [reader] = driver.query(store).partitions()
    expect(reader!.get('a', 10)).toBe(2)
    expect(reader!.get('c', 10)).toBeUndefined()
    const keys = (rows: Iterable<WindowRow<string, number>>): readonly unknown[] =>
      [...rows].map(([{ key, startMs }, { value }]) => [key, startMs, value])
    expect(keys(reader!.fetch('a', 5, 21))).toEqual([
      ['a', 10, 2],
      ['a', 20, 1],
    ])
    expect(keys(reader!.all(10, 20))).toEqual([
      ['a', 10, 2],
      ['b', 10, 1],
    ])
  })

  const rowsOf = (driver: TopologyDriver, store: WindowedStore<string, number>): number => {
    const query = driver.query(store) as StoreQuery<WindowedReader<string, number>>
    return [...query.partitions()[0]!.all(0, Number.MAX_SAFE_INTEGER)].length
  }
})

describe('late and null records', () => {
  test('are dropped and counted, each window on its own', () => {
    const windows = hopping({ sizeMs: 20, advanceMs: 10, graceMs: 0 })
    const driver = counting(windowedStore('w', { ...serdes, windows }))
    feed(driver, [35])
    seen(driver)
    feed(driver, [19]) // [0,20) is over, [10,30) too
    feed(driver, [25]) // [10,30) is over, [20,40) is not
    expect(seen(driver)).toEqual(['k[20,40)=2'])
    expect(driver.counters.droppedLate).toBe(3)
  })

  test('reduce drops nulls in every kind of window: there is nothing to combine', () => {
    const maybe = topic('maybe', { key: utf8, value: nullable(json<number>()) })
    const store = windowedStore('w', { ...serdes, windows: tumbling({ sizeMs: 10, graceMs: 0 }) })
    const driver = new TopologyDriver(
      topology('t', () => [
        stream(maybe).pipe(
          reduce(store, (a, b) => a + b),
          to(counts),
        ),
      ]),
    )
    for (const value of [3, undefined, 4]) driver.pipe(maybe, 'k', value, { timestampMs: 1 })
    expect(seen(driver)).toEqual(['k[0,10)=3', 'k[0,10)=7'])
    expect(driver.counters.droppedNullValue).toBe(1)
  })

  test('a fold that throws leaves neither a window nor stream time behind', () => {
    const store = windowedStore('w', { ...serdes, windows: tumbling({ sizeMs: 10, graceMs: 0 }) })
    const add = (sum: number, value: number): number => {
      if (value < 0) throw new Error('negative')
      return sum + value
    }
    const driver = new TopologyDriver(
      topology('t', () => [
        stream(numbers).pipe(
          aggregate(store, () => 0, add),
          to(counts),
        ),
      ]),
      { config: { retryAttemptsMax: 1 } },
    )
    driver.pipe(numbers, 'k', 1, { timestampMs: 5 })
    driver.pipe(numbers, 'k', -1, { timestampMs: 500 })
    driver.pipe(numbers, 'k', 1, { timestampMs: 6 })
    expect(driver.deadLetters()).toHaveLength(1)
    expect(seen(driver)).toEqual(['k[0,10)=1', 'k[0,10)=2'])
  })
})

describe('cogroup', () => {
  const store = windowedStore('w', { ...serdes, windows: tumbling({ sizeMs: 10, graceMs: 0 }) })
  const both = (options: EmitOptions): TopologyDriver =>
    new TopologyDriver(
      topology('t', () => [
        cogroup(
          store,
          () => 0,
          options,
          folding(stream(numbers), (sum, value) => sum + value),
          folding(stream(others), (sum, value) => sum - value),
        ).pipe(to(counts)),
      ]),
    )

  test('measures lateness by input, so that a fast stream does not hold back a slow one', () => {
    const driver = both({})
    driver.pipe(numbers, 'k', 5, { timestampMs: 100 })
    driver.pipe(others, 'k', 2, { timestampMs: 3 })
    expect(seen(driver)).toEqual(['k[100,110)=5', 'k[0,10)=-2'])
  })

  test('measures it by all where a window is emitted once', () => {
    const driver = both(onClose)
    driver.pipe(numbers, 'k', 5, { timestampMs: 1 })
    driver.pipe(others, 'k', 2, { timestampMs: 3 })
    driver.pipe(numbers, 'k', 5, { timestampMs: 100 })
    driver.pipe(others, 'k', 2, { timestampMs: 4 })
    expect(seen(driver)).toEqual(['k[0,10)=3'])
    expect(driver.counters.droppedLate).toBe(1)
  })
})

describe('bad arguments', () => {
  const bad: readonly (readonly [string, () => unknown])[] = [
    ['a size of 0', () => tumbling({ sizeMs: 0, graceMs: 0 })],
    ['a negative grace', () => tumbling({ sizeMs: 1, graceMs: -1 })],
    ['a fraction', () => tumbling({ sizeMs: 1.5, graceMs: 0 })],
    ['an advance above the size', () => hopping({ sizeMs: 5, advanceMs: 6, graceMs: 0 })],
    ['an advance of 0', () => hopping({ sizeMs: 5, advanceMs: 0, graceMs: 0 })],
    ['sliding windows of 0', () => sliding({ withinMs: 0, graceMs: 0 })],
    ['a negative gap', () => session({ gapMs: -1, graceMs: 0 })],
    ['not a number', () => session({ gapMs: Number.NaN, graceMs: 0 })],
    [
      'a retention shorter than windows are open',
      () =>
        windowedStore('w', {
          ...serdes,
          windows: tumbling({ sizeMs: 10, graceMs: 5 }),
          retentionMs: 14,
        }),
    ],
    [
      'a negative interval',
      () =>
        counting(windowedStore('w', { ...serdes, windows: tumbling({ sizeMs: 1, graceMs: 0 }) }), {
          emit: 'onClose',
          emitIntervalMs: -1,
        }),
    ],
  ]
  for (const [name, make] of bad) test(name, () => expect(make).toThrow(RangeError))
})

test('all windows of a key are written to the partition of the key', () => {
  const store = windowedStore('w', { ...serdes, windows: tumbling({ sizeMs: 10, graceMs: 0 }) })
  const [again, byWindow] = [
    topic('again', { key: windowed(utf8), value: nullable(json<number>()) }),
    windowedStore('by-window', { ...serdes, windows: tumbling({ sizeMs: 10, graceMs: 0 }) }),
  ]
  const rows = tableStore('rows', { key: windowed(utf8), value: json<number>() })
  const driver = new TopologyDriver(
    topology('t', () => [
      stream(numbers).pipe(count(store), to(again)),
      stream(again).pipe(count(rows)),
      stream(others).pipe(count(byWindow)),
    ]),
    { partitions: 7 },
  )
  for (let i = 0; i < 20; i++) driver.pipe(numbers, 'k', 1, { timestampMs: i * 10 })
  driver.pipe(others, 'k', 1, { timestampMs: 0 })
  const partitionsOf = (readers: readonly { readonly partition: number }[], isUsed: boolean[]) =>
    readers.filter((_reader, i) => isUsed[i]).map(({ partition }) => partition)
  const windows = driver.query(rows).byPartition()
  const keys = driver.query(byWindow).byPartition()
  const used = partitionsOf(
    windows,
    windows.map(({ reader }) => [...reader.range()].length > 0),
  )
  const ofKey = partitionsOf(
    keys,
    keys.map(({ reader }) => reader.get('k', 0) !== undefined),
  )
  expect(used).toEqual(ofKey)
  expect(used).toHaveLength(1)
})
