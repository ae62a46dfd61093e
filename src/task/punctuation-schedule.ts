/**
 * When each punctuator fires next; owned by the task, so a rebuilt pipeline keeps its rhythm.
 *
 * 1. The first firing is one interval after the time first seen, not at once. 2. A jump over many
 * intervals fires once: replaying a backlog must not fire a thousand reminders. 3. The schedule is
 * durable in the offset metadata: a restart neither repeats nor forgets a firing. 4. A firing is
 * noted only after it succeeded.
 */

import { type Punctuator, type PunctuationTime } from '../topology/punctuator.ts'

export class PunctuationSchedule {
  readonly #nextMs: Map<string, number>

  constructor(nextMs: Readonly<Record<string, number>> = {}) {
    this.#nextMs = new Map(Object.entries(nextMs))
  }

  /** True if due; a punctuator seen for the first time is scheduled instead. */
  isDue({ name, everyMs }: Punctuator, nowMs: number): boolean {
    const nextMs = this.#nextMs.get(name)
    if (nextMs !== undefined) return nowMs >= nextMs
    if (nowMs === -Infinity) return false
    this.#nextMs.set(name, nowMs + everyMs)
    return false
  }

  fired({ name, everyMs }: Punctuator, nowMs: number): void {
    this.#nextMs.set(name, nowMs + everyMs)
  }

  /** Earliest next firing of these on wall-clock time: when the loop must wake up. */
  nextWallClockMs(punctuators: readonly Punctuator[], on: PunctuationTime = 'wallClock'): number {
    let earliestMs = Infinity
    for (const { name, on: time } of punctuators) {
      if (time === on) earliestMs = Math.min(earliestMs, this.#nextMs.get(name) ?? Infinity)
    }
    return earliestMs
  }

  toJSON(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#nextMs)
  }
}
