/**
 * Pauses between attempts of one call, until the time that it may take is over.
 *
 * Made per call by the rest of this folder. 1. Pauses double from `firstMs` to `mostMs`. 2. When
 * the time is over, `pause` throws the failure that it was given.
 */

import type { Clock } from '../../clock.ts'

export interface BackoffOptions {
  /** How long the call may take in all, in ms. */
  readonly timeoutMs: number
  /** Of the first pause; default 5 ms. */
  readonly firstMs?: number
  /** Longest pause; default 250 ms. */
  readonly mostMs?: number
}

export class Backoff {
  readonly #clock: Clock
  readonly #deadlineMs: number
  readonly #mostMs: number
  #nextMs: number

  constructor(clock: Clock, { timeoutMs, firstMs = 5, mostMs = 250 }: BackoffOptions) {
    this.#clock = clock
    this.#deadlineMs = clock.monotonicMs() + timeoutMs
    this.#nextMs = firstMs
    this.#mostMs = mostMs
  }

  get isOver(): boolean {
    return this.#clock.monotonicMs() >= this.#deadlineMs
  }

  /** @throws the failure, if the time of the call is over */
  async pause(failure: unknown): Promise<void> {
    if (this.isOver) throw failure
    const delayMs = this.#nextMs
    this.#nextMs = Math.min(this.#mostMs, delayMs * 2)
    await new Promise<void>((resolve) => {
      this.#clock.setTimer(delayMs, resolve)
    })
  }
}
