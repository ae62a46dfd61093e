/** Punctuation schedules, offset metadata, failure policy: small pure parts of a task. */

import { describe, expect, test } from 'vitest'
import { RecordError } from '../../src/errors/classes.ts'
import { resolveConfig } from '../../src/runtime-config.ts'
import { FailurePolicy } from '../../src/task/failure-policy.ts'
import {
  decodeOffsetMetadata,
  encodeOffsetMetadata,
  mergeOffsetMetadata,
} from '../../src/task/offset-metadata.ts'
import { PunctuationSchedule } from '../../src/task/punctuation-schedule.ts'
import type { Punctuator } from '../../src/topology/punctuator.ts'

const hourly = { name: 'n.hourly', everyMs: 60, on: 'wallClock' } as unknown as Punctuator

describe('PunctuationSchedule', () => {
  test('fires one interval after the time first seen, and once for a jump over many', () => {
    const schedule = new PunctuationSchedule()
    const fired: number[] = []
    for (const nowMs of [1_000, 1_059, 1_060, 1_061, 9_000, 9_001, 9_060]) {
      if (!schedule.isDue(hourly, nowMs)) continue
      schedule.fired(hourly, nowMs)
      fired.push(nowMs)
    }
    expect(fired).toEqual([1_060, 9_000, 9_060])
  })

  test('a restored schedule neither repeats nor forgets', () => {
    const schedule = new PunctuationSchedule({ 'n.hourly': 500 })
    expect(schedule.isDue(hourly, 499)).toBe(false)
    expect(schedule.isDue(hourly, 500)).toBe(true)
  })

  test('on the wall clock never waits longer than its interval: the clock was set back', () => {
    const schedule = new PunctuationSchedule({ 'n.hourly': 9_000 })
    expect(schedule.isDue(hourly, 1_000)).toBe(false)
    expect(schedule.isDue(hourly, 1_059)).toBe(false)
    expect(schedule.isDue(hourly, 1_060)).toBe(true)
    const onStream = { ...hourly, on: 'streamTime' } as Punctuator
    const other = new PunctuationSchedule({ 'n.hourly': 9_000 })
    expect(other.isDue(onStream, 1_000)).toBe(false)
    expect(other.isDue(onStream, 8_999)).toBe(false)
  })

  const firedAt = (punctuator: Punctuator, times: readonly number[]): readonly number[] => {
    const schedule = new PunctuationSchedule()
    return times.filter((nowMs) => {
      const isDue = schedule.isDue(punctuator, nowMs)
      if (isDue) schedule.fired(punctuator, nowMs)
      return isDue
    })
  }

  test('aligned, fires at multiples on stream time, and with the first record', () => {
    const aligned = { ...hourly, on: 'streamTime', aligned: true } as Punctuator
    expect(firedAt(aligned, [70, 119, 120, 121, 179, 181, 500, 539, 540])).toEqual([
      70, 120, 181, 500, 540,
    ])
  })

  test('aligned, keeps its rhythm on the wall clock, and begins anew when that is set back', () => {
    const aligned = { ...hourly, aligned: true } as Punctuator
    expect(firedAt(aligned, [1_000, 1_060, 1_075, 1_119, 1_120, 1_301, 1_359, 1_360])).toEqual([
      1_060, 1_120, 1_301, 1_360,
    ])
    expect(firedAt(aligned, [9_000, 1_000, 1_059, 1_060])).toEqual([1_060])
  })

  test('nothing is scheduled before stream time is known', () => {
    const schedule = new PunctuationSchedule()
    expect(schedule.isDue(hourly, -Infinity)).toBe(false)
    expect(schedule.toJSON()).toEqual({})
  })
})

describe('offset metadata', () => {
  test('comes back as it went', () => {
    const metadata = { streamTimeMs: 42, latestNowMs: 7, schedules: { 'n.hourly': 99 } }
    expect(decodeOffsetMetadata(encodeOffsetMetadata(metadata))).toEqual(metadata)
    const unknown = { streamTimeMs: -Infinity, latestNowMs: -Infinity, schedules: {} }
    expect(decodeOffsetMetadata(encodeOffsetMetadata(unknown))).toEqual(unknown)
  })

  test('of an earlier release has no clock', () => {
    expect(decodeOffsetMetadata('{"v":1,"t":5,"p":{"a":1}}')).toEqual({
      streamTimeMs: 5,
      latestNowMs: -Infinity,
      schedules: { a: 1 },
    })
  })

  test.each(['', 'by another tool', '{"v":1,', '{"v":2,"t":1}'])('%j says nothing', (text) => {
    expect(decodeOffsetMetadata(text)).toEqual({
      streamTimeMs: -Infinity,
      latestNowMs: -Infinity,
      schedules: {},
    })
  })

  test('of several partitions the later wins, per entry', () => {
    expect(
      mergeOffsetMetadata(
        { streamTimeMs: 5, latestNowMs: 8, schedules: { a: 1, b: 9 } },
        { streamTimeMs: 7, latestNowMs: 6, schedules: { a: 3 } },
      ),
    ).toEqual({ streamTimeMs: 7, latestNowMs: 8, schedules: { a: 3, b: 9 } })
  })
})

describe('FailurePolicy', () => {
  const error = new RecordError(
    'STREAMS_PROCESSING',
    { taskId: '0_0', node: 'n', position: { topic: 't', partition: 0, offset: 0n } },
    'boom',
  )

  test('retries back off, doubling to the bound, then the dead letters', () => {
    const policy = new FailurePolicy(
      resolveConfig({
        onProcessingError: 'retry',
        retryAttemptsMax: 5,
        retryBackoffMs: 100,
        retryBackoffMaxMs: 300,
      }),
    )
    const verdicts = Array.from({ length: 5 }, () => policy.judge(error))
    expect(verdicts).toEqual([
      { kind: 'retry', backoffMs: 100 },
      { kind: 'retry', backoffMs: 200 },
      { kind: 'retry', backoffMs: 300 },
      { kind: 'retry', backoffMs: 300 },
      { kind: 'deadLetter', attempts: 5, failureClass: 'transient' },
    ])
    expect(policy.judge(error)).toMatchObject({ kind: 'retry', backoffMs: 100 })
  })

  test('attempts are counted per record', () => {
    const policy = new FailurePolicy(
      resolveConfig({
        onProcessingError: 'retry',
        retryAttemptsMax: 2,
      }),
    )
    expect(policy.judge(error).kind).toBe('retry')
    policy.passed()
    expect(policy.judge(error).kind).toBe('retry')
  })

  test.each(['fail', 'skip', 'deadLetter'] as const)('%s is carried out at once', (answer) => {
    expect(new FailurePolicy(resolveConfig({ onProcessingError: answer })).judge(error).kind).toBe(
      answer,
    )
  })
})
