/**
 * An LMDB directory held by this process alone, and all reads of it.
 *
 * Owned by `LmdbEngine`. LMDB lets any number of processes write in turns; our stores have one
 * owner, so `lock.json` (see `directory.ts`) holds the directory, and LMDB's own table of readers
 * tells of a process that cannot be seen by its pid, in another container.
 * ```
 *   open() ──► open ──stopReads──► closed to reads ──close──► closed
 * ```
 * 1. Every open view is known here and closed before the database. 2. Reads see what was committed
 * when `refresh` was called last, or later.
 */

import { StateDirectory } from '../directory.ts'
import { checkKey } from '../check-arguments.ts'
import type { Cursor, ScanOptions } from '../engine.ts'
import { StoreClosedError, StoreLockedError } from '../errors.ts'
import { checkMadeBy } from '../made-by.ts'
import { type LmdbStore, openLmdb } from './lmdb-binding.ts'
import { storeErrorOf } from './lmdb-errors.ts'
import { checkFile } from './lmdb-file.ts'
import { rowOf, storedKey } from './lmdb-keys.ts'
import { LmdbCursor, LmdbView } from './lmdb-view.ts'

export class LmdbDatabase {
  readonly directory: string
  readonly #lock: StateDirectory
  readonly #store: LmdbStore
  readonly #views = new Set<LmdbView>()
  #isOpen = true

  private constructor(lock: StateDirectory, store: LmdbStore) {
    this.directory = lock.path
    this.#lock = lock
    this.#store = store
  }

  /**
   * @throws {StoreLockedError} it is open already, here or in another process
   * @throws {StoreMismatchError} another engine made it: use that one
   * @throws {StoreCorruptError} it cannot be read: wipe the directory and restore
   * @throws {StoreIoError} another failure, or no binary for this machine
   */
  static async open(directory: string): Promise<LmdbDatabase> {
    const lock = StateDirectory.lock(directory)
    try {
      checkMadeBy(directory, 'lmdb')
      await checkFile(directory)
      const store = openLmdb(directory)
      checkAlone(store, directory)
      return new LmdbDatabase(lock, store)
    } catch (error) {
      lock.unlock()
      throw storeErrorOf(error, directory)
    }
  }

  get(key: Uint8Array): Buffer | undefined {
    this.#checkOpen('get')
    checkKey(key)
    return this.#get(key)
  }

  getMany(keys: readonly Uint8Array[]): (Buffer | undefined)[] {
    this.#checkOpen('getMany')
    for (const key of keys) checkKey(key)
    return keys.map((key) => this.#get(key))
  }

  cursor(options: ScanOptions): Cursor {
    const view = this.view('scan')
    try {
      return new LmdbCursor(view, options, true)
    } catch (error) {
      view.close()
      throw error
    }
  }

  view(what: string): LmdbView {
    this.#checkOpen(what)
    const view = new LmdbView({
      store: this.#store,
      directory: this.directory,
      isOpen: () => this.#isOpen,
      onClose: () => this.#views.delete(view),
    })
    this.#views.add(view)
    return view
  }

  /** Reads from now on see what was committed by now. */
  refresh(): void {
    if (this.#isOpen) this.#store.resetReadTxn()
  }

  get count(): number {
    this.#checkOpen('property')
    return this.#store.getStats().entryCount
  }

  stopReads(): void {
    this.#isOpen = false
  }

  /** The caller has ended the writer. */
  async close(): Promise<void> {
    this.stopReads()
    for (const view of this.#views) view.close()
    try {
      await this.#store.close()
    } catch (error) {
      throw storeErrorOf(error, this.directory)
    } finally {
      this.#lock.unlock()
    }
  }

  #get(key: Uint8Array): Buffer | undefined {
    const stored = storedKey(key)
    try {
      const found = this.#store.getBinary(stored)
      return found === undefined ? undefined : rowOf(stored, found)[1]
    } catch (error) {
      this.#store.resetReadTxn() // one that met damage reads nothing any more
      throw storeErrorOf(error, this.directory)
    }
  }

  #checkOpen(what: string): void {
    if (!this.#isOpen) throw new StoreClosedError(what)
  }
}

/** A read puts this process into the table of readers: two that open at once see each other. */
const checkAlone = (store: LmdbStore, directory: string): void => {
  store.useReadTransaction().done()
  const pids = [...store.readerList().matchAll(/^\s*(\d+)\s/gm)].map((match) => Number(match[1]))
  const other = pids.find((pid) => pid !== process.pid)
  if (other === undefined) return
  void store.close()
  throw new StoreLockedError(directory, other)
}
