/** Waits on the injected clock, so that tests with a manual clock stay in charge of time. */

import type { Clock } from '../clock.ts'

export const sleep = (clock: Clock, delayMs: number): Promise<void> =>
  new Promise((resolve) => {
    clock.setTimer(delayMs, resolve)
  })

/** Lets the event loop run: sockets and workers. */
export const macrotask = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/**
 * Lets everything run that a plain step may have put off: promises, immediates, timers of 0 ms.
 *
 * Node makes 1 ms of a timer of 0 ms, and fires timers of one length in the order they were set:
 * a timer of 1 ms set now comes after them.
 */
export const lateEmissions = async (clock: Clock): Promise<void> => {
  await sleep(clock, 1)
  await macrotask()
}
