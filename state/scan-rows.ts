/**
 * One ordered run over the rows of a store: uncommitted writes laid over the engine's rows.
 *
 * Made by `Slots.scan` and `cleanScan`. 1. Of one key the overlay wins, its tombstones hide.
 * 2. Everything is as of the call: the overlay's values are copied then, the cursor is a view.
 * 3. The cursor is closed as soon as it is exhausted, which most scans are after their first
 * chunk, else by `return`. 4. The row that tells versions is not shown.
 */

import type { DeletedRun } from './deleted-runs.ts'
import type { Cursor } from './engine.ts'
import { versionRowKey } from './key-layout.ts'
import { absent } from './slot.ts'
import type { SortedKeys } from './sorted-keys.ts'

const chunkRowsMax = 256
const firstChunkRows = 32

/** Bounds are latin1 keys of the store; the whole store if absent. */
export interface SlotRange {
  /** Inclusive. */
  readonly gte?: string
  /** Exclusive. */
  readonly lt?: string
  readonly reverse?: boolean
  /** Rows at most. With one the scan is done at once, which a small run is best served by. */
  readonly limit?: number
}

export interface Overlay {
  readonly keys: SortedKeys
  /** Rows of the engine that are deleted, beside the tombstones among the keys. */
  readonly deletedRuns: readonly DeletedRun[]
  /** The value of a key of the overlay, undefined for a tombstone, `absent` if it has none. */
  read(key: string): unknown
}

export interface ScanRowsOptions {
  readonly cursor: Cursor
  /** Bytes of the engine's keys before the store's own. */
  readonly prefixBytes: number
  readonly range: SlotRange
  readonly decode: (bytes: Uint8Array, key: string) => unknown
  readonly overlay?: Overlay
}

export const scanRows = (options: ScanRowsOptions): IterableIterator<[string, unknown]> => {
  const run = new MergedRows(options)
  return options.range.limit === undefined ? run : run.take(options.range.limit)
}

type OverlayRow = readonly [key: string, value: unknown]
type EngineRow = readonly [key: string, bytes: Uint8Array]

class MergedRows implements IterableIterator<[string, unknown]> {
  readonly #options: ScanRowsOptions
  readonly #descending: boolean
  #rows: readonly EngineRow[] = []
  #rowAt = 0
  #chunkRows: number
  #exhausted = false
  #overlayRows: readonly OverlayRow[] = []
  #overlayAt = 0
  /** What is left of the range in the overlay, undefined if nothing. */
  #overlayRange: SlotRange | undefined

  constructor(options: ScanRowsOptions) {
    this.#options = options
    this.#descending = options.range.reverse === true
    this.#chunkRows = Math.min(options.range.limit ?? firstChunkRows, chunkRowsMax)
    this.#overlayRange = options.overlay === undefined ? undefined : options.range
    this.#fillOverlay()
    this.#fillRows()
  }

  [Symbol.iterator](): IterableIterator<[string, unknown]> {
    return this
  }

  next(): IteratorResult<[string, unknown]> {
    for (;;) {
      const row = this.#peekRow()
      const over = this.#peekOverlay()
      if (row === undefined && over === undefined) return this.return()
      const order = this.#compare(row, over)
      if (order < 0) {
        this.#rowAt++
        if (row![0] === versionRowKey || this.#isDeleted(row![0])) continue
        return { done: false, value: [row![0], this.#options.decode(row![1], row![0])] }
      }
      this.#overlayAt++
      if (order === 0) this.#rowAt++
      if (over![1] !== undefined) return { done: false, value: [over![0], over![1]] }
    }
  }

  return(): IteratorResult<[string, unknown]> {
    if (!this.#exhausted) this.#options.cursor.close()
    this.#exhausted = true
    this.#rows = this.#overlayRows = []
    this.#rowAt = this.#overlayAt = 0
    this.#overlayRange = undefined
    return { done: true, value: undefined }
  }

  /** The first `limit` rows, read now. */
  take(limit: number): IterableIterator<[string, unknown]> {
    const taken: [string, unknown][] = []
    try {
      while (taken.length < limit) {
        const { done, value } = this.next()
        if (done === true) break
        taken.push(value)
      }
    } finally {
      this.return()
    }
    return taken[Symbol.iterator]()
  }

  /** Negative: the engine's row is first; 0: the overlay replaces it; positive: overlay first. */
  #compare(row: EngineRow | undefined, over: OverlayRow | undefined): number {
    if (row === undefined) return 1
    if (over === undefined) return -1
    if (row[0] === over[0]) return 0
    return row[0] < over[0] === this.#descending ? 1 : -1
  }

  #isDeleted(key: string): boolean {
    const runs = this.#options.overlay?.deletedRuns
    if (runs === undefined || runs.length === 0) return false
    return runs.some((run) => run.has(key))
  }

  #peekRow(): EngineRow | undefined {
    if (this.#rowAt === this.#rows.length && !this.#exhausted) this.#fillRows()
    return this.#rows[this.#rowAt]
  }

  #peekOverlay(): OverlayRow | undefined {
    while (this.#overlayAt === this.#overlayRows.length && this.#overlayRange !== undefined) {
      this.#fillOverlay()
    }
    return this.#overlayRows[this.#overlayAt]
  }

  #fillRows(): void {
    const { cursor, prefixBytes } = this.#options
    let rows
    try {
      rows = cursor.next(this.#chunkRows)
    } catch (error) {
      cursor.close()
      this.#exhausted = true
      throw error
    }
    this.#rows = rows.map(([key, value]) => [storeKey(key, prefixBytes), value])
    this.#rowAt = 0
    if (rows.length < this.#chunkRows) {
      this.#exhausted = true
      cursor.close()
    }
    this.#chunkRows = chunkRowsMax
  }

  /** All of the overlay at once, or a page of it if a limit will end the run in this call. */
  #fillOverlay(): void {
    const range = this.#overlayRange
    const { overlay } = this.#options
    if (range === undefined || overlay === undefined) return
    const max = range.limit === undefined ? Infinity : Math.max(range.limit, 1)
    const keys = overlay.keys.slice({ ...range, max })
    this.#overlayRows = keys
      .map((key) => [key, overlay.read(key)] as const)
      .filter(([key, value]) => value !== absent && key !== versionRowKey)
    this.#overlayAt = 0
    const last = keys.at(-1)
    if (keys.length < max || last === undefined) this.#overlayRange = undefined
    else if (this.#descending) this.#overlayRange = { ...range, lt: last }
    else this.#overlayRange = { ...range, gte: `${last}\0` }
  }
}

const storeKey = (key: Uint8Array, prefixBytes: number): string =>
  (Buffer.isBuffer(key) ? key : Buffer.from(key)).toString('latin1', prefixBytes)
