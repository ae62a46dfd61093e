/**
 * A rate limit: so many calls per second, and a second's worth of them at once after a rest.
 *
 * One per process and provider, shared by all tasks. 1. Who comes too early gets a turn, told as
 * the time until it, and keeps it under its name: first come, first served, however long the line.
 * 2. `pause` stops the line as it is: nobody loses a turn, and nobody goes earlier than the rate
 * allows afterwards. 3. A turn that nobody takes is lost to the rate, to nothing else.
 */

export interface TokenBucketOptions {
  /** Calls per second; Infinity: no limit but pauses. */
  readonly perSec: number
  /** Calls at once after a rest; at least 1. */
  readonly burst: number
  /** Monotonic. */
  readonly nowMs: () => number
}

/** Turns kept at most; beyond it those are forgotten whose time came first. */
const turnsMax = 100_000

export class TokenBucket {
  readonly #intervalMs: number
  readonly #burstMs: number
  readonly #nowMs: () => number
  /** By name, in the order they were given. Times here stand still during pauses. */
  readonly #turns = new Map<string, number>()
  #nextMs = Number.NEGATIVE_INFINITY
  #standstillMs = 0
  #pausedAtMs = 0
  #pausedUntilMs = Number.NEGATIVE_INFINITY

  constructor({ perSec, burst, nowMs }: TokenBucketOptions) {
    this.#intervalMs = 1_000 / perSec
    this.#burstMs = (burst - 1) * this.#intervalMs
    this.#nowMs = nowMs
  }

  /**
   * @param name  of the call; the same when it comes back for its turn
   * @returns     0: go, the turn is used up; else come back after so many ms
   */
  take(name: string): number {
    const wallMs = this.#nowMs()
    const nowMs = this.#timeOf(wallMs)
    const pauseMs = Math.max(0, this.#pausedUntilMs - wallMs)
    const turnMs = this.#turns.get(name) ?? this.#newTurn(nowMs)
    const waitMs = Math.max(0, turnMs - nowMs) + pauseMs
    if (waitMs === 0) this.#turns.delete(name)
    else this.#keep(name, turnMs)
    return waitMs
  }

  /** Nobody goes for so long; a longer pause under way stays as it is. */
  pause(ms: number): void {
    const wallMs = this.#nowMs()
    const untilMs = wallMs + ms
    if (untilMs <= this.#pausedUntilMs) return
    if (wallMs >= this.#pausedUntilMs) this.#pausedAtMs = this.#timeOf(wallMs)
    this.#standstillMs += untilMs - Math.max(wallMs, this.#pausedUntilMs)
    this.#pausedUntilMs = untilMs
  }

  #timeOf(wallMs: number): number {
    return wallMs < this.#pausedUntilMs ? this.#pausedAtMs : wallMs - this.#standstillMs
  }

  #newTurn(nowMs: number): number {
    const turnMs = Math.max(this.#nextMs, nowMs - this.#burstMs)
    this.#nextMs = turnMs + this.#intervalMs
    return turnMs
  }

  #keep(name: string, turnMs: number): void {
    this.#turns.set(name, turnMs)
    if (this.#turns.size <= turnsMax) return
    for (const first of this.#turns.keys()) {
      this.#turns.delete(first)
      return
    }
  }
}
