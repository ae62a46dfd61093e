/**
 * When the next commit is due.
 *
 * Under load: `commitIntervalMs` after the last one started, or when `commitRecordsMax` records
 * wait for it. Caught up: at once, so that low load has low latency, but not within
 * `commitMinIntervalMs` and not before a rest, a part of the measured commit time. Brokers answer a
 * moment before a transaction has ended everywhere: what comes in that moment is put off for much
 * longer (Kafka: 20 ms). And a broker that is slow gets fewer commits.
 */

import type { Clock } from '../clock.ts'
import type { RuntimeConfig } from '../runtime-config.ts'
import type { CommitTimings } from './commit-timings.ts'

export class CommitSchedule {
  readonly #clock: Clock
  readonly #config: RuntimeConfig
  readonly #timings: CommitTimings
  #lastStartMs = -Infinity
  #lastEndMs = -Infinity
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

  /** The transaction has: its rest runs while the store is written. */
  ended(): void {
    this.#lastEndMs = this.#clock.monotonicMs()
  }

  /** True if so much waits that processing should wait for the commit in flight. */
  get isBackedUp(): boolean {
    return this.#recordsWaiting >= this.#config.commitRecordsMax
  }

  /** Ms until a commit is due; 0 or less: now. */
  dueInMs(isCaughtUp: boolean): number {
    if (this.isBackedUp) return 0
    const { commitIntervalMs, commitMinIntervalMs } = this.#config
    const nowMs = this.#clock.monotonicMs()
    const latestMs = this.#lastStartMs + commitIntervalMs - nowMs
    if (!isCaughtUp) return latestMs
    const restMs = this.#timings.averageMs * restShare
    const dueAtMs = Math.max(this.#lastStartMs + commitMinIntervalMs, this.#lastEndMs + restMs)
    return Math.min(latestMs, dueAtMs - nowMs)
  }
}

/** Of the average commit; measured with Kafka 4.3: of shorter rests a tenth was put off. */
const restShare = 0.2
