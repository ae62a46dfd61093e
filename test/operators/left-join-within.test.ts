/**
 * Goal: leftJoinWithin equals its definition, for any order of arrival, over commits and restarts.
 * Method: random records of two keys on both sides, with commits, restarts and failing records in
 * between; the oracle looks at all pairs of accepted records and never at buckets or indexes.
 * Invariants: (1) two records meet exactly if they are at most `withinMs` apart and the earlier
 * arrived one was not dead when the later one came; (2) a left record is reported alone at most
 * once, and never if it met a partner; (3) late records do nothing but count.
 */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  joinStore,
  json,
  leftJoinWithin,
  stream,
  to,
  topic,
  topology,
  utf8,
} from '../../src/index.ts'
import { TopologyRunner } from '../topology/run-topology.ts'
import { numbers, others } from '../topology/shared.ts'

const joined = topic('joined', { key: utf8, value: json<string>() })
const store = joinStore('waiting', {
  key: utf8,
  left: json<number>(),
  right: json<number>(),
  withinMs: 200,
  graceMs: 56,
})
const retainMs = 256
const stepMs = 4 // a 64th of 256

const joinThem = topology('join', () => [
  stream(numbers).pipe(
    leftJoinWithin(stream(others), store, (left, right) => {
      if (right === -1) throw new Error('poison')
      return `${left}+${right ?? 'none'}`
    }),
    to(joined),
  ),
])

interface Step {
  readonly side: 'left' | 'right'
  readonly key: string
  readonly timestampMs: number
  readonly after: 'go on' | 'commit' | 'restart'
}

const step: fc.Arbitrary<Step> = fc.record({
  side: fc.constantFrom('left', 'right'),
  key: fc.constantFrom('a', 'b'),
  timestampMs: fc.integer({ min: 0, max: 900 }),
  after: fc.constantFrom('go on', 'go on', 'commit', 'restart'),
})

/** Everything a record could meet or report, computed from the whole list of arrivals. */
const oracle = (steps: readonly Step[]): { outputs: string[]; late: number } => {
  const streamTimes = steps.map((_, i) =>
    Math.max(...steps.slice(0, i + 1).map(({ timestampMs }) => timestampMs)),
  )
  const keptFrom = (i: number): number => Math.floor((streamTimes[i]! - retainMs) / stepMs) * stepMs
  const isLate = (i: number): boolean => steps[i]!.timestampMs + retainMs < streamTimes[i]!
  const meet = (first: number, later: number): boolean => {
    const [a, b] = [steps[first]!, steps[later]!]
    return (
      !isLate(first)
      && !isLate(later)
      && a.key === b.key
      && a.side !== b.side
      && Math.abs(a.timestampMs - b.timestampMs) <= 200
      && a.timestampMs >= keptFrom(later)
    )
  }
  const outputs: string[] = []
  steps.forEach(({ side, key, timestampMs }, i) => {
    const partners = steps
      .map((_, j) => j)
      .filter((j) => (j < i ? meet(j, i) : j > i && meet(i, j)))
    for (const j of partners) {
      if (side === 'left') {
        outputs.push(`${key} ${i}+${j} ${Math.max(timestampMs, steps[j]!.timestampMs)}`)
      }
    }
    const end = steps.findIndex((_, j) => j > i && timestampMs < keptFrom(j))
    const isAlone = side === 'left' && !isLate(i) && partners.length === 0
    if (isAlone && end >= 0) outputs.push(`${key} ${i}+none ${timestampMs}`)
  })
  return { outputs: outputs.sort(), late: steps.filter((_, i) => isLate(i)).length }
}

test('equals the oracle', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const runner = new TopologyRunner(joinThem)
      let streamTimeMs = -Infinity
      let late = 0
      for (const [i, { side, key, timestampMs, after }] of steps.entries()) {
        streamTimeMs = Math.max(streamTimeMs, timestampMs)
        runner.pipe(side === 'left' ? numbers : others, key, i, timestampMs)
        if (after === 'commit') await runner.commit()
        if (after === 'restart') {
          late += runner.dropped.length
          await runner.restart()
          runner.pipe(numbers, 'clock', -1, streamTimeMs) // stream time is the task's to keep
        }
      }
      late += runner.dropped.length
      const outputs = runner
        .read(joined)
        .filter(({ key }) => key !== 'clock')
        .map(({ key, value, timestampMs }) => `${key} ${value} ${timestampMs}`)
        .sort()
      expect({ outputs, late }).toEqual(oracle(steps))
    }),
    { numRuns: 300 },
  )
})

test('a pair has the later timestamp, partners come oldest first', () => {
  const runner = new TopologyRunner(joinThem)
  runner.pipe(others, 'k', 3, 300)
  runner.pipe(others, 'k', 1, 100)
  runner.pipe(others, 'k', 2, 200)
  runner.pipe(numbers, 'k', 9, 250)
  expect(runner.read(joined)).toMatchObject([
    { value: '9+1', timestampMs: 250 },
    { value: '9+2', timestampMs: 250 },
    { value: '9+3', timestampMs: 300 },
  ])
})

test('a failed record leaves the join as it was: its partner still waits', () => {
  const runner = new TopologyRunner(joinThem)
  runner.pipe(numbers, 'k', 1, 0)
  expect(runner.pipe(others, 'k', -1, 10)?.node).toBe('waiting')
  runner.pipe(others, 'k', 2, 20)
  expect(runner.values(joined)).toEqual(['1+2'])
  runner.pipe(others, 'x', 3, 2_000)
  expect(runner.values(joined)).toEqual([])
})

test('a left record without a key is alone at once, a right one is dropped and counted', () => {
  const runner = new TopologyRunner(joinThem)
  runner.pipe(numbers, undefined, 1, 0)
  runner.pipe(others, undefined, 1, 0)
  expect(runner.values(joined)).toEqual(['1+none'])
  expect(runner.dropped).toEqual(['waiting nullKey'])
})

test('thousands that end at once are reported in portions, and every row is deleted', async () => {
  const runner = new TopologyRunner(joinThem)
  for (let i = 0; i < 2_500; i++) runner.pipe(numbers, `k${i}`, i, i % 50)
  const start = { timestampMs: 0, streamTimeMs: 0, nowMs: 0 }
  expect([...runner.store(store).expire('left', start)]).toEqual([])
  const portions: number[] = []
  for (let i = 0; i < 8; i++) {
    runner.pipe(others, 'clock', 0, 10_000 + i)
    portions.push(runner.values(joined).length)
  }
  expect(portions).toEqual([1_000, 1_000, 500, 0, 0, 0, 0, 0])
  await runner.commit()
  expect([...runner.task().slots.get('waiting')!.cleanScan({ lt: 'r' })]).toHaveLength(1) // bounds
  expect([...runner.task().slots.get('waiting')!.cleanScan({ gte: 'r' })]).toHaveLength(1)
})

test('rows that met a partner, or are on the right, are deleted bucket by bucket', () => {
  const runner = new TopologyRunner(joinThem)
  for (let i = 0; i < 1_500; i++) {
    runner.pipe(numbers, `k${i}`, i, i % 200)
    runner.pipe(others, `k${i}`, i, i % 200)
  }
  expect(runner.read(joined)).toHaveLength(1_500)
  const left: number[] = []
  for (const timestampMs of [300, 455, 456, 457]) {
    // the first bucket, 0 to 200, ends at 456
    runner.pipe(others, 'clock', 0, timestampMs)
    left.push([...runner.task().slots.get('waiting')!.scan({ gte: 'r', lt: 's' })].length)
  }
  expect(left).toEqual([1_501, 1_502, 502, 2])
  expect(runner.read(joined)).toEqual([])
})

test('a left row that met a partner is not reported with one of the same time that did not', () => {
  const runner = new TopologyRunner(joinThem)
  runner.pipe(others, 'k', 1, 0)
  runner.pipe(numbers, 'k', 2, 100) // meets 1
  runner.pipe(others, 'x', 3, 300) // 1 is over
  runner.pipe(numbers, 'k', 4, 100) // not late, meets nobody
  runner.pipe(others, 'x', 5, 1_000)
  expect(runner.values(joined)).toEqual(['2+1', '4+none'])
})

test.each([
  ['the bucket of its partner', 100, 320],
  ['another bucket', 210, 330],
])('the same if the partner came later, and lies in %s', (_, timestampMs, clockMs) => {
  const runner = new TopologyRunner(joinThem)
  runner.pipe(numbers, 'k', 1, timestampMs)
  runner.pipe(others, 'k', 2, 50) // meets 1
  runner.pipe(others, 'x', 3, clockMs) // 2 is over
  runner.pipe(numbers, 'k', 4, timestampMs) // not late, meets nobody
  runner.pipe(others, 'x', 5, 1_000)
  expect(runner.values(joined)).toEqual(['1+2', '4+none'])
})

test('a matched left row waits no more, whichever side came first', async () => {
  const runner = new TopologyRunner(joinThem)
  runner.pipe(numbers, 'a', 1, 0)
  runner.pipe(others, 'a', 1, 0)
  runner.pipe(others, 'b', 1, 0)
  runner.pipe(numbers, 'b', 1, 0)
  await runner.commit()
  expect([...runner.reader(store).waiting()]).toEqual([])
})

test('waiting rows can be queried once they are committed', async () => {
  const runner = new TopologyRunner(joinThem)
  runner.pipe(numbers, 'k', 7, 30)
  const reader = runner.reader(store)
  expect([...reader.waiting()]).toEqual([])
  await runner.commit()
  expect([...reader.waiting()]).toEqual([['k', 30]])
  expect(reader.get('k', 30)).toMatchObject({ left: [{ value: 7, timestampMs: 30 }], right: [] })
})
