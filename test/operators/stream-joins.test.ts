/**
 * Goal: inner and outer windowed joins equal their definition for windows of any two sides, and
 * forget their rows. (The left join with equal sides has its own test; joins of late records equal
 * the recorded cases of Kafka Streams in `test/vectors`.)
 * Method: random records of two keys on both sides with commits and restarts in between, against
 * all pairs of records that were not late.
 * Invariants: (1) partners are those in the window that were alive; (2) with an outer join a record
 * is joined or reported, never both; (3) late records do nothing but count.
 */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  joinStore,
  json,
  joinWithin,
  outerJoinWithin,
  stream,
  to,
  topic,
  type Topology,
  topology,
  utf8,
} from '../../src/index.ts'
import { TopologyRunner } from '../topology/run-topology.ts'
import { numbers, others } from '../topology/shared.ts'

const joined = topic('joined', { key: utf8, value: json<string>() })
const text = (left?: number, right?: number): string => `${left ?? '-'}+${right ?? '-'}`

interface Window {
  readonly beforeMs: number
  readonly afterMs: number
  readonly graceMs: number
}

const windows: readonly Window[] = [
  { beforeMs: 0, afterMs: 100, graceMs: 28 },
  { beforeMs: 90, afterMs: 10, graceMs: 0 },
  { beforeMs: -20, afterMs: 120, graceMs: 8 },
  { beforeMs: 128, afterMs: -30, graceMs: 64 },
  { beforeMs: 0, afterMs: 0, graceMs: 0 },
]

const topologyOf = (kind: 'inner' | 'outer', window: Window): Topology => {
  const store = joinStore('sides', {
    key: utf8,
    left: numbers.value,
    right: others.value,
    ...window,
  })
  return topology(kind, () => {
    const join = kind === 'inner' ? joinWithin : outerJoinWithin
    return [stream(numbers).pipe(join(stream(others), store, text), to(joined))]
  })
}

interface Step {
  readonly side: 'left' | 'right'
  readonly key: string
  readonly timestampMs: number
  readonly after: 'go on' | 'commit' | 'restart'
}

const step: fc.Arbitrary<Step> = fc.record({
  side: fc.constantFrom('left', 'right'),
  key: fc.constantFrom('a', 'b'),
  timestampMs: fc.integer({ min: 0, max: 500 }),
  after: fc.constantFrom('go on', 'go on', 'commit', 'restart'),
})

/** Pairs, and records that are over at the end, from the whole list of arrivals. */
const oracle = (steps: readonly Step[], kind: string, window: Window): string[] => {
  const { beforeMs, afterMs, graceMs } = window
  const retainMs = {
    left: Math.max(0, afterMs) + graceMs,
    right: Math.max(0, beforeMs) + graceMs,
  }
  const stepMs = Math.max(1, Math.floor(Math.max(retainMs.left, retainMs.right) / 64))
  let maxMs = -Infinity
  const streamMs = steps.map(({ timestampMs }) => (maxMs = Math.max(maxMs, timestampMs)))
  const keptFromMs = (i: number, side: 'left' | 'right'): number =>
    Math.floor((streamMs[i]! - retainMs[side]) / stepMs) * stepMs
  const isLate = (i: number): boolean => {
    const { side, timestampMs } = steps[i]!
    return timestampMs + retainMs[side] < streamMs[i]!
  }
  const outputs: string[] = []
  const met = new Set<number>()
  for (let i = 0; i < steps.length; i++) {
    for (let j = 0; j < i; j++) {
      const [now, before] = [steps[i]!, steps[j]!]
      if (isLate(i) || isLate(j) || now.key !== before.key || now.side === before.side) continue
      const [left, right] = now.side === 'left' ? [i, j] : [j, i]
      const distanceMs = steps[right]!.timestampMs - steps[left]!.timestampMs
      if (distanceMs < -beforeMs || distanceMs > afterMs) continue
      if (before.timestampMs < keptFromMs(i, before.side)) continue
      met.add(i).add(j)
      const pairMs = Math.max(now.timestampMs, before.timestampMs)
      outputs.push(`${now.key} ${text(left, right)} ${pairMs}`)
    }
  }
  if (kind === 'inner') return outputs.sort()
  for (const [i, { side, key, timestampMs }] of steps.entries()) {
    const isOver = steps.some((_, j) => j > i && timestampMs < keptFromMs(j, side))
    if (isLate(i) || met.has(i) || !isOver) continue
    outputs.push(`${key} ${side === 'left' ? text(i) : text(undefined, i)} ${timestampMs}`)
  }
  return outputs.sort()
}

test.each([
  ...windows.map((window) => ['inner', window] as const),
  ...windows.map((window) => ['outer', window] as const),
])('%s join with %o equals the oracle', async (kind, window) => {
  const joining = topologyOf(kind, window)
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const runner = new TopologyRunner(joining)
      let streamTimeMs = -Infinity
      for (const [i, { side, key, timestampMs, after }] of steps.entries()) {
        streamTimeMs = Math.max(streamTimeMs, timestampMs)
        runner.pipe(side === 'left' ? numbers : others, key, i, timestampMs)
        if (after === 'commit') await runner.commit()
        if (after !== 'restart') continue
        await runner.restart()
        runner.pipe(numbers, 'clock', -1, streamTimeMs) // stream time is the task's to keep
      }
      const outputs = runner
        .read(joined)
        .filter(({ key }) => key !== 'clock')
        .map(({ key, value, timestampMs }) => `${key} ${value} ${timestampMs}`)
      expect(outputs.sort()).toEqual(oracle(steps, kind, window))
    }),
    { numRuns: 60 },
  )
})

test('a partner must be as much older as a negative bound says, at time 0 too', () => {
  const runner = new TopologyRunner(topologyOf('inner', windows[3]!))
  runner.pipe(others, 'a', 0, 0)
  runner.pipe(numbers, 'a', 1, 0)
  expect(runner.values(joined)).toEqual([])
  runner.pipe(numbers, 'a', 2, 30)
  expect(runner.values(joined)).toEqual(['2+0'])
})

test('an outer join reports the right side before the left at equal times', () => {
  const runner = new TopologyRunner(topologyOf('outer', windows[0]!))
  runner.pipe(numbers, 'b', 1, 50)
  runner.pipe(others, 'c', 2, 50)
  runner.pipe(numbers, 'a', 3, 50)
  runner.pipe(numbers, 'clock', 0, 1_000)
  expect(runner.values(joined)).toEqual(['-+2', '3+-', '1+-'])
})

test('without a value, or a key on a side that is not kept, a record is dropped', () => {
  const runner = new TopologyRunner(topologyOf('inner', windows[0]!))
  runner.pipe(numbers, undefined, 1, 50)
  runner.pipe(others, undefined, 1, 50)
  expect(runner.dropped).toEqual(['sides nullKey', 'sides nullKey'])
  const outer = new TopologyRunner(topologyOf('outer', windows[0]!))
  outer.pipe(numbers, undefined, 1, 50)
  outer.pipe(others, undefined, 2, 50)
  expect(outer.values(joined)).toEqual(['1+-', '-+2'])
})

test.each(['drop', 'join'] as const)('with lateRecords %s rows are forgotten', (lateRecords) => {
  const store = joinStore('sides', {
    key: utf8,
    left: numbers.value,
    right: others.value,
    withinMs: 50,
    graceMs: 10,
    lateRecords,
  })
  const runner = new TopologyRunner(
    topology('forgetting', () => [
      stream(numbers).pipe(outerJoinWithin(stream(others), store, text), to(joined)),
    ]),
  )
  const rows = (): number => [...runner.task().slots.get('sides')!.scan({})].length
  let most = 0
  for (let i = 0; i < 4_000; i++) {
    // the right side falls behind and stops, the left one goes on
    const isRight = i % 3 === 0 && i < 2_000
    runner.pipe(isRight ? others : numbers, `k${i % 100}`, i, isRight ? i - 5 : i)
    if (i % 40 === 0) most = Math.max(most, rows())
  }
  expect(most).toBeLessThan(700)
  expect(rows()).toBeLessThan(400)
})

test.each([
  { withinMs: -1, graceMs: 0 },
  { withinMs: 1, graceMs: -1 },
  { withinMs: 1, graceMs: Infinity },
  { beforeMs: -5, afterMs: 4, graceMs: 0 },
  { beforeMs: 5, graceMs: 0 },
  { graceMs: 0 },
  { withinMs: 1, graceMs: 0, reportIntervalMs: -1 },
])('the window %o is refused', (window) => {
  const serdes = { key: utf8, left: utf8, right: utf8 }
  expect(() => joinStore('w', { ...serdes, ...window })).toThrow(RangeError)
})
