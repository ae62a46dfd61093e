/**
 * All writes of one RocksDB database, in order: small ones here and now, the others in a thread.
 *
 * Owned by `RocksEngine`. Order of calls = order of effect: a small batch is written here only if
 * nothing is in flight.
 */

import { batchBuffers } from '../batch-buffers.ts'
import type { KeyRange } from '../engine.ts'
import { WriterThread } from '../writer/writer-thread.ts'
import type { RocksDatabase } from './rocks-database.ts'
import { storeErrorOf } from './rocks-errors.ts'

/**
 * Batches up to this size are written on the main thread.
 *
 * Measured on 2 shared cores: written here a row of 119 bytes holds the main thread for 2 µs, so
 * this size (140 rows) for 0.3 ms; a trip to the thread holds it for 20 to 30 µs whatever the size,
 * and makes the commit 0.15 ms longer, 3 ms while other processes use both cores: what a
 * caught-up stream would wait.
 */
const directBytesMax = 16_384

export class RocksWriter {
  readonly #database: RocksDatabase
  readonly #thread: WriterThread

  constructor(database: RocksDatabase) {
    this.#database = database
    const { directory } = database
    this.#thread = new WriterThread({
      name: 'rocks-writer',
      worker: new URL('./rocks-writer-worker.ts', import.meta.url),
      workerData: { handle: database.handle() },
      directory,
      errorOf: (cause) => storeErrorOf(cause, 'write', directory),
    })
  }

  /** @param packed  finished bytes of a WriteBatch; given away */
  write(packed: Buffer<ArrayBuffer>, sync: boolean): Promise<void> {
    if (!sync && packed.length <= directBytesMax && this.#thread.isIdle) {
      return this.#writeHere(packed)
    }
    return this.#thread.write(packed, sync)
  }

  deleteRange(range: KeyRange): Promise<void> {
    return this.#thread.deleteRange(range)
  }

  /** Waits until nothing is in flight, then ends the thread. The caller sends nothing any more. */
  close(): Promise<void> {
    return this.#thread.close()
  }

  async #writeHere(packed: Buffer<ArrayBuffer>): Promise<void> {
    if (this.#thread.died !== undefined) throw this.#thread.died
    this.#database.write(packed, false)
    batchBuffers.give(packed.buffer)
  }
}
