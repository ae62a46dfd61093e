/**
 * Goal: a record is all or nothing, and the pipeline works again after it.
 * Method: three branches, one of which throws after a store write and a staged output.
 * Invariants: (1) a throw anywhere leaves stores, outputs and effect requests as before the record;
 * (2) siblings after the throw do not run; (3) the error names task, node, record; (4) outputs over
 * any input with failures equal those over the same input without the failing records.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { config, map, Observable, type OperatorFunction, pipe, tap } from 'rxjs'
import {
  aggregate,
  effect,
  filter,
  json,
  keyValueStore,
  mapValues,
  merge,
  outboxStore,
  process,
  stream,
  to,
  topology,
  utf8,
} from '../../src/index.ts'
import { TopologyRunner } from './run-topology.ts'
import { type Item, numbers, others, out, second } from './shared.ts'

const totals = keyValueStore('totals', { key: utf8, value: json<number>() })
const seen = keyValueStore('seen', { key: utf8, value: json<number>() })
const outbox = outboxStore('outbox', { key: utf8, value: json<number>() })

const failOn13 = (value: number): number => {
  if (value === 13) throw new Error('unlucky')
  return value
}

const failOn13InMap = (): OperatorFunction<Item, Item> =>
  map((record) => record.withValue(failOn13(record.value)))

/** The throw happens after a store write and a staged output, and before a sibling. */
const threeBranches = (failing: () => OperatorFunction<Item, Item>, calls: string[] = []) =>
  topology('three', () => {
    const totals$ = stream(numbers).pipe(
      aggregate(
        totals,
        () => 0,
        (sum, value) => sum + value,
      ),
      mapValues((sum) => sum),
    )
    const input$ = totals$.pipe(filter(() => true))
    return [
      input$.pipe(to(out)),
      input$.pipe(failing(), to(second)),
      input$.pipe(
        process(
          'sibling',
          { seen },
          {
            onRecord({ key, value }, { seen }) {
              calls.push(key)
              seen.put(key, value)
              return []
            },
          },
        ),
      ),
    ]
  })

const failures: [string, () => OperatorFunction<Item, Item>, string][] = [
  ['our node', () => mapValues(failOn13), 'map-values-2'],
  ['a plain map', failOn13InMap, 'rxjs-1'],
  ['a plain tap before a node that throws', () => pipe(tap(), mapValues(failOn13)), 'map-values-2'],
  [
    'a process generator',
    () =>
      process(
        'gen',
        {},
        {
          *onRecord({ value }) {
            yield failOn13(value)
          },
        },
      ),
    'gen',
  ],
]

describe.each(failures)('a throw in %s', (_, failing, node) => {
  test('undoes stores and outputs, stops siblings, and the next record works', () => {
    const calls: string[] = []
    const runner = new TopologyRunner(threeBranches(failing, calls))
    expect(runner.pipe(numbers, 'a', 3)).toBeUndefined()
    const error = runner.pipe(numbers, 'a', 10) // 3 + 10 = 13
    expect(error).toMatchObject({ code: 'STREAMS_PROCESSING', node, taskId: '0_0' })
    expect(error?.message).toContain(`task 0_0, node ${node}, record numbers-0@0: unlucky`)
    expect(calls).toEqual(['a'])
    expect(runner.store(totals).get('a')).toBe(3)
    expect(runner.pipe(numbers, 'a', 1)).toBeUndefined()
    expect([runner.values(out), runner.values(second)]).toEqual([
      [3, 4],
      [3, 4],
    ])
    expect(runner.store(seen).get('a')).toBe(4)
  })

  test('leaves what a run without the failing records leaves', () => {
    const inputs = fc.array(fc.tuple(fc.constantFrom('a', 'b'), fc.integer({ min: -5, max: 13 })))
    fc.assert(
      fc.property(inputs, (records) => {
        const runner = new TopologyRunner(threeBranches(failing))
        const good = records.filter(
          ([key, value]) => runner.pipe(numbers, key, value) === undefined,
        )
        const oracle = new TopologyRunner(threeBranches(() => mapValues((value) => value)))
        for (const [key, value] of good) oracle.pipe(numbers, key, value)
        for (const topic of [out, second]) expect(runner.read(topic)).toEqual(oracle.read(topic))
        for (const store of [totals, seen]) {
          expect([...runner.store(store).range()]).toEqual([...oracle.store(store).range()])
        }
      }),
    )
  })
})

test('a throw takes back the request of an effect and its number', () => {
  const runner = new TopologyRunner(
    topology('effects', () => {
      const numbers$ = stream(numbers)
      return [
        numbers$.pipe(effect(outbox, async (value) => value)),
        numbers$.pipe(mapValues(failOn13), to(out)),
      ]
    }),
  )
  runner.pipe(numbers, 'a', 13)
  expect(runner.task().effectRequests).toEqual([])
  expect([...runner.store(outbox).rows()]).toEqual([])
  runner.pipe(numbers, 'a', 1)
  expect([...runner.store(outbox).rows()]).toMatchObject([{ seq: 1, request: 1 }])
  expect(runner.task().effectRequests).toHaveLength(1)
})

test('a throw in a punctuation undoes it alone, and its records reach the nodes below', () => {
  let isBroken = true
  const runner = new TopologyRunner(
    topology('punctuation', () => [
      stream(numbers).pipe(
        process(
          'tick',
          { seen },
          {
            onRecord: () => [],
            punctuators: {
              count: {
                everyMs: 10,
                on: 'wallClock',
                *run(timeMs, { seen }) {
                  seen.put('ticks', (seen.get('ticks') ?? 0) + 1)
                  yield ['ticks', timeMs]
                },
              },
            },
          },
        ),
        mapValues((timeMs) => {
          if (isBroken) throw new Error('below')
          return timeMs
        }),
        to(out),
      ),
    ]),
  )
  runner.advanceWallClockTo(0)
  expect(runner.advanceWallClockTo(10)).toMatchObject({ node: 'map-values-1' })
  expect(runner.store(seen).get('ticks')).toBeUndefined()
  isBroken = false
  expect(runner.advanceWallClockTo(20)).toBeUndefined()
  expect(runner.store(seen).get('ticks')).toBe(1)
  expect(runner.read(out)).toMatchObject([{ key: 'ticks', value: 20, timestampMs: 20 }])
})

test('a throw swallowed by a bare subscribe fails the record and stops its siblings', async () => {
  const reported: unknown[] = []
  const seenBySibling: number[] = []
  config.onUnhandledError = (error) => reported.push(error) // else it ends the process
  const bare = (source: Observable<Item>) =>
    new Observable<Item>((subscriber) => {
      source.subscribe({ next: (record) => subscriber.next(record) })
    })
  const runner = new TopologyRunner(
    topology('swallow', () => {
      const numbers$ = stream(numbers)
      const sibling = mapValues((value: number) => {
        seenBySibling.push(value)
        return value
      })
      return [numbers$.pipe(bare, mapValues(failOn13), to(out)), numbers$.pipe(sibling, to(second))]
    }),
  )
  expect(runner.pipe(numbers, 'a', 13)).toMatchObject({ node: 'map-values-1' })
  expect(runner.pipe(numbers, 'a', 1)).toBeUndefined()
  expect([runner.values(out), runner.values(second), seenBySibling]).toEqual([[1], [1], [1]])
  await sleep(5) // RxJS reports, and reads its config, in a timer
  expect(reported).toHaveLength(1)
  config.onUnhandledError = null
})

test('merge keeps push order; siblings run depth-first in declaration order', () => {
  const order: string[] = []
  const note = (name: string) =>
    mapValues((value: number) => {
      order.push(name)
      return value
    })
  const runner = new TopologyRunner(
    topology('t', () => {
      const both$ = merge(stream(numbers), stream(others))
      const first$ = both$.pipe(note('1'))
      return [both$.pipe(note('2'), to(second)), first$.pipe(note('1.1'), to(out))]
    }),
  )
  runner.pipe(numbers, 'k', 1)
  runner.pipe(others, 'k', 2)
  expect(order.join(' ')).toBe('1 1.1 2 1 1.1 2')
  expect(runner.values(out)).toEqual([1, 2])
})
