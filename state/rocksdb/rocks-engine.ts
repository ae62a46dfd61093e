/**
 * The default engine: RocksDB, reads on the main thread, commits in a writer thread.
 *
 * One per instance; opened by the runtime and, with another directory, by the embedded broker.
 * 1. Write-ahead log on: a commit survives the death of the process. With `sync` it also survives
 * a power cut; without, a cut loses the last commits, which the stored positions show.
 * 2. Close order: commits in flight, cursors, writer thread, database.
 */

import type { Cursor, Engine, KeyRange, ScanOptions, Snapshot } from '../engine.ts'
import { StoreClosedError } from '../errors.ts'
import { divideEngineMemory } from '../memory-budget.ts'
import { WriteBatch } from '../write-batch.ts'
import { RocksDatabase } from './rocks-database.ts'
import { RocksSnapshot } from './rocks-snapshot.ts'
import { RocksWriter } from './rocks-writer.ts'

export interface RocksEngineOptions {
  /**
   * For block cache and memtables, as `memory-budget.ts` divides it.
   *
   * At least 6 MiB; 96 MiB if absent.
   */
  readonly memoryBytes?: number
  /**
   * `level` (default) keeps reads cheap; `universal` rewrites less, for logs that are written once
   * and read in order: a fifth less CPU for the embedded broker.
   */
  readonly compaction?: 'level' | 'universal'
  /** Wait for the device at every commit (fsync): milliseconds instead of microseconds. */
  readonly sync?: boolean
}

const memoryBytesDefault = 96 * 1024 * 1024

export class RocksEngine implements Engine {
  readonly kind = 'rocksdb'
  readonly #database: RocksDatabase
  readonly #writer: RocksWriter
  readonly #sync: boolean
  #openSnapshots = 0
  #closing: Promise<void> | undefined

  private constructor(database: RocksDatabase, writer: RocksWriter, sync: boolean) {
    this.#database = database
    this.#writer = writer
    this.#sync = sync
  }

  /**
   * Opens the database in the directory, which is created if need be.
   *
   * @throws {StoreLockedError} it is open already, here or in another process: stop that one
   * @throws {StoreMismatchError} another engine made it: use that one
   * @throws {StoreCorruptError} it cannot be read: wipe the directory and restore
   * @throws {StoreFullError} no space: free some, then open again
   * @throws {StoreIoError} another failure, or no binary for this machine: use another engine
   */
  static async open(directory: string, options: RocksEngineOptions = {}): Promise<RocksEngine> {
    const memory = divideEngineMemory(options.memoryBytes ?? memoryBytesDefault)
    const database = await RocksDatabase.open(directory, {
      createIfMissing: true,
      memtableMemoryBudget: memory.memtableBytes,
      compaction: options.compaction ?? 'level',
      compression: false,
      walCompression: false,
      cacheSize: memory.blockCacheBytes,
      cacheIndexAndFilterBlocks: true,
      blockSize: 4096,
      parallelism: 1,
      optimize: 'point-lookup', // a filter for memtables: most look-ups of a flow are misses
      filterPolicy: 'bloomfilter:10:false', // cheaper to build than the one that comes with it
    })
    return new RocksEngine(database, new RocksWriter(database), options.sync === true)
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#database.get(key)
  }

  getMany(keys: readonly Uint8Array[]): (Uint8Array | undefined)[] {
    return this.#database.getMany(keys)
  }

  getTexts(keys: readonly Uint8Array[]): (string | Uint8Array | undefined)[] {
    return this.#database.getTexts(keys)
  }

  scan(options: ScanOptions): Cursor {
    return this.#database.cursor(options)
  }

  snapshot(): Snapshot {
    const cursors = this.#database.twinCursors()
    this.#openSnapshots += 1
    return new RocksSnapshot(cursors, () => {
      this.#openSnapshots -= 1
    })
  }

  commit(batch: WriteBatch): Promise<void> {
    return this.#write(batch, this.#sync)
  }

  bulkLoad(batch: WriteBatch): Promise<void> {
    return this.#write(batch, false)
  }

  async deleteRange(range: KeyRange): Promise<void> {
    if (this.#closing !== undefined) throw new StoreClosedError('deleteRange')
    if (!(range.gte instanceof Uint8Array && range.lt instanceof Uint8Array)) {
      throw new TypeError('deleteRange: bounds must be Uint8Arrays')
    }
    await this.#writer.deleteRange(range)
  }

  property(name: string): string | undefined {
    if (name === 'millrace.open-iterators') return String(this.#database.openCursors)
    if (name === 'millrace.open-snapshots') return String(this.#openSnapshots)
    return this.#database.property(name)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #write(batch: WriteBatch, sync: boolean): Promise<void> {
    if (this.#closing !== undefined) throw new StoreClosedError('commit')
    if (!(batch instanceof WriteBatch)) throw new TypeError('commit: not a WriteBatch')
    await this.#writer.write(batch.finish(), sync)
  }

  async #close(): Promise<void> {
    this.#database.stopReads()
    await this.#writer.close()
    await this.#database.close()
  }
}
