/** Waits on the injected clock, so that tests with a manual clock stay in charge of time. */

import { type Clock } from '../clock.ts'

export const sleep = (clock: Clock, delayMs: number): Promise<void> =>
  new Promise((resolve) => {
    clock.setTimer(delayMs, resolve)
  })

/** Lets the event loop run: sockets, workers, and plain steps that emit late. */
export const macrotask = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
