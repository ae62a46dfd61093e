/**
 * Reads as of one moment: two iterators, up and down, that every read of the snapshot seeks in.
 *
 * Made by `RocksEngine`. The binding has no snapshots, but an iterator is one. 1. Each read seeks
 * anew, so any number of cursors can share the two iterators.
 */

import type { Cursor, Row, ScanOptions, Snapshot } from '../engine.ts'
import { StoreClosedError } from '../errors.ts'
import type { RocksCursor } from './rocks-cursor.ts'

export class RocksSnapshot implements Snapshot {
  readonly #up: RocksCursor
  readonly #down: RocksCursor
  #onClose: (() => void) | undefined

  /** @param onClose  called once, at the first `close` */
  constructor(
    [up, down]: readonly [up: RocksCursor, down: RocksCursor],
    onClose: () => void = () => {},
  ) {
    this.#up = up
    this.#down = down
    this.#onClose = onClose
  }

  get(key: Uint8Array): Uint8Array | undefined {
    this.#up.seek(key)
    const row = this.#up.next(1)[0]
    return row !== undefined && Buffer.compare(row[0], key) === 0 ? row[1] : undefined
  }

  scan(options: ScanOptions): Cursor {
    const cursor = options.reverse === true ? this.#down : this.#up
    cursor.next(0) // throws if the snapshot is closed
    return new SnapshotCursor(cursor, options)
  }

  close(): void {
    this.#up.close()
    this.#down.close()
    this.#onClose?.()
    this.#onClose = undefined
  }
}

class SnapshotCursor implements Cursor {
  readonly #iterator: RocksCursor
  readonly #reverse: boolean
  #gte: Buffer
  #lt: Buffer
  #left: number
  #closed = false

  constructor(iterator: RocksCursor, { gte, lt, reverse, limit }: ScanOptions) {
    this.#iterator = iterator
    this.#reverse = reverse === true
    this.#gte = Buffer.from(gte)
    this.#lt = Buffer.from(lt)
    this.#left = limit ?? Infinity
  }

  next(max: number): readonly Row[] {
    if (this.#closed) throw new StoreClosedError('cursor')
    const wanted = Math.min(max, this.#left)
    if (wanted <= 0) return this.#iterator.next(0)
    this.#iterator.seek(this.#reverse ? this.#lt : this.#gte)
    // Downwards the seek may find the exclusive bound itself: one row more, left out again.
    const rows = this.#iterator
      .next(wanted + 1)
      .filter(([key]) => Buffer.compare(key, this.#gte) >= 0 && Buffer.compare(key, this.#lt) < 0)
      .slice(0, wanted)
    const last = rows.at(-1)?.[0]
    this.#left -= rows.length
    if (last === undefined) this.#left = 0
    else if (this.#reverse) this.#lt = Buffer.from(last)
    else this.#gte = Buffer.concat([last, Uint8Array.of(0)])
    return rows
  }

  close(): void {
    this.#closed = true
  }
}
