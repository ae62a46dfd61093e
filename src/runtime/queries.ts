/**
 * Reads of committed state from outside of the topology: interactive queries.
 *
 * 1. They see committed values only, never what a transaction in flight may still drop. 2. A store
 * is spread over the tasks of its sub-topology: a reader per task, merged here. 3. While a task
 * that has the store is opened, what it would answer is not known: STREAMS_CLOSED, ask again.
 */

import { RuntimeError } from '../errors/classes.ts'
import type { Store } from '../stores/store.ts'

/** What a key-value store's reader offers; others have faces of their own. */
interface Gettable<K, V> {
  get(key: K): V | undefined
}

interface Rangeable<R> {
  range(options?: object): Iterable<R>
}

export interface PartitionReader<Reader> {
  readonly partition: number
  readonly reader: Reader
}

export class StoreQuery<Reader> {
  readonly #readers: () => readonly PartitionReader<Reader>[]
  readonly #name: string
  readonly #isOpening: () => boolean

  /** @param isOpening  true while a task that has the store is being opened */
  constructor(
    name: string,
    readers: () => readonly PartitionReader<Reader>[],
    isOpening = () => false,
  ) {
    this.#name = name
    this.#readers = readers
    this.#isOpening = isOpening
  }

  /** One reader per task of this instance that has the store, by partition. */
  partitions(): readonly Reader[] {
    return this.byPartition().map(({ reader }) => reader)
  }

  /** As `partitions`, with the number of each: an instance need not have them all. */
  byPartition(): readonly PartitionReader<Reader>[] {
    const readers = this.#readers()
    if (readers.length > 0 && !this.#isOpening()) return readers
    throw new RuntimeError(
      'STREAMS_CLOSED',
      `store ${this.#name} is not open here: starting, reopening or closed; ask again`,
    )
  }

  /** The value of a key, whichever partition holds it. */
  get<K, V>(this: StoreQuery<Reader & Gettable<K, V>>, key: K): V | undefined {
    for (const { reader } of this.#readers()) {
      const value = reader.get(key)
      if (value !== undefined) return value
    }
    this.partitions() // nobody has it, if all that could are open
    return undefined
  }

  /** Rows of every partition, one partition after the other; `limit` counts over all of them. */
  *range<Row>(
    this: StoreQuery<Reader & Rangeable<Row>>,
    options: { readonly limit?: number } = {},
  ): Generator<Row> {
    let left = options.limit ?? Infinity
    for (const reader of this.partitions()) {
      if (left <= 0) return
      const bound = left === Infinity ? {} : { limit: left }
      for (const row of reader.range({ ...options, ...bound })) {
        yield row
        left -= 1
      }
    }
  }
}

/** @throws {RuntimeError} STREAMS_CONFIG: names the stores there are */
export const storeByName = (stores: ReadonlyMap<string, Store>, name: string): Store => {
  const store = stores.get(name)
  if (store !== undefined) return store
  throw new RuntimeError(
    'STREAMS_CONFIG',
    `no store is named ${name}; there are ${[...stores.keys()].sort().join(', ')}`,
  )
}
