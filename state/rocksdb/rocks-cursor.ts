/**
 * One iterator of the database, safe against every misuse that aborts the process.
 *
 * Made by `RocksDatabase` only, which closes it at the latest before the database.
 * 1. The iterator is not touched after close, nor moved past its end. 2. An empty range never
 * reaches the iterator: lower above upper bound is undefined behaviour there.
 */

import { checkKey, checkRows } from '../check-arguments.ts'
import type { Cursor, Row } from '../engine.ts'
import { StoreClosedError } from '../errors.ts'
import type { RocksBinding, RocksIterator } from './rocks-binding.ts'
import { storeErrorOf } from './rocks-errors.ts'

const noValue = Buffer.alloc(0)

export interface RocksCursorOptions {
  readonly binding: RocksBinding
  /** Undefined for an empty range. */
  readonly iterator: RocksIterator | undefined
  readonly directory: string
  readonly isOpen: () => boolean
  readonly onClose: () => void
}

export class RocksCursor implements Cursor {
  readonly #options: RocksCursorOptions
  #finished: boolean
  #closed = false

  constructor(options: RocksCursorOptions) {
    this.#options = options
    this.#finished = options.iterator === undefined
  }

  next(max: number): readonly Row[] {
    this.#check(max)
    const { binding, iterator, directory } = this.#options
    if (this.#finished || iterator === undefined || max === 0) return []
    try {
      const { rows, finished } = binding.iterator_nextv_sync(iterator, Math.min(max, 0x7fff_ffff))
      this.#finished = finished
      const pairs: Row[] = []
      for (let i = 0; i < rows.length; i += 2) pairs.push([rows[i]!, rows[i + 1] ?? noValue])
      return pairs
    } catch (error) {
      this.#finished = true
      throw storeErrorOf(error, 'read', directory)
    }
  }

  /** Goes to the first row not below `target`, downwards to the first not above it. */
  seek(target: Uint8Array): void {
    this.#check(0)
    checkKey(target)
    const { binding, iterator } = this.#options
    if (iterator === undefined) return
    binding.iterator_seek(iterator, target)
    this.#finished = false
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    const { binding, iterator, onClose } = this.#options
    if (iterator !== undefined) binding.iterator_close(iterator)
    onClose()
  }

  #check(max: number): void {
    if (this.#closed || !this.#options.isOpen()) throw new StoreClosedError('cursor')
    checkRows(max)
  }
}
