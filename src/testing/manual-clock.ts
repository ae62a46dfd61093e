/**
 * A clock that moves by hand: tests and simulations decide what time it is.
 *
 * 1. Timers fire synchronously inside `advanceBy`/`advanceTo`, in the order of their due times,
 * then of their creation, each while the clock stands at its due time. 2. A timer set by a timer
 * fires in the same advance if it is due by then. 3. A throw of a callback reaches the caller of
 * the advance; the clock stands at that timer and the rest stays due. It knows no promises: let
 * them settle between two advances.
 */

import type { Clock } from '../clock.ts'

interface Timer {
  readonly dueMs: number
  readonly sequence: number
  readonly callback: () => void
}

export class ManualClock implements Clock {
  #wallMs: number
  #elapsedMs = 0
  #sequence = 0
  /** Sorted: the next to fire is the last, so that taking it is a pop. */
  readonly #timers: Timer[] = []

  /** @param startMs  wall-clock time at the start; default 2024-01-01T00:00:00Z */
  constructor(startMs: number = 1_704_067_200_000) {
    this.#wallMs = startMs
  }

  nowMs(): number {
    return this.#wallMs
  }

  monotonicMs(): number {
    return this.#elapsedMs
  }

  /** Timers not yet fired or cancelled. */
  get timerCount(): number {
    return this.#timers.length
  }

  /** Ms until the next timer is due, `undefined` without timers: the next step of a simulation. */
  get nextTimerInMs(): number | undefined {
    const next = this.#timers.at(-1)
    return next === undefined ? undefined : Math.max(0, next.dueMs - this.#elapsedMs)
  }

  setTimer(delayMs: number, callback: () => void): () => void {
    const dueMs = this.#elapsedMs + Math.max(0, delayMs)
    const timer: Timer = { dueMs, sequence: this.#sequence++, callback }
    this.#insert(timer)
    return () => {
      const index = this.#timers.indexOf(timer)
      if (index >= 0) this.#timers.splice(index, 1)
    }
  }

  /** @throws {RangeError} a negative step: time does not run back */
  advanceBy(ms: number): void {
    if (!(ms >= 0)) throw new RangeError(`advanceBy(${ms}): time does not run back`)
    const targetMs = this.#elapsedMs + ms
    for (;;) {
      const next = this.#timers.at(-1)
      if (next === undefined || next.dueMs > targetMs) break
      this.#timers.pop()
      this.#moveTo(next.dueMs)
      next.callback()
    }
    this.#moveTo(targetMs)
  }

  /** @param wallMs  wall-clock time to stand at; not before now */
  advanceTo(wallMs: number): void {
    this.advanceBy(wallMs - this.#wallMs)
  }

  /** Sets the wall clock, as an administrator or NTP does: durations and timers do not notice. */
  stepWallClock(byMs: number): void {
    this.#wallMs += byMs
  }

  #moveTo(elapsedMs: number): void {
    if (elapsedMs <= this.#elapsedMs) return
    this.#wallMs += elapsedMs - this.#elapsedMs
    this.#elapsedMs = elapsedMs
  }

  #insert(timer: Timer): void {
    let low = 0
    let high = this.#timers.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#timers[middle]!.dueMs > timer.dueMs) low = middle + 1
      else high = middle
    }
    this.#timers.splice(low, 0, timer)
  }
}
