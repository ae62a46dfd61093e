/**
 * A snapshot of what an instance does, as plain numbers: the source of `/metrics` and the console.
 *
 * Counters only rise over the life of the process; gauges are as of now. Times are in ms.
 */

import type { TaskCounters } from '../task/task-counters.ts'
import type { ApplicationState } from './application-state.ts'
import type { CommitTimings } from './commit-timings.ts'
import type { RestoreProgress } from './restore-progress.ts'
import type { RunningTask } from './task-manager.ts'

export interface RuntimeMetrics {
  readonly state: ApplicationState
  readonly counters: Readonly<Omit<TaskCounters, never>>
  readonly tasks: number
  /** Assigned and being restored: not counted in `tasks` yet. */
  readonly openingTasks: number
  readonly reopenings: number
  readonly commits: number
  readonly commitAverageMs: number
  readonly commitTotalsMs: { readonly send: number; readonly end: number; readonly apply: number }
  readonly lagRecords: number
  readonly bufferedRecords: number
  readonly openEffects: number
  readonly restore: {
    readonly isRunning: boolean
    readonly offsetsTotal: number
    readonly recordsRestored: number
  }
}

export interface MetricsSources {
  readonly state: ApplicationState
  readonly counters: TaskCounters
  readonly timings: CommitTimings
  readonly progress: RestoreProgress
  readonly running: readonly RunningTask[]
  readonly openingTasks: number
  readonly reopenings: number
}

export const runtimeMetrics = (sources: MetricsSources): RuntimeMetrics => {
  const { state, counters, timings, progress, running, openingTasks, reopenings } = sources
  const { commits, averageMs, totals } = timings
  const inputs = running.flatMap(({ task }) => task.inputs)
  return {
    state,
    counters: { ...counters },
    tasks: running.length,
    openingTasks,
    reopenings,
    commits,
    commitAverageMs: averageMs,
    commitTotalsMs: { send: totals.sendMs, end: totals.endMs, apply: totals.applyMs },
    lagRecords: running.length === 0 ? -1 : inputs.reduce((sum, { queue }) => sum + queue.lag, 0),
    bufferedRecords: running.reduce((sum, { task }) => sum + task.bufferedRecords, 0),
    openEffects: running.reduce((sum, { effects }) => sum + effects.openCount, 0),
    restore: {
      isRunning: progress.isRunning,
      offsetsTotal: progress.offsetsTotal,
      recordsRestored: progress.recordsRestored,
    },
  }
}
