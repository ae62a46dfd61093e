/**
 * The guard around the binding: no call of this class can abort the process.
 *
 * Owned by `RocksEngine`. The binding aborts on reads before open, on anything after close, on an
 * iterator used after close or past its end, and on options of a wrong type.
 * ```
 *   open() ──► open ──stopReads──► closing ──close──► closed
 * ```
 * 1. Reads run only while `open`, writes also while `closing`. 2. Every open cursor is known here
 * and closed before the database. 3. `close` is called once, with no write in flight.
 */

import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { checkKey, checkLimit } from '../check-arguments.ts'
import type { ScanOptions } from '../engine.ts'
import { StoreClosedError, StoreCorruptError } from '../errors.ts'
import { checkMadeBy } from '../made-by.ts'
import {
  loadRocksBinding,
  type RocksBatch,
  type RocksBinding,
  type RocksContext,
  type RocksOpenOptions,
} from './rocks-binding.ts'
import { RocksCursor } from './rocks-cursor.ts'
import { storeErrorOf } from './rocks-errors.ts'
import { rocksWrite } from './rocks-write.ts'

const noOptions = {}
const asText = { valueEncoding: 'utf8' } as const
const replacement = '\uFFFD'

/** Limits beyond this are no limit: the binding takes 32 bits. */
const limitMax = 0x7fff_ffff

export class RocksDatabase {
  readonly directory: string
  readonly #binding: RocksBinding
  readonly #context: RocksContext
  readonly #batch: RocksBatch
  readonly #cursors = new Set<RocksCursor>()
  #state: 'open' | 'closing' | 'closed' = 'open'

  private constructor(directory: string, binding: RocksBinding, context: RocksContext) {
    this.directory = directory
    this.#binding = binding
    this.#context = context
    this.#batch = binding.batch_init()
  }

  /**
   * @throws {StoreLockedError} the database is open already, here or in another process
   * @throws {StoreMismatchError} another engine made it: use that one
   * @throws {StoreCorruptError} it cannot be read: wipe the directory and restore
   * @throws {StoreIoError} another failure, or no binary for this machine
   */
  static async open(directory: string, options: RocksOpenOptions): Promise<RocksDatabase> {
    try {
      const binding = loadRocksBinding()
      mkdirSync(directory, { recursive: true })
      checkMadeBy(directory, 'rocksdb')
      checkComplete(directory)
      const context = binding.db_init(directory)
      await new Promise<void>((resolve, reject) => {
        binding.db_open(context, options, (error) => (error === null ? resolve() : reject(error)))
      })
      return new RocksDatabase(directory, binding, context)
    } catch (error) {
      throw storeErrorOf(error, 'open', directory)
    }
  }

  /** Cursors that were not closed yet, two of each snapshot included. */
  get openCursors(): number {
    return this.#cursors.size
  }

  /** For the writer thread, which must be gone before `close`. */
  handle(): bigint {
    this.#checkOpen('handle')
    return this.#binding.db_get_handle(this.#context)
  }

  get(key: Uint8Array): Buffer | undefined {
    this.#checkOpen('get')
    checkKey(key)
    return this.#getAll([key])[0]
  }

  getMany(keys: readonly Uint8Array[]): (Buffer | undefined)[] {
    this.#checkOpen('getMany')
    for (const key of keys) checkKey(key)
    return this.#getAll(keys)
  }

  /** As `getMany`, decoded; what is no UTF-8, or holds U+FFFD, is read again as bytes. */
  getTexts(keys: readonly Uint8Array[]): (string | Buffer | undefined)[] {
    this.#checkOpen('getTexts')
    for (const key of keys) checkKey(key)
    try {
      const found = this.#binding.db_get_many_sync(this.#context, keys, asText)
      return found.map((text, i) => {
        const isText = text !== null && text?.includes(replacement) !== true
        return isText ? text : this.#getAll([keys[i]!])[0]
      })
    } catch (error) {
      throw storeErrorOf(error, 'read', this.directory)
    }
  }

  cursor({ gte, lt, reverse, limit, keysOnly }: ScanOptions): RocksCursor {
    this.#checkOpen('scan')
    checkKey(gte)
    checkKey(lt)
    checkLimit(limit)
    return this.#cursor({
      gte,
      lt,
      reverse: reverse === true,
      values: keysOnly !== true,
      limit: Math.min(limit ?? limitMax, limitMax),
    })
  }

  /** Cursors over everything, up and down, that see the same moment. */
  twinCursors(): readonly [up: RocksCursor, down: RocksCursor] {
    this.#checkOpen('snapshot')
    for (;;) {
      const before = this.#binding.db_get_latest_sequence(this.#context)
      const up = this.#cursor({ reverse: false, values: true, limit: -1 })
      const down = this.#cursor({ reverse: true, values: true, limit: -1 })
      // The writer thread may have written in between, then the two would differ.
      if (this.#binding.db_get_latest_sequence(this.#context) === before) return [up, down]
      up.close()
      down.close()
    }
  }

  /** Writes on this thread; the caller sees to it that the writer thread is idle. */
  write(packed: Buffer, sync: boolean): void {
    if (this.#state === 'closed') throw new StoreClosedError('commit')
    try {
      const target = { binding: this.#binding, context: this.#context, batch: this.#batch }
      rocksWrite(target, packed, sync)
    } catch (error) {
      throw storeErrorOf(error, 'write', this.directory)
    }
  }

  property(name: string): string | undefined {
    this.#checkOpen('property')
    if (typeof name !== 'string') throw new TypeError('property: the name must be a string')
    const value = this.#binding.db_get_property(this.#context, name)
    return value === '' ? undefined : value
  }

  /** From now on only writes that are already under way are let through. */
  stopReads(): void {
    if (this.#state === 'open') this.#state = 'closing'
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    for (const cursor of this.#cursors) cursor.close()
    await new Promise<void>((resolve, reject) => {
      this.#binding.db_close(this.#context, (error) => {
        if (error === null) resolve()
        else reject(storeErrorOf(error, 'close', this.directory))
      })
    })
  }

  #cursor(range: {
    readonly gte?: Uint8Array
    readonly lt?: Uint8Array
    readonly reverse: boolean
    readonly values: boolean
    readonly limit: number
  }): RocksCursor {
    try {
      const isEmpty =
        range.gte !== undefined
        && range.lt !== undefined
        && Buffer.compare(range.gte, range.lt) >= 0
      const iterator = isEmpty
        ? undefined
        : this.#binding.iterator_init(this.#context, {
            ...range,
            keyEncoding: 'buffer',
            valueEncoding: 'buffer',
            fillCache: true,
          })
      const cursor = new RocksCursor({
        binding: this.#binding,
        iterator,
        directory: this.directory,
        isOpen: () => this.#state === 'open',
        onClose: () => this.#cursors.delete(cursor),
      })
      this.#cursors.add(cursor)
      return cursor
    } catch (error) {
      throw storeErrorOf(error, 'read', this.directory)
    }
  }

  #getAll(keys: readonly Uint8Array[]): (Buffer | undefined)[] {
    try {
      const found = this.#binding.db_get_many_sync(this.#context, keys, noOptions)
      for (let i = 0; i < found.length; i++) {
        if (found[i] === null) found[i] = this.#getAlone(keys[i]!)
      }
      return found as (Buffer | undefined)[]
    } catch (error) {
      throw storeErrorOf(error, 'read', this.directory)
    }
  }

  /** A row that did not fit into the 2 GiB of one answer. */
  #getAlone(key: Uint8Array): Buffer | undefined {
    const value = this.#binding.db_get_many_sync(this.#context, [key], noOptions)[0]
    if (value === null) throw new Error('a value of more than 2 GiB cannot be read')
    return value
  }

  #checkOpen(what: string): void {
    if (this.#state !== 'open') throw new StoreClosedError(what)
  }
}

/** With tables but no CURRENT file RocksDB would start an empty database over them. */
const checkComplete = (directory: string): void => {
  if (existsSync(join(directory, 'CURRENT'))) return
  const left = readdirSync(directory).find((name) => /^MANIFEST-|\.sst$/.test(name))
  if (left === undefined) return
  throw new StoreCorruptError(directory, new Error(`file CURRENT is missing beside ${left}`))
}
