/** Goal: processors: stores, outputs, context, and punctuators on both times. */

import { expect, test } from 'vitest'
import {
  json,
  keyValueStore,
  process,
  type ProcessContext,
  stream,
  to,
  topology,
  utf8,
} from '../../src/index.ts'
import { TopologyRunner } from '../topology/run-topology.ts'
import { numbers, out, runnerOf } from '../topology/shared.ts'

const pending = keyValueStore('pending', { key: utf8, value: json<number>() })

const reminders = (on: 'streamTime' | 'wallClock') =>
  topology('reminders', () => [
    stream(numbers).pipe(
      process(
        'remind',
        { pending },
        {
          onRecord({ key, value }, { pending }) {
            if (value === 13) throw new Error('unlucky')
            pending.put(key, value)
            return []
          },
          punctuators: {
            overdue: {
              everyMs: 100,
              on,
              *run(_timeMs, { pending }) {
                for (const [key, value] of pending.range()) {
                  pending.delete(key)
                  yield [key, value]
                }
              },
            },
          },
        },
      ),
      to(out),
    ),
  ])

test('a stream-time punctuator fires once its time is passed, and survives a rebuild', () => {
  const runner = new TopologyRunner(reminders('streamTime'))
  runner.pipe(numbers, 'a', 1, 0)
  expect(runner.pipe(numbers, 'x', 13, 50)?.node).toBe('remind')
  runner.pipe(numbers, 'b', 2, 90)
  expect(runner.values(out)).toEqual([])
  runner.pipe(numbers, 'c', 3, 100)
  expect(runner.read(out)).toMatchObject([
    { key: 'a', value: 1, timestampMs: 100 },
    { key: 'b', timestampMs: 100 },
    { key: 'c' },
  ])
})

test('a wall-clock punctuator fires by hand only', () => {
  const runner = new TopologyRunner(reminders('wallClock'))
  runner.advanceWallClockTo(1_000)
  runner.pipe(numbers, 'a', 1, 5_000)
  runner.advanceWallClockTo(1_099)
  expect(runner.values(out)).toEqual([])
  runner.advanceWallClockTo(1_100)
  expect(runner.values(out)).toEqual([1])
})

test('the context tells both times, how far the inputs are seen, and where it runs', () => {
  const seen: unknown[] = []
  const note = (context: ProcessContext): void => {
    const { taskId, partition } = context
    seen.push([context.nowMs(), context.streamTimeMs(), context.caughtUpToMs(), taskId, partition])
  }
  const runner = runnerOf(($) =>
    $.pipe(
      process(
        'p',
        {},
        {
          onRecord(_record, _stores, context) {
            note(context)
            return []
          },
          punctuators: {
            tick: {
              everyMs: 5,
              on: 'wallClock',
              run(_timeMs, _stores, context) {
                note(context)
                return []
              },
            },
          },
        },
      ),
    ),
  )
  runner.advanceWallClockTo(1_000)
  runner.pipe(numbers, 'k', 1, 77)
  runner.task().caughtUpMs = 990
  runner.advanceWallClockTo(1_005)
  expect(seen).toEqual([
    [1_000, 77, -Infinity, '0_0', 0],
    [1_005, 77, 990, '0_0', 0],
  ])
})

test('outputs keep key, time and headers; a generator interleaves them with its writes', () => {
  const runner = runnerOf(($) =>
    $.pipe(
      process(
        'p',
        { pending },
        {
          *onRecord({ key }, { pending }) {
            pending.put(key, 1)
            yield pending.get(key)!
            pending.put(key, 2)
            yield pending.get(key)!
          },
        },
      ),
    ),
  )
  runner.pipe(numbers, 'k', 0, 9)
  expect(runner.read(out)).toMatchObject([
    { key: 'k', value: 1, timestampMs: 9 },
    { key: 'k', value: 2, timestampMs: 9 },
  ])
})

test('one store under two names is one store', () => {
  const runner = runnerOf(($) =>
    $.pipe(
      process(
        'p',
        { a: pending, b: pending },
        {
          onRecord({ key, value }, { a, b }) {
            a.put(key, value)
            return [b.get(key)!]
          },
        },
      ),
    ),
  )
  runner.pipe(numbers, 'k', 4)
  expect(runner.values(out)).toEqual([4])
})
