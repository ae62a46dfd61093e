/**
 * Errors inside RxJS that nobody handles: those of a subscription that a user's step made itself.
 *
 * RxJS has one hook per process, while a process may run several applications, and nobody can say
 * whose step it was: each that runs is told. Called by the application. 1. The hook is set while
 * at least one listens; what was there before comes back after the last.
 */

import { config } from 'rxjs'

const listeners = new Set<(error: unknown) => void>()
let before: typeof config.onUnhandledError = null

/** @returns the function that removes the listener */
export const onUnhandledRxjsError = (listener: (error: unknown) => void): (() => void) => {
  if (listeners.size === 0) {
    before = config.onUnhandledError
    config.onUnhandledError = (error) => {
      for (const tell of listeners) tell(error)
    }
  }
  listeners.add(listener)
  return () => {
    if (listeners.delete(listener) && listeners.size === 0) config.onUnhandledError = before
  }
}
