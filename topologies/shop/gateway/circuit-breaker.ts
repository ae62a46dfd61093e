/**
 * Keeps calls away from a provider that fails: after so many failures in a row nobody is let
 * through for a while, then one call that finds out.
 *
 * ```
 *   closed ──failuresMax in a row, or openFor──► open ──its time is over──► half-open
 *     ▲                                            ▲                            │ one call
 *     └──────────────── succeeds ──────────────────┼────────────────────────────┤
 *                                                  └──── fails: twice as long ──┘
 * ```
 * One per process and provider, shared by all tasks. 1. Who got a permit tells what came of it,
 * once: `succeeded`, `failed`, `openFor` or `abandoned`. 2. What comes of calls that began before
 * the last change tells nothing about now and is ignored. 3. It decides only when to call, never
 * what became of a call.
 */

export type BreakerState = 'closed' | 'open' | 'half-open'

export interface CircuitBreakerOptions {
  /** In a row, without a success in between. */
  readonly failuresMax: number
  /** How long it stays open at first; doubles while the provider goes on failing. */
  readonly openMs: number
  readonly openMaxMs: number
  /** Monotonic. */
  readonly nowMs: () => number
  /** After each change. */
  readonly onChange?: (state: BreakerState) => void
}

/** The right to one call. */
export interface Permit {
  readonly period: number
}

/** How long others wait while one call finds out. */
const trialWaitMs = 500

export class CircuitBreaker {
  readonly #options: CircuitBreakerOptions
  #state: BreakerState = 'closed'
  #failures = 0
  #openForMs: number
  #openUntilMs = 0
  /** While half-open: somebody is finding out. */
  #isTried = false
  /** Rises with each change. */
  #period = 0

  constructor(options: CircuitBreakerOptions) {
    this.#options = options
    this.#openForMs = options.openMs
  }

  get state(): BreakerState {
    return this.#state
  }

  /** 0: `permit` would let a call through now; else ask again after so many ms. */
  waitMs(): number {
    if (this.#state === 'closed') return 0
    const leftMs = this.#openUntilMs - this.#options.nowMs()
    if (leftMs > 0) return leftMs
    return this.#isTried ? trialWaitMs : 0
  }

  /** @throws {Error} `waitMs` is not 0 */
  permit(): Permit {
    if (this.waitMs() !== 0) throw new Error('nobody is let through now: ask for waitMs first')
    if (this.#state === 'open') this.#change('half-open')
    if (this.#state === 'half-open') this.#isTried = true
    return { period: this.#period }
  }

  succeeded(permit: Permit): void {
    if (!this.#isCurrent(permit)) return
    this.#failures = 0
    this.#openForMs = this.#options.openMs
    if (this.#state !== 'closed') this.#change('closed')
  }

  failed(permit: Permit): void {
    if (!this.#isCurrent(permit)) return
    this.#failures += 1
    if (this.#state === 'closed' && this.#failures < this.#options.failuresMax) return
    this.#open(this.#openForMs)
    this.#openForMs = Math.min(this.#options.openMaxMs, this.#openForMs * 2)
  }

  /** The provider said when to come back. */
  openFor(permit: Permit, ms: number): void {
    if (this.#isCurrent(permit)) this.#open(ms)
  }

  /** The call was given up by its caller, who learned nothing: somebody else finds out. */
  abandoned(permit: Permit): void {
    if (this.#isCurrent(permit)) this.#isTried = false
  }

  #isCurrent({ period }: Permit): boolean {
    return period === this.#period
  }

  #open(ms: number): void {
    this.#openUntilMs = this.#options.nowMs() + ms
    this.#change('open')
  }

  #change(state: BreakerState): void {
    this.#state = state
    this.#isTried = false
    this.#failures = 0
    this.#period += 1
    this.#options.onChange?.(state)
  }
}
