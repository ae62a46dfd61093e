/**
 * Reads any store by its name, with keys as text: behind `millrace query` and `/api/stores`.
 *
 * Key-value stores, tables and stores with a time to live are read by key and range; an outbox is
 * listed whole, since its rows have no key a person could know.
 */

import { RuntimeError } from '../errors/classes.ts'
import { type PartitionReader } from '../runtime/queries.ts'
import { type KeyValueReader, type KeyValueStore } from '../stores/key-value-store.ts'
import { type OutboxReader } from '../stores/outbox-store.ts'
import { type Store } from '../stores/store.ts'
import { type Timestamped } from '../stores/table-store.ts'
import { type RangeRequest, type StoreRow } from '../../topologies/shop/http/shop-access.ts'
import { type StoreSource } from './store-source.ts'

type AnyKeyValue = KeyValueStore<unknown, unknown>

/** The row of a key in every partition that has one. */
export const readStoreKey = (
  source: StoreSource,
  name: string,
  text: string,
): readonly StoreRow[] => {
  const store = keyValue(source.named(name))
  const key = keyOf(store, text)
  return readersOf<KeyValueReader<unknown, unknown>>(source, store).flatMap(
    ({ partition, reader }) => {
      const value = reader.get(key)
      return value === undefined ? [] : [{ partition, key, value }]
    },
  )
}

/** Rows of all partitions in the order of their keys and partitions, `limit` at most. */
export const readStoreRows = (
  source: StoreSource,
  name: string,
  { from, to, limit }: RangeRequest,
): readonly StoreRow[] => {
  const store = source.named(name)
  if (store.kind === 'outbox') return outboxRows(source, store, limit)
  const keyed = keyValue(store)
  const bounds = {
    ...(from === undefined ? {} : { from: keyOf(keyed, from) }),
    ...(to === undefined ? {} : { to: keyOf(keyed, to) }),
    limit,
  }
  const rows: StoreRow[] = []
  for (const { partition, reader } of readersOf<KeyValueReader<unknown, unknown>>(source, keyed)) {
    for (const [key, stored] of reader.range(bounds)) {
      const value = isTimed(store) ? (stored as Timestamped<unknown>).value : stored
      rows.push({ partition, key, value })
    }
  }
  return rows
    .toSorted((a, b) => byBytes(keyed.key.encode(a.key), keyed.key.encode(b.key)))
    .slice(0, limit)
}

const outboxRows = (source: StoreSource, store: Store, limit: number): readonly StoreRow[] => {
  const rows: StoreRow[] = []
  for (const { partition, reader } of readersOf<OutboxReader<unknown, unknown>>(source, store)) {
    for (const { rowKey: _address, key, headers: _headers, ...value } of reader.rows()) {
      rows.push({ partition, key, value })
      if (rows.length === limit) return rows
    }
  }
  return rows
}

const readersOf = <Reader>(source: StoreSource, store: Store): readonly PartitionReader<Reader>[] =>
  source.query(store).byPartition() as readonly PartitionReader<Reader>[]

const keyValue = (store: Store): AnyKeyValue => {
  if (store.kind === 'key-value' || store.kind === 'ttl' || isTimed(store)) {
    return store as unknown as AnyKeyValue
  }
  throw new RuntimeError(
    'STREAMS_CONFIG',
    `store ${store.name} is a ${store.kind} store: only its range can be read`,
  )
}

/** Rows of tables come with their times. */
const isTimed = ({ kind }: Store): boolean => kind === 'table' || kind === 'versioned'

const keyOf = ({ name, key }: AnyKeyValue, text: string): unknown => {
  if (key.format === 'utf8') return text
  if (key.format === 'int64' && /^-?\d+$/.test(text)) return BigInt(text)
  throw new RuntimeError(
    'STREAMS_CONFIG',
    `store ${name} has ${key.format} keys: '${text}' cannot be one`,
  )
}

const byBytes = (a: Uint8Array, b: Uint8Array): number => Buffer.compare(a, b)
