/**
 * What one task has for the next commit, and what becomes of it: sealed, committed, applied.
 *
 * Owned by the task, which tells it what was processed. 1. Nothing leaves the task but by `seal`;
 * a sealed generation must be `applied` before the next is sealed. 2. Dead letters are counted
 * when they are committed, rows are seen by queries when they are applied.
 */

import type { Clock } from '../clock.ts'
import type { StreamTime } from '../stores/stream-time.ts'
import { AppliedInputs, inputOffsets } from './applied-inputs.ts'
import type { DeadLetters } from './dead-letters.ts'
import { encodeOffsetMetadata } from './offset-metadata.ts'
import type { PunctuationSchedule } from './punctuation-schedule.ts'
import type { RecordScope } from './record-scope.ts'
import { rowsApplied, sealedRows } from './sealed-rows.ts'
import type { TaskInput } from './task-input.ts'
import type { TaskStore } from './task-store.ts'
import type { TaskClock } from './task-clock.ts'
import type { TaskCounters } from './task-counters.ts'
import type { SealedStore, TaskGeneration } from './task-generation.ts'

export interface TaskCommitsOptions {
  readonly inputs: readonly TaskInput[]
  readonly stores: ReadonlyMap<string, TaskStore>
  readonly records: RecordScope
  readonly schedule: PunctuationSchedule
  readonly deadLetters: DeadLetters
  readonly counters: TaskCounters
  readonly time: StreamTime
  readonly taskClock: TaskClock
  readonly clock: Clock
}

export class TaskCommits {
  readonly appliedInputs: AppliedInputs
  readonly #options: TaskCommitsOptions
  #consumed = false
  /** On the monotonic clock. */
  #saveScheduleAtMs: number | undefined

  constructor(options: TaskCommitsOptions) {
    this.#options = options
    this.appliedInputs = new AppliedInputs(options.inputs, options.clock.nowMs())
  }

  /** An input moved, so its offset has to be committed. */
  consumed(): void {
    this.#consumed = true
  }

  /** A punctuation schedule moved: worth a commit of its own after so long; Infinity: of none. */
  saveScheduleWithin(saveWithinMs: number): void {
    const saveAtMs = this.#options.clock.monotonicMs() + saveWithinMs
    this.#saveScheduleAtMs = Math.min(saveAtMs, this.#saveScheduleAtMs ?? Infinity)
  }

  /** True if a commit would have something to say. */
  get hasUncommitted(): boolean {
    const { records, stores, clock } = this.#options
    if (this.#consumed || records.outputCount > 0) return true
    for (const { slots } of stores.values()) if (slots.dirtyCount > 0) return true
    const saveAtMs = this.#saveScheduleAtMs
    return saveAtMs !== undefined && clock.monotonicMs() >= saveAtMs
  }

  /** True if a stop should commit first: a schedule that must last may still wait its second. */
  get isWorthCommitting(): boolean {
    return this.hasUncommitted || (this.#saveScheduleAtMs ?? Infinity) < Infinity
  }

  /** As `StreamTask.seal`. */
  seal(nowMs: number): Omit<TaskGeneration, 'task'> | undefined {
    // a schedule that moved is something, though none to make a commit for at once
    if (!this.hasUncommitted && this.#saveScheduleAtMs === undefined) return undefined
    const { stores, schedule, deadLetters, records } = this.#options
    const sealed = [...stores.values()]
      .filter(({ slots }) => slots.dirtyCount > 0)
      .map((store) => ({ ...store, rows: sealedRows(store, nowMs) }))
      .filter(hasRows)
    this.#consumed = false
    this.appliedInputs.sealed()
    this.#saveScheduleAtMs = undefined
    schedule.saved()
    return {
      stores: sealed,
      deadLetters: deadLetters.takeTally(),
      offsets: this.offsets(),
      ...records.drain(),
    }
  }

  committed({ deadLetters }: TaskGeneration): void {
    const { counters } = this.#options
    counters.deadLetters += deadLetters.total
    counters.deadLettersBy.addAll(deadLetters)
  }

  applied({ offsets, stores }: TaskGeneration): void {
    stores.forEach(rowsApplied)
    this.appliedInputs.moved(offsets, this.#options.clock.nowMs())
  }

  offsets(): TaskGeneration['offsets'] {
    const { inputs, time, taskClock, schedule } = this.#options
    const metadata = encodeOffsetMetadata({
      streamTimeMs: time.ms,
      latestNowMs: taskClock.latestNowMs,
      schedules: schedule.toJSON(),
    })
    return inputOffsets(inputs).map((offset) => ({ ...offset, metadata }))
  }
}

/** Only missing rows were deleted: the store is as it was, and no transaction need tell of it. */
const hasRows = ({ slots, rows }: SealedStore): boolean => {
  if (rows.recordCount === 0) slots.applied()
  return rows.recordCount > 0
}
