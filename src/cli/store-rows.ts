/**
 * Rows of every kind of store in one shape, as people read them.
 *
 * Called by `read-store.ts` with the readers of one partition after the other. 1. Each kind yields
 * its rows in one order, which `compare` tells: by key bytes, or by time. 2. Times are ISO-8601,
 * windows are apart from their keys. 3. Bounds mean keys, or times where rows lie in time.
 */

import { type RowBounds, StoreRequestError } from '../../topologies/shop/http/shop-access.ts'
import { type Serde } from '../serde/serde.ts'
import { type DistinctReader, type DistinctStore } from '../stores/distinct-store.ts'
import { type ForeignKeyReader, type ForeignKeyStore } from '../stores/foreign-key-store.ts'
import { type JoinReader } from '../stores/join-reader.ts'
import { type JoinStore } from '../stores/join-store.ts'
import { type KeyValueReader, type KeyValueStore } from '../stores/key-value-store.ts'
import { type OutboxReader } from '../stores/outbox-store.ts'
import { type Store } from '../stores/store.ts'
import { type SuppressReader, type SuppressStore } from '../stores/suppress-store.ts'
import { type TableReader } from '../stores/table-store.ts'
import { type WaitingReader, type WaitingStore } from '../stores/waiting-store.ts'
import { type WindowReader, type WindowStore } from '../stores/window-store.ts'
import { type WindowedReader } from '../stores/windowed-rows.ts'
import { type WindowedStore } from '../stores/windowed-store.ts'
import { isWindowedKey, keyBounds, keyFromText, printable, splitKey } from './store-keys.ts'
import { isoOf, timeBounds } from './time-bounds.ts'

/** A row without its partition. */
export interface FoundRow {
  readonly key: unknown
  readonly window?: { readonly start: string; readonly end?: string }
  readonly time?: string
  readonly value: unknown
  /** Its place among the rows of other partitions. */
  readonly order: number | Uint8Array
}

export interface RowRequest extends RowBounds {
  /** Only rows of this key, as text. */
  readonly key?: string
  /** Rows at most, of one partition. */
  readonly limit: number
}

type Rows = Iterable<FoundRow>

/** True if `from` and `to` are times. */
const liesInTime = (store: Store): boolean => {
  if (store.kind === 'suppress' || store.kind === 'table' || store.kind === 'key-value') {
    return isWindowedKey((store as KeyValueStore<unknown, unknown>).key)
  }
  return ['windowed', 'window', 'join', 'waiting'].includes(store.kind)
}

/** True if one key may have several rows in one partition. */
export const hasManyRows = (store: Store): boolean =>
  liesInTime(store) || store.kind === 'foreign-key' || store.kind === 'outbox'

/** The order of rows of several partitions; equal ones stay as they are. */
export const compareRows = ({ order: a }: FoundRow, { order: b }: FoundRow): number =>
  typeof a === 'number' ? a - (b as number) : Buffer.compare(a, b as Uint8Array)

/**
 * @param reader  of this store, in one partition
 * @throws {StoreRequestError} the key or a bound cannot be one of this store
 */
export const rowsOf = (store: Store, reader: unknown, request: RowRequest): Rows => {
  switch (store.kind) {
    case 'windowed':
      return windowedRows(store as never, reader as never, request)
    case 'window':
      return windowRows(store as never, reader as never, request)
    case 'suppress':
      return suppressRows(store as never, reader as never, request)
    case 'distinct':
      return distinctRows(store as never, reader as never, request)
    case 'join':
      return joinRows(store as never, reader as never, request)
    case 'waiting':
      return waitingRows(store as never, reader as never, request)
    case 'foreign-key':
      return foreignKeyRows(store as never, reader as never, request)
    case 'outbox':
      return outboxRows(reader as never, request)
    default:
      return keyedRows(store as never, reader as never, request)
  }
}

const keyedRows = function* (
  store: KeyValueStore<unknown, unknown>,
  reader: KeyValueReader<unknown, unknown> | TableReader<unknown, unknown>,
  request: RowRequest,
): Rows {
  const isTimed = 'row' in reader
  for (const [key, stored] of reader.range(keyBounds(store, request))) {
    const { value, timestampMs } = isTimed
      ? (stored as { readonly value: unknown; readonly timestampMs: number })
      : { value: stored, timestampMs: undefined }
    const split = splitKey(store, key, request)
    if (split === undefined) continue
    const time = timestampMs === undefined ? {} : { time: isoOf(timestampMs) }
    yield { ...split, ...time, value: printable(value) }
  }
}

const windowedRows = function* (
  store: WindowedStore<unknown, unknown>,
  reader: WindowedReader<unknown, unknown>,
  request: RowRequest,
): Rows {
  const { fromMs, toMs } = timeBounds(request)
  const rows =
    request.key === undefined
      ? reader.all(fromMs, toMs)
      : reader.fetch(keyFromText(store, store.key, request.key), fromMs, toMs)
  const isSession = store.windows.kind === 'session'
  for (const [{ key, startMs, endMs }, { value, timestampMs }] of rows) {
    yield {
      key: printable(key),
      window: { start: isoOf(startMs), end: isoOf(endMs) },
      time: isoOf(timestampMs),
      value: printable(value),
      order: isSession ? endMs : startMs,
    }
  }
}

const windowRows = function* (
  store: WindowStore<unknown, unknown>,
  reader: WindowReader<unknown, unknown>,
  request: RowRequest,
): Rows {
  const { fromMs, toMs } = timeBounds(request)
  const row = (key: unknown, startMs: number, value: unknown): FoundRow => ({
    key: printable(key),
    window: { start: isoOf(startMs) },
    value: printable(value),
    order: startMs,
  })
  if (request.key === undefined) {
    for (const found of reader.all(fromMs, toMs)) yield row(...found)
    return
  }
  const key = keyFromText(store, store.key, request.key)
  for (const [startMs, value] of reader.fetch(key, fromMs, toMs)) yield row(key, startMs, value)
}

const suppressRows = function* (
  store: SuppressStore<unknown, unknown>,
  reader: SuppressReader<unknown, unknown>,
  request: RowRequest,
): Rows {
  for (const [key, { value, timestampMs }] of reader.range(keyBounds(store, request))) {
    const split = splitKey(store, key, request)
    if (split === undefined) continue
    yield { ...split, time: isoOf(timestampMs), value: printable(value ?? null) }
  }
}

const distinctRows = function* (
  store: DistinctStore<unknown>,
  reader: DistinctReader<unknown>,
  request: RowRequest,
): Rows {
  for (const [id, passed] of reader.range(keyBounds({ ...store, key: store.id }, request))) {
    yield { key: printable(id), value: passed.map(isoOf), order: store.id.encode(id) }
  }
}

const joinRows = function* (
  store: JoinStore<unknown, unknown, unknown>,
  reader: JoinReader<unknown, unknown, unknown>,
  request: RowRequest,
): Rows {
  const { fromMs, toMs } = timeBounds(request)
  const wanted = wantedKey(store, store.key, request)
  for (const [key, side, { timestampMs, value, matched }] of reader.all(fromMs, toMs)) {
    if (!wanted(key)) continue
    yield {
      key: printable(key),
      time: isoOf(timestampMs),
      value: { side, value: printable(value), isWaiting: !matched },
      order: timestampMs,
    }
  }
}

const waitingRows = function* (
  store: WaitingStore<unknown, unknown>,
  reader: WaitingReader<unknown, unknown>,
  request: RowRequest,
): Rows {
  const { fromMs, toMs } = timeBounds(request)
  const wanted = wantedKey(store, store.key, request)
  for (const { key, value, timestampMs } of reader.rows()) {
    if (timestampMs < fromMs || timestampMs >= toMs || !wanted(key)) continue
    const time = isoOf(timestampMs)
    yield { key: printable(key), time, value: printable(value), order: timestampMs }
  }
}

const foreignKeyRows = function* (
  store: ForeignKeyStore<unknown, unknown, unknown, unknown>,
  reader: ForeignKeyReader<unknown, unknown>,
  request: RowRequest,
): Rows {
  refuseBounds(store, request)
  const wanted = wantedKey(store, store.right.key, request)
  for (const [foreignKey, key] of reader.rows()) {
    if (!wanted(foreignKey)) continue
    const order = store.right.key.encode(foreignKey)
    yield { key: printable(foreignKey), value: printable(key), order }
  }
}

/** Rows of calls have no key that orders them, so bounds mean nothing; they are few. */
const outboxRows = function* (
  reader: OutboxReader<unknown, unknown>,
  { key: wanted }: RowRequest,
): Rows {
  for (const { rowKey: _address, key, headers: _headers, ...value } of reader.rows()) {
    if (wanted !== undefined && String(key) !== wanted) continue
    yield { key: printable(key), value, order: 0 }
  }
}

const wantedKey = (
  store: Store,
  serde: Serde<unknown>,
  { key: text }: RowRequest,
): ((key: unknown) => boolean) => {
  if (text === undefined) return () => true
  const wanted = serde.encode(keyFromText(store, serde, text))
  return (key) => Buffer.compare(serde.encode(key), wanted) === 0
}

const refuseBounds = ({ name, kind }: Store, { from, to }: RowBounds): void => {
  if (from === undefined && to === undefined) return
  throw new StoreRequestError(`store ${name} is a ${kind} store: its rows have no bounds`)
}
