/** Goal: branch, flatMap, flatMapValues, mapRecord and toDynamic by their visible effects. */

import { describe, expect, test } from 'vitest'
import {
  aggregate,
  branch,
  filter,
  flatMap,
  flatMapValues,
  json,
  keyValueStore,
  mapRecord,
  repartitionBy,
  repartitionTopic,
  stream,
  to,
  toDynamic,
  topic,
  topology,
  utf8,
} from '../../src/index.ts'
import { TopologyDriver } from '../../src/testing/index.ts'
import { codeOf, numbers, others, out, runnerOf, second } from '../topology/shared.ts'

const sums = keyValueStore('sums', { key: utf8, value: json<number>() })
const byName = repartitionTopic('by-name', { key: utf8, value: json<number>() })

describe('branch', () => {
  const split = topology('split', () => {
    const branches = branch(stream(numbers), {
      even: ({ value }) => value % 2 === 0,
      big: ({ value }) => value > 5,
    })
    return [branches.even.pipe(to(out)), branches.big.pipe(to(second))]
  })

  test('sends a record to the first branch that takes it, and drops what none does', () => {
    const driver = new TopologyDriver(split)
    for (const value of [1, 2, 7, 8]) driver.pipe(numbers, 'k', value)
    expect([driver.values(out), driver.values(second)]).toEqual([[2, 8], [7]])
  })

  test('draws a node per branch behind the one that asks', () => {
    expect(split.plan.nodes.map(({ name }) => name)).toEqual([
      'numbers',
      'branch-1',
      'branch-even',
      'branch-big',
      'to-out',
      'to-second',
    ])
  })

  test('needs names, and refuses numbers, whose order is not the written one', () => {
    const build = (tests: Record<string, () => boolean>) => () =>
      topology('t', () => Object.values(branch(stream(numbers), tests)))
    expect(codeOf(build({}))).toBe('STREAMS_TOPOLOGY_INVALID')
    expect(codeOf(build({ 1: () => true }))).toBe('STREAMS_TOPOLOGY_INVALID')
  })

  test('refuses a branch nobody uses', () => {
    expect(
      codeOf(() =>
        topology('t', () => {
          const { yes } = branch(stream(numbers), { yes: () => true, no: () => true })
          return [yes.pipe(to(out))]
        }),
      ),
    ).toBe('STREAMS_TOPOLOGY_INVALID')
  })
})

describe('flatMapValues', () => {
  test('emits each value under the key, and nothing for none', () => {
    const runner = runnerOf((numbers$) =>
      numbers$.pipe(flatMapValues((value) => Array.from({ length: value }, (_, i) => value + i))),
    )
    for (const value of [0, 2]) runner.pipe(numbers, 'k', value, 7)
    expect(runner.read(out)).toMatchObject([
      { key: 'k', value: 2, timestampMs: 7 },
      { key: 'k', value: 3, timestampMs: 7 },
    ])
  })

  test('a throw between two values undoes the record', () => {
    const runner = runnerOf((numbers$) =>
      numbers$.pipe(
        flatMapValues(function* (value) {
          yield value
          if (value === 2) throw new Error('no')
        }),
      ),
    )
    runner.pipe(numbers, 'k', 1)
    expect(runner.pipe(numbers, 'k', 2)).toBeDefined()
    expect(runner.values(out)).toEqual([1])
  })
})

describe('new keys', () => {
  test('flatMap and mapRecord keep time, and may be written at once', () => {
    const driver = new TopologyDriver(
      topology('t', () => {
        const numbers$ = stream(numbers)
        const pairs$ = numbers$.pipe(
          flatMap(({ key, value }): [string, number][] => [
            [`${key}-a`, value],
            [`${key}-b`, -value],
          ]),
        )
        const swapped$ = numbers$.pipe(mapRecord(({ key, value }) => [`${value}`, key.length]))
        return [pairs$.pipe(to(out)), swapped$.pipe(to(second))]
      }),
    )
    driver.pipe(numbers, 'kk', 5, { timestampMs: 9 })
    expect(driver.read(out)).toMatchObject([
      { key: 'kk-a', value: 5, timestampMs: 9 },
      { key: 'kk-b', value: -5, timestampMs: 9 },
    ])
    expect(driver.read(second)).toMatchObject([{ key: '5', value: 2, timestampMs: 9 }])
  })

  const summed = (isRepartitioned: boolean) => () =>
    topology('t', () => {
      const renamed$ = stream(numbers).pipe(
        mapRecord(({ key, value }) => [key.toUpperCase(), value]),
        filter(({ value }) => value > 0),
      )
      const safe$ = isRepartitioned
        ? renamed$.pipe(repartitionBy(byName, ({ key }) => key))
        : renamed$
      const add = (sum: number, value: number): number => sum + value
      return [
        safe$.pipe(
          aggregate(sums, () => 0, add),
          to(out),
        ),
      ]
    })

  test('are refused by state until they are repartitioned', () => {
    expect(codeOf(summed(false))).toBe('STREAMS_TOPOLOGY_INVALID')
    expect(summed(false)).toThrow(/map-record-1 changed: put repartitionBy/)
    const driver = new TopologyDriver(summed(true)())
    for (const key of ['a', 'A']) driver.pipe(numbers, key, 2)
    expect(driver.read(out)).toMatchObject([
      { key: 'A', value: 2 },
      { key: 'A', value: 4 },
    ])
  })
})

describe('toDynamic', () => {
  const unlisted = topic('unlisted', { key: utf8, value: json<number>() })
  const choosing = topology('t', () => [
    stream(numbers).pipe(
      toDynamic([out, second], ({ value }) => {
        if (value === 0) return undefined
        if (value > 100) return unlisted
        return value > 5 ? second : out
      }),
    ),
  ])

  test('writes to the chosen topic, and nothing for none', () => {
    const driver = new TopologyDriver(choosing)
    for (const value of [0, 1, 9]) driver.pipe(numbers, 'k', value)
    expect([driver.values(out), driver.values(second)]).toEqual([[1], [9]])
  })

  test('shows every topic in the plan', () => {
    expect(choosing.plan.subTopologies[0]!.sinkTopics).toEqual(['out', 'second'])
  })

  test('stops the task for a topic that is not listed', () => {
    const driver = new TopologyDriver(choosing)
    expect(codeOf(() => driver.pipe(numbers, 'k', 101))).toBe('STREAMS_TOPOLOGY_INVALID')
  })

  test('needs a topic', () => {
    const build = () => topology('t', () => [stream(others).pipe(toDynamic([], () => undefined))])
    expect(codeOf(build)).toBe('STREAMS_TOPOLOGY_INVALID')
  })
})
