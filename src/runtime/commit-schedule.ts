/**
 * When the next commit is due.
 *
 * Under load: `commitIntervalMs` after the last one started, or when `commitRecordsMax` records
 * wait for it. Caught up: at once, but not within max(`commitMinIntervalMs`, the measured commit
 * time), so that low load has low latency, and a broker that is slow gets fewer commits.
 */

import type { Clock } from '../clock.ts'
import type { RuntimeConfig } from '../runtime-config.ts'
import type { CommitTimings } from './commit-timings.ts'

export class CommitSchedule {
  readonly #clock: Clock
  readonly #config: RuntimeConfig
  readonly #timings: CommitTimings
  #lastStartMs = -Infinity
  #recordsWaiting = 0

  constructor(clock: Clock, config: RuntimeConfig, timings: CommitTimings) {
    this.#clock = clock
    this.#config = config
    this.#timings = timings
  }

  processed(records: number): void {
    this.#recordsWaiting += records
  }

  started(): void {
    this.#lastStartMs = this.#clock.monotonicMs()
    this.#recordsWaiting = 0
  }

  /** True if so much waits that processing should wait for the commit in flight. */
  get isBackedUp(): boolean {
    return this.#recordsWaiting >= this.#config.commitRecordsMax
  }

  /** Ms until a commit is due; 0 or less: now. */
  dueInMs(isCaughtUp: boolean): number {
    if (this.isBackedUp) return 0
    const { commitIntervalMs, commitMinIntervalMs } = this.#config
    const interval = isCaughtUp
      ? Math.min(commitIntervalMs, Math.max(commitMinIntervalMs, this.#timings.averageMs))
      : commitIntervalMs
    return this.#lastStartMs + interval - this.#clock.monotonicMs()
  }
}
