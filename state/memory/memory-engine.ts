/**
 * The reference engine: rows in a Map, order on demand, commits one after the other.
 *
 * Used by tests, benchmarks and runs that need no disk; the contract suite compares every other
 * engine with it. 1. A commit is visible as a whole, at the latest when its promise resolves.
 * 2. Commits take effect in the order of the calls, also when a gate makes one wait.
 */

import type { Cursor, Engine, KeyRange, ScanOptions, Snapshot } from '../engine.ts'
import { StoreClosedError } from '../errors.ts'
import { bytesFromLatin1, latin1FromBytes } from '../key-layout.ts'
import type { WriteBatch } from '../write-batch.ts'
import { MemoryDisk } from './memory-disk.ts'
import { MemoryView } from './memory-view.ts'

export class MemoryEngine implements Engine {
  readonly kind = 'memory'
  readonly #disk: MemoryDisk
  #state: 'open' | 'closing' | 'gone' = 'open'
  #lastCommit: Promise<void> = Promise.resolve()

  private constructor(disk: MemoryDisk) {
    this.#disk = disk
    disk.attach(() => (this.#state = 'gone'))
  }

  /**
   * @param disk  rows that outlive the engine; fresh ones if absent
   * @throws {StoreLockedError} another engine is open on the disk: close it, or crash the disk
   */
  static create(disk: MemoryDisk = new MemoryDisk()): MemoryEngine {
    return new MemoryEngine(disk)
  }

  get(key: Uint8Array): Uint8Array | undefined {
    this.#checkOpen('get')
    const value = this.#disk.rows.get(latin1FromBytes(key))
    return value === undefined ? undefined : bytesFromLatin1(value)
  }

  getMany(keys: readonly Uint8Array[]): (Uint8Array | undefined)[] {
    this.#checkOpen('getMany')
    return keys.map((key) => this.get(key))
  }

  scan(options: ScanOptions): Cursor {
    this.#checkOpen('scan')
    return this.#view().scanOnce(options)
  }

  snapshot(): Snapshot {
    this.#checkOpen('snapshot')
    return this.#view()
  }

  commit(batch: WriteBatch): Promise<void> {
    return this.#inTurn('commit', async () => {
      await this.#disk.beforeCommit?.(batch)
      this.#checkAttached('commit')
      this.#disk.apply(batch.finish())
    })
  }

  bulkLoad(batch: WriteBatch): Promise<void> {
    return this.commit(batch)
  }

  deleteRange({ gte, lt }: KeyRange): Promise<void> {
    const [from, to] = [latin1FromBytes(gte), latin1FromBytes(lt)]
    return this.#inTurn('deleteRange', () => {
      const keys = this.#disk.sortedKeys.slice({ gte: from, lt: to, max: Infinity })
      for (const key of keys) this.#disk.write(key, undefined)
    })
  }

  property(name: string): string | undefined {
    this.#checkOpen('property')
    return name === 'rocksdb.estimate-num-keys' ? String(this.#disk.rows.size) : undefined
  }

  /** Waits for commits in flight; a second call waits for the same. */
  async close(): Promise<void> {
    if (this.#state === 'open') this.#state = 'closing'
    await this.#lastCommit
    if (this.#state !== 'closing') return
    this.#state = 'gone'
    this.#disk.release()
  }

  #view(): MemoryView {
    return new MemoryView(this.#disk, () => this.#state === 'open')
  }

  async #inTurn(what: string, work: () => Promise<void> | void): Promise<void> {
    this.#checkOpen(what)
    const turn = this.#lastCommit.then(() => {
      this.#checkAttached(what)
      return work()
    })
    this.#lastCommit = turn.catch(ignore) // a failed commit does not fail those behind it
    return turn
  }

  #checkOpen(what: string): void {
    if (this.#state !== 'open') throw new StoreClosedError(what)
  }

  /** A commit called before `close` still runs while closing, but not after a crash. */
  #checkAttached(what: string): void {
    if (this.#state === 'gone') throw new StoreClosedError(what)
  }
}

const ignore = (): void => {}
