/**
 * The rows of an LMDB database as of one moment; a snapshot, or what one cursor reads from.
 *
 * Made by `LmdbDatabase`, which closes it at the latest before the database: a read transaction
 * must not outlive its environment, nor a cursor its transaction. As long as a view is open, space
 * that later commits free is not used again.
 */

import { checkKey, checkLimit, checkRows } from '../check-arguments.ts'
import type { Cursor, Row, ScanOptions, Snapshot } from '../engine.ts'
import { StoreClosedError } from '../errors.ts'
import type { LmdbStore, LmdbTransaction } from './lmdb-binding.ts'
import { storeErrorOf } from './lmdb-errors.ts'
import { rowOf, storedKey } from './lmdb-keys.ts'
import { type LmdbRow, lmdbRows } from './lmdb-rows.ts'

export interface LmdbViewOptions {
  readonly store: LmdbStore
  readonly directory: string
  readonly isOpen: () => boolean
  readonly onClose: () => void
}

export class LmdbView implements Snapshot {
  readonly #options: LmdbViewOptions
  readonly #transaction: LmdbTransaction
  readonly #scans = new Set<Iterator<LmdbRow, undefined>>()
  #closed = false

  constructor(options: LmdbViewOptions) {
    this.#options = options
    this.#transaction = options.store.useReadTransaction()
  }

  get(key: Uint8Array): Uint8Array | undefined {
    this.check('snapshot')
    checkKey(key)
    const stored = storedKey(key)
    const found = this.#read(() =>
      this.#options.store.getBinary(stored, { transaction: this.#transaction }),
    )
    return found === undefined ? undefined : rowOf(stored, found)[1]
  }

  scan(options: ScanOptions): Cursor {
    this.check('snapshot')
    return new LmdbCursor(this, options)
  }

  /** Rows of a range, one by one; `finish` it. */
  open(options: ScanOptions): Iterator<LmdbRow, undefined> {
    const scan = lmdbRows(this.#options.store, options, this.#transaction)
    this.#scans.add(scan)
    return scan
  }

  step(scan: Iterator<LmdbRow, undefined>): LmdbRow | undefined {
    return this.#read(() => scan.next()).value
  }

  finish(scan: Iterator<LmdbRow, undefined>): void {
    if (this.#scans.delete(scan)) scan.return?.()
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    for (const scan of this.#scans) this.finish(scan)
    this.#transaction.done()
    this.#options.onClose()
  }

  check(what: string): void {
    if (this.#closed || !this.#options.isOpen()) throw new StoreClosedError(what)
  }

  #read<T>(read: () => T): T {
    try {
      return read()
    } catch (error) {
      throw storeErrorOf(error, this.#options.directory)
    }
  }
}

export class LmdbCursor implements Cursor {
  readonly #view: LmdbView
  readonly #ownsView: boolean
  readonly #scan: Iterator<LmdbRow, undefined>
  #left: number
  #closed = false

  /** @param ownsView  closing the cursor closes the view */
  constructor(view: LmdbView, options: ScanOptions, ownsView = false) {
    checkKey(options.gte)
    checkKey(options.lt)
    checkLimit(options.limit)
    this.#view = view
    this.#ownsView = ownsView
    this.#left = options.limit ?? Infinity
    const [gte, lt] = [Buffer.from(options.gte), Buffer.from(options.lt)]
    this.#scan = view.open({ ...options, gte, lt })
  }

  next(max: number): readonly Row[] {
    if (this.#closed) throw new StoreClosedError('cursor')
    this.#view.check('cursor')
    checkRows(max)
    const rows: Row[] = []
    while (rows.length < max && this.#left > 0) {
      const row = this.#view.step(this.#scan)
      if (row === undefined) this.#left = 0
      else rows.push([row.key, row.value])
      this.#left -= 1
    }
    return rows
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#view.finish(this.#scan)
    if (this.#ownsView) this.#view.close()
  }
}
