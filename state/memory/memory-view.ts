/**
 * The rows of a memory disk as of one moment, while commits go on; snapshot and cursor in one.
 *
 * Opened by `MemoryEngine`. Writers save each row's old value in `before` the first time it
 * changes, so opening costs nothing and a view pays only for what changed under it.
 * 1. A key in `before` is read from there, any other from the live rows.
 */

import type { Cursor, Row, ScanOptions, Snapshot } from '../engine.ts'
import { StoreClosedError } from '../errors.ts'
import { bytesFromLatin1, latin1FromBytes } from '../key-layout.ts'
import type { MemoryDisk, RowsBefore } from './memory-disk.ts'

export class MemoryView implements Snapshot {
  readonly #disk: MemoryDisk
  readonly #isOpen: () => boolean
  readonly #before: RowsBefore = new Map()
  #closed = false

  constructor(disk: MemoryDisk, isOpen: () => boolean) {
    this.#disk = disk
    this.#isOpen = isOpen
    disk.viewsBefore.add(this.#before)
  }

  get(key: Uint8Array): Uint8Array | undefined {
    this.#check()
    const value = this.#read(latin1FromBytes(key))
    return value === undefined ? undefined : bytesFromLatin1(value)
  }

  scan(options: ScanOptions): Cursor {
    this.#check()
    return new MemoryCursor((range) => this.#rows(range), options, undefined)
  }

  /** A cursor that owns this view and closes it. */
  scanOnce(options: ScanOptions): Cursor {
    return new MemoryCursor((range) => this.#rows(range), options, this)
  }

  close(): void {
    this.#closed = true
    this.#disk.viewsBefore.delete(this.#before)
  }

  #check(): void {
    if (this.#closed || !this.#isOpen()) throw new StoreClosedError('memory view')
  }

  #read(key: string): string | undefined {
    return this.#before.has(key) ? this.#before.get(key) : this.#disk.rows.get(key)
  }

  /** Up to `max` keys of the range that exist in this view, with their values. */
  #rows(range: TextRange): [string, string][] {
    this.#check()
    const rows: [string, string][] = []
    let { gte, lt } = range
    while (rows.length < range.max && gte < lt) {
      const max = range.max - rows.length
      const live = this.#disk.sortedKeys.slice({ gte, lt, reverse: range.reverse, max })
      const exhausted = live.length < max
      const last = live.at(-1)
      const from: string = exhausted || !range.reverse ? gte : last!
      const to: string = exhausted || range.reverse ? lt : `${last!}\0`
      for (const key of this.#withDeleted(live, { ...range, gte: from, lt: to })) {
        const value = this.#read(key)
        if (value !== undefined) rows.push([key, value])
      }
      if (exhausted) break
      if (range.reverse) lt = from
      else gte = to
    }
    return rows.slice(0, range.max)
  }

  /** The live keys, and in their places those of the range that are no longer live. */
  #withDeleted(live: string[], { gte, lt, reverse }: TextRange): string[] {
    const deleted: string[] = []
    for (const [key, value] of this.#before) {
      if (value === undefined || key < gte || key >= lt) continue
      if (!this.#disk.rows.has(key)) deleted.push(key)
    }
    if (deleted.length === 0) return live
    const all = live.concat(deleted).sort()
    return reverse ? all.reverse() : all
  }
}

interface TextRange {
  readonly gte: string
  readonly lt: string
  readonly reverse: boolean
  readonly max: number
}

class MemoryCursor implements Cursor {
  readonly #rows: (range: TextRange) => [string, string][]
  readonly #owned: MemoryView | undefined
  readonly #reverse: boolean
  #gte: string
  #lt: string
  #left: number
  #closed = false

  constructor(
    rows: (range: TextRange) => [string, string][],
    options: ScanOptions,
    owned: MemoryView | undefined,
  ) {
    this.#rows = rows
    this.#owned = owned
    this.#reverse = options.reverse === true
    this.#gte = latin1FromBytes(options.gte)
    this.#lt = latin1FromBytes(options.lt)
    this.#left = options.limit ?? Infinity
  }

  next(max: number): readonly Row[] {
    if (this.#closed) throw new StoreClosedError('memory cursor')
    const wanted = Math.min(max, this.#left)
    const range = { gte: this.#gte, lt: this.#lt, reverse: this.#reverse, max: wanted }
    const found = this.#rows(range)
    this.#left -= found.length
    const last = found.at(-1)
    if (last !== undefined) {
      if (this.#reverse) this.#lt = last[0]
      else this.#gte = `${last[0]}\0`
    }
    return found.map(([key, value]) => [bytesFromLatin1(key), bytesFromLatin1(value)])
  }

  close(): void {
    this.#closed = true
    this.#owned?.close()
  }
}
