/**
 * Time and timers as a port: the runtime never calls `Date.now` or `setTimeout` itself.
 *
 * `systemClock` is the real one; `testing/manual-clock.ts` moves by hand. `src/task`,
 * `src/runtime`, `src/broker/embedded` and `state/` get a Clock from their caller; a lint rule
 * forbids the globals there.
 */
export interface Clock {
  /** Wall-clock time in ms since 1970. */
  nowMs(): number
  /** Monotonic time in ms, for durations only. */
  monotonicMs(): number
  /** Calls back once after `delayMs`; returns the cancel function. Never keeps a process alive. */
  setTimer(delayMs: number, callback: () => void): () => void
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs)
    timer.unref()
    return () => clearTimeout(timer)
  },
}

/** A running instance keeps its process alive, though its timers do not. @returns the release */
export const keepProcessAlive = (): (() => void) => {
  const handle = setInterval(() => {}, 2 ** 30)
  return () => clearInterval(handle)
}
