/**
 * The portable engine: LMDB, reads on the main thread, commits in a writer thread.
 *
 * For machines without a binary of RocksDB; opened by the runtime and, with another directory, by
 * the embedded broker. 1. Every commit waits for the device, so it survives a power cut whether or
 * not `--fsync` is given: without that LMDB could lose the whole database. 2. Why a thread of our
 * own and not the package's: one call writes a batch with its expectations and tells the error of
 * that very batch, and the main thread pays for sending it only. 3. Close order: commits in flight,
 * views, writer thread, database. 4. At the end of the process a transaction under way is waited
 * for (`write-turn.ts`).
 */

import type { Cursor, Engine, KeyRange, ScanOptions, Snapshot } from '../engine.ts'
import { checkKey } from '../check-arguments.ts'
import { StoreClosedError } from '../errors.ts'
import { WriteBatch } from '../write-batch.ts'
import { WriterThread } from '../writer/writer-thread.ts'
import { LmdbDatabase } from './lmdb-database.ts'
import { storeErrorOf } from './lmdb-errors.ts'
import { WriteTurn } from './write-turn.ts'

export class LmdbEngine implements Engine {
  readonly kind = 'lmdb'
  readonly #database: LmdbDatabase
  readonly #writer: WriterThread
  readonly #turn = new WriteTurn()
  #closing: Promise<void> | undefined

  private constructor(database: LmdbDatabase) {
    const { directory } = database
    this.#database = database
    this.#writer = new WriterThread({
      name: 'lmdb-writer',
      worker: new URL('./lmdb-writer-worker.ts', import.meta.url),
      workerData: { directory, shared: this.#turn.shared },
      directory,
      errorOf: (cause) => storeErrorOf(cause, directory),
    })
    process.on('exit', this.#turn.end)
  }

  /**
   * Opens the database in the directory, which is created if need be.
   *
   * @throws {StoreLockedError} it is open already, here or in another process: stop that one
   * @throws {StoreMismatchError} another engine made it: use that one
   * @throws {StoreCorruptError} it cannot be read: wipe the directory and restore
   * @throws {StoreFullError} no space: free some, then open again
   * @throws {StoreIoError} another failure
   */
  static async open(directory: string): Promise<LmdbEngine> {
    return new LmdbEngine(await LmdbDatabase.open(directory))
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#database.get(key)
  }

  getMany(keys: readonly Uint8Array[]): (Uint8Array | undefined)[] {
    return this.#database.getMany(keys)
  }

  scan(options: ScanOptions): Cursor {
    return this.#database.cursor(options)
  }

  snapshot(): Snapshot {
    return this.#database.view('snapshot')
  }

  async commit(batch: WriteBatch): Promise<void> {
    this.#checkOpen('commit')
    if (!(batch instanceof WriteBatch)) throw new TypeError('commit: not a WriteBatch')
    await this.#visible(this.#writer.write(batch.finish(), true))
  }

  bulkLoad(batch: WriteBatch): Promise<void> {
    return this.commit(batch)
  }

  async deleteRange(range: KeyRange): Promise<void> {
    this.#checkOpen('deleteRange')
    checkKey(range.gte)
    checkKey(range.lt)
    await this.#visible(this.#writer.deleteRange(range))
  }

  property(name: string): string | undefined {
    if (typeof name !== 'string') throw new TypeError('property: the name must be a string')
    const { count } = this.#database
    return name === 'rocksdb.estimate-num-keys' ? String(count) : undefined
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** What the thread wrote is seen by reads of this one from the moment the promise resolves. */
  async #visible(written: Promise<void>): Promise<void> {
    try {
      await written
    } finally {
      this.#database.refresh() // part of a range may be gone
    }
  }

  #checkOpen(what: string): void {
    if (this.#closing !== undefined) throw new StoreClosedError(what)
  }

  async #close(): Promise<void> {
    this.#database.stopReads()
    await this.#writer.close()
    process.off('exit', this.#turn.end)
    await this.#database.close()
  }
}
