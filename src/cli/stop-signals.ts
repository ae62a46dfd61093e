/**
 * When to stop: Ctrl-C, SIGTERM, SIGHUP, the end of `--for`, of the process that started us, or of
 * what takes our data: it left, or its disk is full.
 *
 * One per process, made before anything is opened. 1. The first request stops cleanly, however
 * long that takes. 2. A second one ends the process at once with 130; the state survives that.
 * 3. A terminal and npm both send the first Ctrl-C, so two within half a second are one.
 */

import { exitCodes } from './exit-codes.ts'

const sameRequestMs = 500

export class StopSignals {
  readonly #requested = Promise.withResolvers<void>()
  #requestedAtMs: number | undefined
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor() {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => this.#onSignal())
    }
    // `main.ts` tells why, if there is anything to tell
    process.stdout.on('error', () => this.#request())
    // `scripts/run.mjs` holds the other end of a channel, whose only word is that it closes
    if (process.connected !== undefined) process.on('disconnect', () => this.#onOrphaned())
    process.channel?.unref()
    if (process.connected === false) this.#onOrphaned()
  }

  get isRequested(): boolean {
    return this.#requestedAtMs !== undefined
  }

  /** Resolves at the first request. */
  get requested(): Promise<void> {
    return this.#requested.promise
  }

  /** Requests the stop by itself, `afterMs` from now. */
  schedule(afterMs: number): void {
    this.#timer = setTimeout(() => this.#request(), afterMs)
  }

  #onSignal(): void {
    if (this.#requestedAtMs === undefined) {
      process.stderr.write('\nmillrace: stopping; once more to end at once\n')
      this.#request()
    } else if (performance.now() - this.#requestedAtMs > sameRequestMs) {
      process.exit(exitCodes.interrupted)
    }
  }

  #onOrphaned(): void {
    if (this.#requestedAtMs !== undefined) return
    process.stderr.write('\nmillrace: stopping, since the process that started this one ended\n')
    this.#request()
  }

  #request(): void {
    clearTimeout(this.#timer)
    this.#requestedAtMs ??= performance.now()
    this.#requested.resolve()
  }
}
