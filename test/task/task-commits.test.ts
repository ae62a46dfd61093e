/** Goal: a schedule that moved makes a commit of its own only where it asked for one. */

import { expect, test } from 'vitest'
import { StreamTime } from '../../src/stores/stream-time.ts'
import { PunctuationSchedule } from '../../src/task/punctuation-schedule.ts'
import { RecordScope } from '../../src/task/record-scope.ts'
import { TaskCommits, type TaskCommitsOptions } from '../../src/task/task-commits.ts'
import { TaskCounters } from '../../src/task/task-counters.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'

const opened = (clock: ManualClock): TaskCommits =>
  new TaskCommits({
    inputs: [],
    stores: new Map(),
    records: new RecordScope(),
    schedule: new PunctuationSchedule(),
    counters: new TaskCounters(),
    time: new StreamTime(),
    clock,
  } as unknown as TaskCommitsOptions) // dead letters and the task's clock are asked by `seal` alone

test.each([
  [1_000, [true, true]],
  [Infinity, [false, false]],
])('within %d ms', (withinMs, [isWorthAtStop, isDue]) => {
  const clock = new ManualClock(0)
  const commits = opened(clock)
  expect([commits.hasUncommitted, commits.isWorthCommitting]).toEqual([false, false])
  commits.saveScheduleWithin(withinMs)
  expect([commits.hasUncommitted, commits.isWorthCommitting]).toEqual([false, isWorthAtStop])
  clock.advanceBy(1_000)
  expect(commits.hasUncommitted).toBe(isDue)
})
