/**
 * Reads any store by its name, with keys and times as text: behind `millrace query`, `/api/stores`.
 *
 * Key-value stores and tables are read by key and by range of keys; stores of windows by key and by
 * range of times; an outbox is listed whole, since its rows have no key a person could know.
 */

import { RuntimeError } from '../errors/classes.ts'
import { type RangeRead, type WindowsRead } from '../queries/partition-read.ts'
import { rowShapeOf } from '../queries/read-rows.ts'
import { readEverywhere, readPage, type StorePage } from '../queries/store-page.ts'
import { type StoreReads } from '../queries/store-reads.ts'
import { type Serde } from '../serde/serde.ts'
import { type Store } from '../stores/store.ts'
import { type RangeRequest } from '../../topologies/shop/http/shop-access.ts'

/** Windows of one key that `get` tells at most. */
const windowsMax = 10_000

/**
 * The row of a key in every partition that has one; of a store of windows, all windows of the key.
 *
 * @throws {RuntimeError} STREAMS_CONFIG: no such store, or no such keys; STREAMS_PARTITION_MOVING
 */
export const readStoreKey = async (
  reads: StoreReads,
  name: string,
  text: string,
): Promise<StorePage> => {
  const store = reads.named(name)
  const shape = rowShapeOf(store)
  if (shape === 'list') {
    throw new RuntimeError(
      'STREAMS_CONFIG',
      `store ${name} is an ${store.kind} store: only its range can be read`,
    )
  }
  const key = keyOf(store, text)
  if (shape === 'keys') return readEverywhere(reads, store, { kind: 'get', key })
  const always = { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER, limit: windowsMax }
  const page = await readPage(reads, store, { kind: 'windows', key, ...always })
  if (page.cursor === undefined) return page
  throw new RuntimeError(
    'STREAMS_CONFIG',
    `store ${name} has more than ${windowsMax} windows of that key: read a range of times`,
  )
}

/**
 * One page of all partitions' rows, in the order of their keys (or times) and partitions.
 *
 * @throws {RuntimeError} STREAMS_CONFIG: no such store, or no such bounds; STREAMS_PARTITION_MOVING
 * @throws {CursorError} the cursor is none of this store
 */
export const readStorePage = async (
  reads: StoreReads,
  name: string,
  request: RangeRequest,
): Promise<StorePage> => {
  const store = reads.named(name)
  const read = rowShapeOf(store) === 'windows' ? windowsOf(name, request) : rangeOf(store, request)
  return readPage(reads, store, read, { cursor: request.cursor })
}

const rangeOf = (store: Store, { from, to, limit }: RangeRequest): RangeRead => {
  if (rowShapeOf(store) === 'list') return { kind: 'range', limit }
  return {
    kind: 'range',
    ...(from === undefined ? {} : { from: keyOf(store, from) }),
    ...(to === undefined ? {} : { to: keyOf(store, to) }),
    limit,
  }
}

const windowsOf = (name: string, { from, to, limit }: RangeRequest): WindowsRead => ({
  kind: 'windows',
  fromMs: from === undefined ? 0 : timeOf(name, from),
  toMs: to === undefined ? Number.MAX_SAFE_INTEGER : timeOf(name, to),
  limit,
})

/** Milliseconds, or a time as ISO-8601. */
const timeOf = (name: string, text: string): number => {
  const timeMs = /^\d{1,15}$/.test(text) ? Number(text) : Date.parse(text)
  if (timeMs >= 0) return timeMs
  throw new RuntimeError(
    'STREAMS_CONFIG',
    `store ${name} has windows of time: '${text}' is neither ms nor an ISO-8601 time`,
  )
}

const keyOf = (store: Store, text: string): unknown => {
  const { name, key } = store as Store & { readonly key: Serde<unknown> }
  if (key.format === 'utf8') return text
  if (key.format === 'int64' && /^-?\d+$/.test(text)) return BigInt(text)
  throw new RuntimeError(
    'STREAMS_CONFIG',
    `store ${name} has ${key.format} keys: '${text}' cannot be one`,
  )
}
