/**
 * What a task believes of the wall clock: the highest time it ever saw, and what lies beyond it.
 *
 * Kept by `StreamTask`, which shows it every time it is given. 1. `latestNowMs` outlives the task
 * in the offset metadata; it never falls. 2. A clock that is set back is told to the inputs: what
 * they know of times is void. 3. A wrong timestamp from outside must not move stream time for all.
 */

import type { InputProgress } from './input-progress.ts'

export interface TaskClockOptions {
  /** Highest wall-clock time that earlier lives saw. */
  readonly latestNowMs: number
  readonly maxFutureSkewMs: number
  readonly inputs: readonly { readonly progress: InputProgress }[]
  /** Logical names of topics that the topology writes itself. */
  readonly ownTopics: ReadonlySet<string>
}

export class TaskClock {
  readonly #options: TaskClockOptions
  #latestNowMs: number
  #seenNowMs = -Infinity

  constructor(options: TaskClockOptions) {
    this.#options = options
    this.#latestNowMs = options.latestNowMs
  }

  /** Highest wall-clock time seen, in earlier lives too. */
  get latestNowMs(): number {
    return this.#latestNowMs
  }

  saw(nowMs: number): void {
    if (nowMs > this.#latestNowMs) this.#latestNowMs = nowMs
    if (nowMs < this.#seenNowMs) {
      for (const { progress } of this.#options.inputs) progress.clockSetBack()
    }
    this.#seenNowMs = nowMs
  }

  /**
   * True for a record of the future, more than `maxFutureSkewMs` ahead.
   *
   * 1. Records of this topology are taken as they are: their timestamps are those of inputs that
   * passed here, or of our own clock. 2. The highest clock ever seen counts: what was written while
   * the clock was ahead, before it was set back, is no less valid for it.
   */
  isTooFarAhead(timestampMs: number, logicalTopic: string): boolean {
    const { maxFutureSkewMs, ownTopics } = this.#options
    return timestampMs > this.#latestNowMs + maxFutureSkewMs && !ownTopics.has(logicalTopic)
  }
}
