/**
 * What becomes of a command whose data cannot be written to stdout.
 *
 * Watched by `main.ts` from the start. 1. Whoever reads us may stop reading (`| head`): that is no
 * failure, and nothing is said. 2. Anything else, such as a full disk, is told and is a failure.
 * 3. A running instance stops cleanly in both cases (`stop-signals.ts`); the exit comes after it.
 */

export class DataOutput {
  readonly #stream: NodeJS.WriteStream
  #error: NodeJS.ErrnoException | undefined

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream
    stream.on('error', (error) => (this.#error ??= error))
  }

  /** Why data is missing; undefined if none is, or whoever read it left. */
  get failure(): string | undefined {
    return this.#error === undefined || this.#isReaderGone(this.#error)
      ? undefined
      : `cannot write to stdout: ${this.#error.message}`
  }

  /** Resolves when all was written, or cannot be; `failure` knows then. */
  async flushed(): Promise<void> {
    // a pipe takes 64 KiB at a time: exiting right after a write would cut the rest off
    await new Promise<void>((resolve) => {
      this.#stream.write('', () => resolve())
    })
    // the event of an error comes after the callback of its write
    await new Promise((resolve) => setImmediate(resolve))
  }

  /** A terminal that hung up says EIO. */
  #isReaderGone({ code }: NodeJS.ErrnoException): boolean {
    return code === 'EPIPE' || (code === 'EIO' && this.#stream.isTTY)
  }
}
