/**
 * When each punctuator fires next; owned by the task, so a rebuilt pipeline keeps its rhythm.
 *
 * 1. The first firing is one interval after the time first seen, not at once; aligned ones on
 * stream time fire with the first record, then at multiples of the interval, aligned ones on the
 * wall clock at whole intervals after the time first seen. 2. A jump over many
 * intervals fires once: replaying a backlog must not fire a thousand reminders. 3. The schedule is
 * durable in the offset metadata: a restart neither repeats nor forgets a firing. 4. A firing is
 * noted only after it succeeded. 5. On the wall clock nothing is due later than one interval from
 * now: where it is, the clock was set back, and the interval starts anew.
 * 6. A schedule that moved goes into the next transaction, whatever makes it. For intervals of 10 s
 * and more, `saveWithinMs` asks for one within a second even where nothing else does, and a clean
 * stop makes it at once: a restart must not repeat them. Shorter ones ask for none, or a task at
 * rest would write at each tick: a restart may bring them forward, by an interval at most.
 */

import type { Punctuator, PunctuationTime } from '../topology/punctuator.ts'

const longMs = 10_000
const longSaveMs = 1_000

export class PunctuationSchedule {
  readonly #nextMs: Map<string, number>
  #saveWithinMs: number | undefined

  constructor(nextMs: Readonly<Record<string, number>> = {}) {
    this.#nextMs = new Map(Object.entries(nextMs))
  }

  /** True if due; a punctuator seen for the first time is scheduled instead. */
  isDue(punctuator: Punctuator, nowMs: number): boolean {
    const nextMs = this.#nextMs.get(punctuator.name)
    if (nextMs !== undefined && nowMs >= nextMs) return true
    if (nowMs === -Infinity) return false
    const { on, everyMs, aligned } = punctuator
    if (nextMs === undefined && aligned && on === 'streamTime') return true
    const isSetBack = on === 'wallClock' && nextMs !== undefined && nextMs - nowMs > everyMs
    if (isSetBack) this.#nextMs.delete(punctuator.name) // the interval starts anew
    if (nextMs === undefined || isSetBack) this.fired(punctuator, nowMs)
    return false
  }

  /** The next firing is one interval from now, or the next fixed point after now. */
  fired({ name, everyMs, on, aligned }: Punctuator, nowMs: number): void {
    const pointMs = on === 'streamTime' ? 0 : (this.#nextMs.get(name) ?? nowMs)
    const passed = aligned ? Math.floor((nowMs - pointMs) / everyMs) : 0
    this.#nextMs.set(name, (aligned ? pointMs : nowMs) + (passed + 1) * everyMs)
    const withinMs = everyMs >= longMs ? longSaveMs : Infinity
    this.#saveWithinMs = Math.min(withinMs, this.#saveWithinMs ?? Infinity)
  }

  /** How soon what moved wants a transaction: Infinity, with the next; undefined, none did. */
  get saveWithinMs(): number | undefined {
    return this.#saveWithinMs
  }

  /** The schedule went into a transaction. */
  saved(): void {
    this.#saveWithinMs = undefined
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
