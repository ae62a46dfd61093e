/**
 * Where the malformed lines of a load go, byte for byte, and what is said about them.
 *
 * Used by `load`. Opened before the first order is sent, so that a place that cannot be written
 * costs nothing. Never the input itself: the file would be lost.
 */

import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { UsageError } from '../config/usage-error.ts'
import { CommandError } from './failure.ts'
import type { LoadFile, NumberedLine } from './load-file.ts'

const shownMax = 20

export class LoadRejects {
  readonly path: string
  readonly #file: LoadFile
  #handle: FileHandle | undefined
  #count = 0

  constructor(file: LoadFile, path: string) {
    this.#file = file
    this.path = path
  }

  /**
   * Empties or makes the file.
   *
   * @throws {UsageError} it is the input, perhaps through a link
   * @throws {CommandError} it cannot be written
   */
  async open(): Promise<void> {
    const handle = await this.#guarded(() =>
      open(this.path, constants.O_WRONLY | constants.O_CREAT),
    )
    this.#handle = handle
    const stats = await handle.stat()
    const { identity, path } = this.#file.input
    const isInput = stats.dev === identity.dev && stats.ino === identity.ino
    if (isInput && !stats.isCharacterDevice()) {
      throw new UsageError(`--rejects: ${this.path} is the input ${path} itself; name another file`)
    }
    if (stats.isFile()) await this.#guarded(() => handle.truncate(0))
  }

  /** Says why the line is none, and keeps it. */
  async add(line: NumberedLine, reason: string): Promise<void> {
    this.#count += 1
    if (this.#count <= shownMax) {
      process.stderr.write(`${this.#file.path}:${line.number}: ${reason}\n`)
    }
    if (this.#handle === undefined) await this.open()
    const handle = this.#handle!
    await this.#guarded(async () => {
      for await (const bytes of this.#file.bytesOf(line)) await handle.appendFile(bytes)
      await handle.appendFile('\n')
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const more = this.#count - shownMax
    if (more > 0) process.stderr.write(`and ${more} more malformed lines\n`)
    if (this.#count > 0) process.stderr.write(`malformed lines are in ${this.path}\n`)
    await this.#handle?.close()
  }

  async #guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      if (code === undefined) throw error
      throw new CommandError(
        `cannot write malformed lines to ${this.path}: ${message}; `
          + 'name another place with --rejects',
      )
    }
  }
}
