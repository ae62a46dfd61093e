/**
 * Reads any store by its name, with keys as text: behind `millrace query` and `/api/stores`.
 *
 * Key-value stores are read by key and range; an outbox is listed whole, since its rows have no
 * key a person could know.
 */

import { RuntimeError } from '../errors/classes.ts'
import { type KeyValueReader, type KeyValueStore } from '../stores/key-value-store.ts'
import { type OutboxReader } from '../stores/outbox-store.ts'
import { type Store } from '../stores/store.ts'
import { type RangeRequest, type StoreRow } from '../../topologies/shop/http/shop-access.ts'
import { type StoreSource } from './store-source.ts'

type AnyKeyValue = KeyValueStore<unknown, unknown>

/** @returns  undefined if the key has no value */
export const readStoreRow = (source: StoreSource, name: string, key: string): unknown => {
  const store = keyValue(source.named(name))
  for (const reader of readersOf<KeyValueReader<unknown, unknown>>(source, store)) {
    const value = reader.get(keyOf(store, key))
    if (value !== undefined) return value
  }
  return undefined
}

/** Rows of all partitions in the order of their keys, `limit` at most. */
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
  for (const reader of readersOf<KeyValueReader<unknown, unknown>>(source, keyed)) {
    rows.push(...reader.range(bounds))
  }
  return rows
    .toSorted(([a], [b]) => byBytes(keyed.key.encode(a), keyed.key.encode(b)))
    .slice(0, limit)
}

const outboxRows = (source: StoreSource, store: Store, limit: number): readonly StoreRow[] => {
  const rows: StoreRow[] = []
  for (const reader of readersOf<OutboxReader<unknown, unknown>>(source, store)) {
    for (const { rowKey: _address, key, headers: _headers, ...row } of reader.rows()) {
      rows.push([key, row])
      if (rows.length === limit) return rows
    }
  }
  return rows
}

const readersOf = <Reader>(source: StoreSource, store: Store): readonly Reader[] =>
  source.query(store).partitions() as readonly Reader[]

const keyValue = (store: Store): AnyKeyValue => {
  if (store.kind === 'key-value') return store as unknown as AnyKeyValue
  throw new RuntimeError(
    'STREAMS_CONFIG',
    `store ${store.name} is a ${store.kind} store: only its range can be read`,
  )
}

const keyOf = ({ name, key }: AnyKeyValue, text: string): unknown => {
  if (key.format === 'utf8') return text
  if (key.format === 'int64' && /^-?\d+$/.test(text)) return BigInt(text)
  throw new RuntimeError(
    'STREAMS_CONFIG',
    `store ${name} has ${key.format} keys: '${text}' cannot be one`,
  )
}

const byBytes = (a: Uint8Array, b: Uint8Array): number => Buffer.compare(a, b)
