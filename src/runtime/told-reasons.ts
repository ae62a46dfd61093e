/**
 * Which reasons of a wait were told already: each attempt that fails for the same one adds nothing.
 *
 * Used by everything that tries again until a broker or a registry is back.
 */

export class ToldReasons {
  readonly #told = new Set<string>()

  /** Whether it must be told now: once, until the wait is over. */
  isNew(reason: string): boolean {
    if (this.#told.has(reason)) return false
    this.#told.add(reason)
    return true
  }

  /** The wait is over: the next one is told again. */
  clear(): void {
    this.#told.clear()
  }
}
