/**
 * Reads any store by its name, with keys and times as text: behind `millrace query` and
 * `/api/stores`.
 *
 * Stores are read wherever their partitions are, all of them or none. A global table goes by the
 * name of its topic and is here whole. What a row looks like is in `store-rows.ts`.
 */

import {
  type RangeRequest,
  type RowBounds,
  type SourcedRows,
  StoreRequestError,
} from '../../topologies/shop/http/shop-access.ts'
import type { RangeRead, WindowsRead } from '../queries/partition-read.ts'
import { keyFormatOf, keySerdeOf, rowShapeOf } from '../queries/row-shape.ts'
import { readEverywhere, readPage, type StorePage } from '../queries/store-page.ts'
import type { StoreReads } from '../queries/store-reads.ts'
import type { Store } from '../stores/store.ts'
import { globalRow, globalRowsPage } from './read-global-rows.ts'
import { keyBounds, keyFromText } from './store-keys.ts'
import { shownRow } from './store-rows.ts'
import type { StoreSource } from './store-source.ts'
import { timeBounds } from './time-bounds.ts'

/** Stores of tasks, by whoever has their partitions, and the tables that every instance has. */
export interface NamedStores {
  readonly reads: StoreReads
  readonly stores: Pick<StoreSource, 'global'>
}

/** Rows of one key at most: a key has few, but a bound there must be. */
const keyRowsMax = 10_000

/**
 * The rows of a key, of every partition that has some; all of them.
 *
 * @throws {StoreRequestError} the key or a bound cannot be one of this store; too many rows
 * @throws {RuntimeError} STREAMS_CONFIG: there is no such store; STREAMS_PARTITION_MOVING
 */
export const readStoreKey = async (
  { reads, stores }: NamedStores,
  name: string,
  text: string,
  bounds: RowBounds = {},
): Promise<SourcedRows> => {
  const globals = await stores.global(name)
  if (globals !== undefined) {
    refuseBounds(bounds, `table ${name} has one row per key: a key has no bounds`)
    return globalRow(globals, text)
  }
  const store = reads.named(name)
  const key = keyFromText(name, keyFormatOf(store), text)
  if (rowShapeOf(store) === 'keys') {
    refuseBounds(bounds, `store ${name} has one row per key: a key has no bounds`)
    return shownPage(store, await readEverywhere(reads, store, { kind: 'get', key }))
  }
  const read = { ...rangeOf(store, { ...bounds, limit: keyRowsMax }), key }
  const page = await readPage(reads, store, read)
  if (page.cursor === undefined) return shownPage(store, page)
  throw new StoreRequestError(
    `store ${name} has more than ${keyRowsMax} rows of that key: read its range, in pages`,
  )
}

/**
 * One page of all partitions' rows, in the order of their keys (or times) and partitions.
 *
 * @throws {StoreRequestError} a bound cannot be one of this store; the end comes first
 * @throws {RuntimeError} STREAMS_CONFIG: there is no such store; STREAMS_PARTITION_MOVING
 * @throws {CursorError} the cursor is none of this store
 */
export const readStorePage = async (
  { reads, stores }: NamedStores,
  name: string,
  request: RangeRequest,
): Promise<SourcedRows> => {
  const globals = await stores.global(name)
  if (globals !== undefined) return globalRowsPage(globals, request)
  const store = reads.named(name)
  const { cursor } = request
  return shownPage(store, await readPage(reads, store, rangeOf(store, request), { cursor }))
}

const shownPage = (store: Store, { rows, ...page }: StorePage): SourcedRows => ({
  rows: rows.map((row) => shownRow(store, row)),
  ...page,
})

const rangeOf = (store: Store, request: RangeRequest): RangeRead | WindowsRead => {
  const { name, kind } = store
  const { limit } = request
  const shape = rowShapeOf(store)
  if (shape === 'windows') return { kind: 'windows', ...timeBounds(request), limit }
  if (shape === 'list') {
    refuseBounds(request, `store ${name} is a ${kind} store: its rows have no bounds`)
    return { kind: 'range', limit }
  }
  return { kind: 'range', ...keyBounds(name, keySerdeOf(store), request), limit }
}

const refuseBounds = ({ from, to }: RowBounds, why: string): void => {
  if (from !== undefined || to !== undefined) throw new StoreRequestError(why)
}
