/** Goal: suppress and distinctBy by their visible effects; recordings are in test/vectors. */

import { describe, expect, test } from 'vitest'
import {
  distinctBy,
  distinctStore,
  json,
  stream,
  suppress,
  suppressStore,
  to,
  topology,
  untilTimeLimit,
  utf8,
} from '../../src/index.ts'
import { TopologyDriver } from '../../src/testing/index.ts'
import { numbers, out } from '../topology/shared.ts'

describe('suppress', () => {
  const held = suppressStore('held', { key: utf8, value: json<number>() })
  const limited = (recordsMax?: number): TopologyDriver =>
    new TopologyDriver(
      topology('t', () => [
        stream(numbers).pipe(
          suppress(held, untilTimeLimit(10, recordsMax === undefined ? {} : { recordsMax })),
          to(out as never),
        ),
      ]),
    )

  test('keeps time and headers of the update that passes, through a restart', () => {
    const driver = limited()
    const headers = [
      { key: 'h', value: Buffer.from('x') },
      { key: 'n', value: null },
    ]
    driver.pipe(numbers, 'a', 1, { timestampMs: 5 })
    driver.pipe(numbers, 'a', 2, { timestampMs: 9, headers })
    driver.restart()
    expect(driver.query(held).partitions()[0]!.count()).toBe(1)
    driver.pipe(numbers, 'b', 3, { timestampMs: 15 })
    const [record, ...more] = driver.read(out)
    expect(more).toEqual([])
    expect(record).toMatchObject({ key: 'a', value: 2, timestampMs: 9 })
    expect(record!.headers.map(({ key, value }) => [key, value && `${value}`])).toEqual([
      ['h', 'x'],
      ['n', null],
    ])
    expect(driver.query(held).partitions()[0]!.get('b')).toMatchObject({ dueMs: 15, value: 3 })
  })

  test('with room for none everything passes at once', () => {
    const driver = limited(0)
    for (const value of [1, 2]) driver.pipe(numbers, 'a', value, { timestampMs: 5 })
    expect(driver.values(out)).toEqual([1, 2])
  })

  test('drops and counts records without a key; refuses bad limits', () => {
    const driver = limited()
    driver.pipeBytes(numbers, null, Buffer.from('1'))
    expect(driver.counters.droppedNullKey).toBe(1)
    expect(() => untilTimeLimit(-1)).toThrow(RangeError)
    expect(() => untilTimeLimit(1, { recordsMax: 0.5 })).toThrow(RangeError)
  })
})

describe('distinctBy', () => {
  const store = distinctStore('seen', { id: json<number>(), withinMs: 10, graceMs: 20 })
  const distinct = (): TopologyDriver =>
    new TopologyDriver(
      topology('t', () => [
        stream(numbers).pipe(
          distinctBy(store, ({ value }) => (value < 0 ? undefined : value)),
          to(out),
        ),
      ]),
    )
  const feed = (driver: TopologyDriver, ...records: readonly (readonly [number, number])[]) => {
    for (const [value, timestampMs] of records) driver.pipe(numbers, 'k', value, { timestampMs })
    return driver.read(out).map((record) => [record.value, record.timestampMs])
  }

  test('lets the first of an id pass, on both sides of time', () => {
    const driver = distinct()
    expect(feed(driver, [1, 50], [1, 60], [1, 40], [2, 50])).toEqual([
      [1, 50],
      [2, 50],
    ])
    expect(feed(driver, [1, 61], [1, 39], [1, 70], [1, 71])).toEqual([[1, 61]])
    expect(driver.counters.droppedRepeated).toBe(4)
    expect(driver.counters.droppedLate).toBe(1) // 39 is more than 20 behind 61
  })

  test('remembers through a restart, and forgets what can repeat no more', () => {
    const driver = distinct()
    feed(driver, [1, 50])
    driver.restart()
    expect(feed(driver, [1, 55])).toEqual([])
    for (let timestampMs = 60; timestampMs < 1_000; timestampMs += 10) {
      feed(driver, [timestampMs, timestampMs])
    }
    const [reader] = driver.query(store).partitions()
    expect(reader!.passed(1)).toEqual([])
    expect(reader!.passed(990)).toEqual([990])
    const kept = Array.from({ length: 94 }, (_, i) => reader!.passed(60 + 10 * i)).flat()
    expect(kept.length).toBeLessThanOrEqual(5)
  })

  test('drops and counts what has no id; refuses bad spans', () => {
    const driver = distinct()
    expect(feed(driver, [-1, 5])).toEqual([])
    expect(driver.counters.droppedNullKey).toBe(1)
    const bad = { id: utf8, withinMs: -1, graceMs: 0 }
    expect(() => distinctStore('s', bad)).toThrow(RangeError)
  })
})
