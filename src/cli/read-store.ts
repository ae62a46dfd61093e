/**
 * Reads any store by its name, with keys and times as text: behind `millrace query` and
 * `/api/stores`.
 *
 * A global table goes by the name of its topic. What a row looks like is in `store-rows.ts`.
 */

import {
  type RangeRequest,
  type RowBounds,
  type StoreRow,
} from '../../topologies/shop/http/shop-access.ts'
import { type GlobalRows } from '../stores/global-rows.ts'
import { type Timestamped } from '../stores/table-store.ts'
import { keyFromText, printable } from './store-keys.ts'
import { compareRows, type FoundRow, type RowRequest, rowsOf } from './store-rows.ts'
import { type StoreSource } from './store-source.ts'
import { isoOf } from './time-bounds.ts'

/** Rows of one key at most: a key has few, but a bound there must be. */
const keyRowsMax = 10_000

/**
 * The rows of a key, of every partition that has some.
 *
 * @throws {StoreRequestError} the key or a bound cannot be one of this store
 */
export const readStoreKey = (
  source: StoreSource,
  name: string,
  key: string,
  bounds: RowBounds = {},
): Promise<readonly StoreRow[]> => readRows(source, name, { ...bounds, key, limit: keyRowsMax })

/**
 * Rows of all partitions in their order, keys or times, then partitions; `limit` at most.
 *
 * @throws {StoreRequestError} a bound cannot be one of this store
 */
export const readStoreRows = (
  source: StoreSource,
  name: string,
  request: RangeRequest,
): Promise<readonly StoreRow[]> => readRows(source, name, request)

const readRows = async (
  source: StoreSource,
  name: string,
  request: RowRequest,
): Promise<readonly StoreRow[]> => {
  const globals = await source.global(name)
  if (globals !== undefined) return globalRows(globals, request)
  const store = source.named(name)
  const found: (readonly [number, FoundRow])[] = []
  for (const { partition, reader } of source.query(store).byPartition()) {
    let left = request.limit
    for (const row of rowsOf(store, reader, request)) {
      found.push([partition, row])
      left -= 1
      if (left === 0) break
    }
  }
  return found
    .toSorted(([, a], [, b]) => compareRows(a, b))
    .slice(0, request.limit)
    .map(([partition, { order: _order, ...row }]) => ({ partition, ...row }))
}

const globalRows = (
  globals: GlobalRows<unknown, unknown>,
  request: RowRequest,
): readonly StoreRow[] => {
  const { key: serde, name } = globals.topic
  const typed = (text: string): unknown => keyFromText({ name }, serde, text)
  const shown = (key: unknown, { value, timestampMs }: Timestamped<unknown>): StoreRow => ({
    key: printable(key),
    time: isoOf(timestampMs),
    value: printable(value),
  })
  if (request.key !== undefined) {
    const key = typed(request.key)
    const row = globals.row(key)
    return row === undefined ? [] : [shown(key, row)]
  }
  const from = request.from === undefined ? undefined : serde.encode(typed(request.from))
  const to = request.to === undefined ? undefined : serde.encode(typed(request.to))
  return [...globals.entries()]
    .map(([key, row]) => [serde.encode(key), shown(key, row)] as const)
    .filter(([key]) => from === undefined || Buffer.compare(key, from) >= 0)
    .filter(([key]) => to === undefined || Buffer.compare(key, to) < 0)
    .toSorted(([a], [b]) => Buffer.compare(a, b))
    .slice(0, request.limit)
    .map(([, row]) => row)
}
