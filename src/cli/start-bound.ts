/**
 * The bound that `--for` sets to a start that waits for others; the run itself has its time anew.
 *
 * Made by `run-instance.ts` before anything is opened.
 */

import { CommandError } from './failure.ts'

export class StartBound {
  readonly #reached = Promise.withResolvers<void>()
  readonly #timer: ReturnType<typeof setTimeout> | undefined
  #isReached = false

  /** @param forMs  none: never reached */
  constructor(forMs: number | undefined) {
    if (forMs === undefined) return
    this.#timer = setTimeout(() => {
      this.#isReached = true
      this.#reached.resolve()
    }, forMs)
  }

  /** Resolves when the time is over before the start is. */
  get reached(): Promise<void> {
    return this.#reached.promise
  }

  /**
   * @param start  ends soon after `reached`, if it waits
   * @throws {CommandError} it was ended: says that this is why
   */
  async during<Opened>(start: Promise<Opened>): Promise<Opened> {
    try {
      return await start
    } catch (error) {
      if (!this.#isReached || !(error instanceof CommandError)) throw error
      throw new CommandError(`the time of --for is over: ${error.message}`)
    } finally {
      clearTimeout(this.#timer)
    }
  }
}
