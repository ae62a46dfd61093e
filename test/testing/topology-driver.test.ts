/**
 * Goal: the public driver runs a topology as production does: partitions, hops, time, restart.
 */

import { scan } from 'rxjs'
import { describe, expect, test } from 'vitest'
import {
  aggregate,
  effect,
  filter,
  json,
  keyValueStore,
  mapValues,
  outboxStore,
  process,
  repartitionBy,
  repartitionTopic,
  stream,
  type StreamRecord,
  to,
  topic,
  topology,
  utf8,
} from '../../src/index.ts'
import { TopologyDriver } from '../../src/testing/index.ts'

interface Sale {
  readonly shop: string
  readonly cents: number
}

const sales = topic('sales', { key: utf8, value: json<Sale>() })
const sales2 = topic('sales-2', { key: utf8, value: json<Sale>() })
const sales3 = topic('sales-3', { key: utf8, value: json<Sale>() })
const totals = topic('totals', { key: utf8, value: json<number>() })
const byShop = repartitionTopic('by-shop', { key: utf8, value: json<Sale>() })
const shopTotals = keyValueStore('shop-totals', { key: utf8, value: json<number>() })

const totalling = topology('totalling', () => [
  stream(sales).pipe(
    filter(({ value }) => value.cents !== 0),
    repartitionBy(byShop, ({ value }) => value.shop),
    aggregate(
      shopTotals,
      () => 0,
      (sum, { cents }) => {
        if (cents < 0) throw new Error('negative')
        return sum + cents
      },
    ),
    to(totals),
  ),
])

describe('partitions and repartition hops', () => {
  test.each([1, 4])('totals per shop meet whatever the partition count (%i)', (partitions) => {
    const driver = new TopologyDriver(totalling, { partitions })
    for (let i = 0; i < 30; i++) driver.pipe(sales, `s${i}`, { shop: `shop${i % 3}`, cents: 1 })
    const query = driver.query(shopTotals)
    expect(query.get('shop0')).toBe(10)
    expect([...query.range()].map(([, sum]) => sum)).toEqual([10, 10, 10])
    expect(driver.values(totals)).toHaveLength(30)
  })

  test('a record that fails leaves nothing but its dead letter, bytes unchanged', () => {
    const driver = new TopologyDriver(totalling, { partitions: 2 })
    driver.pipe(sales, 'a', { shop: 'x', cents: 5 })
    driver.pipe(sales, 'b', { shop: 'x', cents: -1 })
    driver.pipeBytes(sales, Buffer.from('c'), Buffer.from('{not json'))
    driver.pipe(sales, 'd', { shop: 'x', cents: 2 })
    expect(driver.query(shopTotals).get('x')).toBe(7)
    const letters = driver.deadLetters()
    expect(letters.map(({ value }) => Buffer.from(value!).toString())).toEqual([
      '{"shop":"x","cents":-1}',
      '{not json',
    ])
    expect(letters[0]!.headers).toMatchObject({
      '__streams.errors.topic': 'driver-by-shop-repartition',
      '__millrace.node': 'shop-totals',
      '__millrace.code': 'STREAMS_PROCESSING',
    })
    expect(letters[1]!.headers['__millrace.code']).toBe('STREAMS_DESERIALIZATION')
  })

  test('a restart keeps the state and processes nothing twice', () => {
    const driver = new TopologyDriver(totalling)
    driver.pipe(sales, 'a', { shop: 'x', cents: 5 })
    driver.restart()
    expect(driver.query(shopTotals).get('x')).toBe(5)
    driver.pipe(sales, 'b', { shop: 'x', cents: 1 })
    expect(driver.values(totals)).toEqual([5, 6])
  })

  test('a restart with another topology is refused as by a start, and changes nothing', () => {
    const driver = new TopologyDriver(totalling)
    driver.pipe(sales, 'a', { shop: 'x', cents: 5 })
    const copying = topology('copying', () => [stream(sales).pipe(to(sales2))])
    expect(() => driver.restart(copying)).toThrow(/store shop-totals is gone/)
    const shifted = topology('shifted', () => [
      stream(sales2).pipe(to(sales3)),
      ...totalling.define(),
    ])
    expect(() => driver.restart(shifted)).toThrow(/shop-totals moves to sub-topology 2/)
    driver.pipe(sales, 'b', { shop: 'x', cents: 1 })
    expect(driver.values(totals)).toEqual([5, 6])
  })
})

describe('time', () => {
  const reminders = topic('reminders', { key: utf8, value: json<number>() })
  const pending = keyValueStore('pending', { key: utf8, value: json<number>() })
  const reminding = topology('reminding', () => [
    stream(sales).pipe(
      process(
        'remember',
        { pending },
        {
          onRecord({ key, value }, { pending: rows }) {
            rows.put(key, value.cents)
            return []
          },
          punctuators: {
            remind: {
              everyMs: 1_000,
              on: 'wallClock',
              *run(timeMs, { pending: rows }) {
                for (const [key] of rows.range()) yield [key, timeMs] as const
              },
            },
          },
        },
      ),
      to(reminders),
    ),
  ])

  test('wall-clock punctuators fire at their times, and a restart keeps their rhythm', () => {
    const driver = new TopologyDriver(reminding)
    driver.pipe(sales, 'a', { shop: 'x', cents: 1 })
    driver.advanceWallClock(2_500)
    expect(driver.values(reminders)).toEqual([1_000, 2_000])
    driver.restart()
    driver.advanceWallClock(600)
    expect(driver.values(reminders)).toEqual([3_000])
  })

  test('a record far in the future is a dead letter and moves no stream time', () => {
    const driver = new TopologyDriver(totalling, { startMs: 1_000 })
    driver.pipe(sales, 'a', { shop: 'x', cents: 1 }, { timestampMs: 10 ** 13 })
    expect(driver.values(totals)).toEqual([])
    expect(driver.deadLetters()[0]!.headers['__millrace.code']).toBe('STREAMS_TIMESTAMP')
  })
})

describe('effects', () => {
  const charged = topic('charged', { key: utf8, value: json<string>() })
  const calls = outboxStore('calls', { key: utf8, value: json<Sale>() })
  const keysSeen: string[] = []
  const charging = topology('charging', () => [
    stream(sales).pipe(
      effect(calls, async ({ cents }: Sale, { idempotencyKey, attempt }) => {
        keysSeen.push(idempotencyKey)
        if (attempt === 1 && cents === 7) throw new Error('time-out')
        return `paid ${cents}`
      }),
      mapValues((result) => (result.kind === 'done' ? result.value : 'unknown')),
      to(charged),
    ),
  ])

  test('a call is made after the commit, retried with one key, and answers once', async () => {
    const driver = new TopologyDriver(charging)
    driver.pipe(sales, 'a', { shop: 'x', cents: 7 })
    await driver.settleEffects()
    expect(driver.values(charged)).toEqual([])
    driver.advanceWallClock(10_000)
    await driver.settleEffects()
    expect(driver.values(charged)).toEqual(['paid 7'])
    expect(new Set(keysSeen).size).toBe(1)
    expect(keysSeen).toHaveLength(2)
  })
})

test('deleting what is known to be missing is nothing to write, and no failure', () => {
  const dropping = topology('dropping', () => [
    stream(sales).pipe(
      process(
        'drop',
        { shopTotals },
        {
          onRecord({ key }, stores) {
            const before = stores.shopTotals.get(key) ?? 0
            stores.shopTotals.delete(key)
            return [before]
          },
        },
      ),
      to(totals),
    ),
  ])
  const driver = new TopologyDriver(dropping)
  for (let i = 0; i < 2; i++) driver.pipe(sales, 'a', { shop: 'x', cents: 1 })
  driver.restart()
  driver.pipe(sales, 'a', { shop: 'x', cents: 1 })
  expect(driver.values(totals)).toEqual([0, 0, 0])
})

test('rebuildBeforeEachRecord finds state that hides in memory', () => {
  const counts = topic('counts', { key: utf8, value: json<number>() })
  const hidden = topology('hidden', () => [
    stream(sales).pipe(
      scan(
        (sum: StreamRecord<string, number>, record: StreamRecord<string, Sale>) =>
          record.withValue((sum.value ?? 0) + record.value.cents),
        { value: 0 } as never,
      ),
      to(counts),
    ),
  ])
  const outputs = [false, true].map((rebuildBeforeEachRecord) => {
    const driver = new TopologyDriver(hidden, { rebuildBeforeEachRecord })
    for (const cents of [1, 2]) driver.pipe(sales, 'a', { shop: 'x', cents })
    return driver.values(counts)
  })
  expect(outputs[0]).toEqual([1, 3])
  expect(outputs[1]).not.toEqual(outputs[0])
})
