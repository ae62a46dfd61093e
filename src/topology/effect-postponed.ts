/**
 * What the call of an `effect()` throws to be called again later, without an attempt being counted.
 *
 * For calls that were not made, or were sent away with a time to come back: a circuit breaker that
 * is open, a rate that is used up, 429 with Retry-After. 1. It says nothing about the outcome of
 * earlier attempts, so it never makes one unknown and never ends one. 2. The row stays first of its
 * key; its place among the `maxInFlight` calls is free meanwhile.
 */
export class EffectPostponed extends Error {
  override readonly name = 'EffectPostponed'
  /** From now, in ms; below 1 counts as 1. */
  readonly afterMs: number

  constructor(afterMs: number, reason: string) {
    super(reason)
    this.afterMs = Math.max(1, afterMs)
  }
}
