/** Commit schedule, positions, configuration: the runtime's pure parts. */

import { describe, expect, test } from 'vitest'
import {
  decodePosition,
  encodePosition,
  judgePosition,
  type Position,
} from '../../state/position.ts'
import { resolveConfig } from '../../src/runtime-config.ts'
import { CommitSchedule } from '../../src/runtime/commit-schedule.ts'
import { CommitTimings } from '../../src/runtime/commit-timings.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'

describe('CommitSchedule', () => {
  const config = resolveConfig({ commitIntervalMs: 100, commitMinIntervalMs: 5 })

  test('caught up: soon, after a rest as long as commits; under load: at the interval', () => {
    const [clock, timings] = [new ManualClock(0), new CommitTimings()]
    const schedule = new CommitSchedule(clock, config, timings)
    expect(schedule.dueInMs(true)).toBe(-Infinity)
    schedule.started()
    expect([schedule.dueInMs(true), schedule.dueInMs(false)]).toEqual([5, 100])
    clock.advanceBy(20)
    timings.observe({ sendMs: 10, endMs: 5, applyMs: 5 })
    schedule.ended()
    expect([schedule.dueInMs(true), schedule.dueInMs(false)]).toEqual([4, 80])
    clock.advanceBy(4)
    expect(schedule.dueInMs(true)).toBe(0)
  })

  test('a commit that takes longer than the interval is followed by the next at once', () => {
    const [clock, timings] = [new ManualClock(0), new CommitTimings()]
    const schedule = new CommitSchedule(clock, config, timings)
    schedule.started()
    clock.advanceBy(1_000)
    timings.observe({ sendMs: 900, endMs: 50, applyMs: 50 })
    schedule.ended()
    expect(schedule.dueInMs(true)).toBe(-900)
    expect(schedule.dueInMs(false)).toBe(-900)
  })

  test('so many waiting records make it due at once', () => {
    const schedule = new CommitSchedule(
      new ManualClock(0),
      resolveConfig({ commitRecordsMax: 10 }),
      new CommitTimings(),
    )
    schedule.started()
    schedule.processed(9)
    expect(schedule.isBackedUp).toBe(false)
    schedule.processed(1)
    expect([schedule.isBackedUp, schedule.dueInMs(false)]).toEqual([true, 0])
  })
})

describe('positions', () => {
  const position: Position = {
    clusterId: 'c',
    topicId: 't',
    leaderEpoch: 3,
    offset: 100n,
    appliedAtMs: 1_000,
  }
  const facts = {
    clusterId: 'c',
    topicId: 't',
    leaderEpoch: 3,
    logStartOffset: 0n,
    highWatermark: 150n,
    deleteRetentionMs: 10_000,
    marginMs: 1_000,
    nowMs: 2_000,
  }

  test('come back as they went', () => {
    expect(decodePosition(encodePosition(position))).toEqual(position)
    expect(() => decodePosition(Buffer.from('{"v":9}'))).toThrow('unreadable')
  })

  test.each([
    ['nothing stored', undefined, {}, 'restoreFromStart'],
    ['all well', position, {}, 'resume'],
    ['another cluster', position, { clusterId: 'x' }, 'refuse'],
    ['the topic was made again', position, { topicId: 'x' }, 'refuse'],
    ['past the end', position, { highWatermark: 99n }, 'wipe'],
    ['before the start', position, { logStartOffset: 101n }, 'wipe'],
    ['an epoch that the broker does not know', position, { leaderEpoch: 2 }, 'wipe'],
    ['too old, with a gap', position, { nowMs: 10_500 }, 'wipe'],
    [
      'old, but only the last marker is missing',
      position,
      { nowMs: 10_500, highWatermark: 101n },
      'resume',
    ],
  ] as const)('%s', (_name, stored, change, verdict) => {
    expect(judgePosition(stored, { ...facts, ...change }).verdict).toBe(verdict)
  })
})

describe('resolveConfig', () => {
  test('says what is out of bounds, unknown, or contradictory', () => {
    expect(() => resolveConfig({ commitIntervalMs: -1 })).toThrow('from 1 to 600000')
    expect(() => resolveConfig({ commitIntervalMs: Number.NaN })).toThrow('commitIntervalMs')
    expect(() => resolveConfig({ commitIntervall: 1 } as never)).toThrow('commitIntervall')
    expect(() => resolveConfig({ heartbeatIntervalMs: 5_000, sessionTimeoutMs: 6_000 })).toThrow(
      'a third',
    )
  })
})
