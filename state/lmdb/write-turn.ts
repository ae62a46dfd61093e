/**
 * Sees to it that no process ends while its writer thread is inside of a transaction.
 *
 * The end of a process stops the code of its threads wherever it is; the package then waits for a
 * lock that the stopped thread itself holds, and the process would stand still for ever. So the
 * main thread waits for the transaction under way, and lets no other begin.
 * ```
 *   idle ◄──► writing        the writer thread
 *   idle ──► over            the main thread, at the end of the process
 * ```
 */

const states = { idle: 0, writing: 1, over: 2 } as const
/** A disk that takes longer may never answer: the process is killed, which the state survives. */
const waitMsMax = 10_000

export class WriteTurn {
  readonly shared: SharedArrayBuffer
  readonly #state: Int32Array

  /** @param shared  of the main thread's, in the writer thread */
  constructor(shared = new SharedArrayBuffer(4)) {
    this.shared = shared
    this.#state = new Int32Array(shared)
  }

  /** @throws {Error} the process ends: nothing was done, and nobody waits for it */
  run<T>(work: () => T): T {
    const before = Atomics.compareExchange(this.#state, 0, states.idle, states.writing)
    if (before !== states.idle) throw new Error('the process ends')
    try {
      return work()
    } finally {
      Atomics.store(this.#state, 0, states.idle)
      Atomics.notify(this.#state, 0)
    }
  }

  /** Called while the process ends; blocks. */
  readonly end = (): void => {
    while (Atomics.compareExchange(this.#state, 0, states.idle, states.over) === states.writing) {
      if (Atomics.wait(this.#state, 0, states.writing, waitMsMax) !== 'timed-out') continue
      process.kill(process.pid, 'SIGKILL')
    }
  }
}
