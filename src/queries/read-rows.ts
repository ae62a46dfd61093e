/**
 * Carries one read out on one partition's reader, whatever the kind of the store.
 *
 * Called where the partition is. Reads committed rows only and waits for nothing. A page that goes
 * on begins at the row it ended with, and leaves out what was told already.
 */

import {
  bytesFromLatin1,
  latin1FromBytes,
  msFromOrdered,
  orderedMs,
} from '../../state/key-layout.ts'
import { RuntimeError } from '../errors/classes.ts'
import { type Serde } from '../serde/serde.ts'
import { type KeyRangeOptions } from '../stores/key-range.ts'
import { type OutboxReader } from '../stores/outbox-store.ts'
import { type Store } from '../stores/store.ts'
import { type Timestamped } from '../stores/table-store.ts'
import { type WindowReader } from '../stores/window-store.ts'
import { type WindowedReader } from '../stores/windowed-rows.ts'
import {
  type FoundRow,
  type GetRead,
  type PartitionRead,
  type RangeRead,
  type RowPlace,
  type WindowsRead,
} from './partition-read.ts'

/** How the rows of a store are found: by key, by time and key, or only listed. */
export type RowShape = 'keys' | 'windows' | 'list'

/** @throws {RuntimeError} STREAMS_CONFIG: rows of such a store cannot be read from outside */
export const rowShapeOf = ({ name, kind }: Store): RowShape => {
  if (kind === 'key-value' || kind === 'table' || kind === 'versioned') return 'keys'
  if (kind === 'window' || kind === 'windowed') return 'windows'
  if (kind === 'outbox') return 'list'
  throw new RuntimeError(
    'STREAMS_CONFIG',
    `store ${name} is a ${kind} store: its rows are not for queries`,
  )
}

export interface ReadRowsOptions {
  readonly store: Store
  readonly reader: unknown
  readonly partition: number
}

/** @throws {RuntimeError} STREAMS_CONFIG: the store does not take such a read */
export const readRows = (options: ReadRowsOptions, read: PartitionRead): readonly FoundRow[] => {
  const { store } = options
  const shape = rowShapeOf(store)
  if (shape === 'keys' && read.kind === 'get') return keyRow(options, read)
  if (shape === 'windows' && read.kind === 'windows')
    return page(windowRows(options, read), read, options)
  if (shape === 'keys' && read.kind === 'range') return page(keyRows(options, read), read, options)
  if (shape === 'list' && read.kind === 'range') return page(listed(options), read, options)
  const takes = { keys: 'get and range', windows: 'windows', list: 'range' }[shape]
  throw new RuntimeError('STREAMS_CONFIG', `store ${store.name} takes ${takes}, not ${read.kind}`)
}

/** Up to `limit` rows behind the place; rows come in their order. */
const page = (
  rows: Iterable<FoundRow>,
  { after, limit }: { readonly after?: RowPlace; readonly limit: number },
  { partition }: ReadRowsOptions,
): readonly FoundRow[] => {
  const found: FoundRow[] = []
  for (const row of rows) {
    if (after !== undefined && !isBehind(after, { order: row.order, partition })) continue
    if (found.length >= limit) break
    found.push(row)
  }
  return found
}

/** Whether `place` comes later than `after`, over all partitions. */
export const isBehind = (after: RowPlace, place: RowPlace): boolean =>
  place.order > after.order || (place.order === after.order && place.partition > after.partition)

interface AnyReader {
  get(key: unknown): unknown
  range(options: KeyRangeOptions<unknown>): Iterable<readonly [unknown, unknown]>
}

const keyOf = (store: Store): Serde<unknown> => (store as Store & { key: Serde<unknown> }).key

const orderOf = (store: Store, key: unknown): string => latin1FromBytes(keyOf(store).encode(key))

const keyRow = ({ store, reader }: ReadRowsOptions, { key }: GetRead): readonly FoundRow[] => {
  const value = (reader as AnyReader).get(key)
  return value === undefined ? [] : [{ order: orderOf(store, key), key, value }]
}

function* keyRows({ store, reader }: ReadRowsOptions, read: RangeRead): Generator<FoundRow> {
  const { to, limit } = read
  const first = firstKey(store, read)
  const bounds = {
    ...(first === undefined ? {} : { from: first }),
    ...(to === undefined ? {} : { to }),
    limit: limit + 1, // the first may be the one that was told last
  }
  for (const [key, stored] of (reader as AnyReader).range(bounds)) {
    const value = store.kind === 'key-value' ? stored : (stored as Timestamped<unknown>).value
    yield { order: orderOf(store, key), key, value }
  }
}

/** A cursor never reaches behind the bounds, whatever it was made with. */
const firstKey = (store: Store, { from, after }: RangeRead): unknown => {
  if (after === undefined) return from
  const isWithin = from === undefined || after.order > orderOf(store, from)
  return isWithin ? keyOf(store).decode(bytesFromLatin1(after.order)) : from
}

function* windowRows(options: ReadRowsOptions, read: WindowsRead): Generator<FoundRow> {
  const { store } = options
  const fromMs =
    read.after === undefined ? read.fromMs : Math.max(read.fromMs, msFromOrdered(read.after.order))
  const bounds = { ...read, fromMs }
  const rows = store.kind === 'window' ? plainWindows(options, bounds) : aggregates(options, bounds)
  for (const { timeMs, key, window, value } of rows) {
    yield { order: orderedMs(timeMs) + orderOf(store, key), key: window, value }
  }
}

interface WindowFound {
  readonly timeMs: number
  readonly key: unknown
  readonly window: unknown
  readonly value: unknown
}

function* plainWindows(
  { reader }: ReadRowsOptions,
  { key, fromMs, toMs }: WindowsRead,
): Generator<WindowFound> {
  const windows = reader as WindowReader<unknown, unknown>
  if (key === undefined) {
    for (const [found, startMs, value] of windows.all(fromMs, toMs)) {
      yield { timeMs: startMs, key: found, window: { key: found, startMs }, value }
    }
    return
  }
  for (const [startMs, value] of windows.fetch(key, fromMs, toMs)) {
    yield { timeMs: startMs, key, window: { key, startMs }, value }
  }
}

function* aggregates(
  { store, reader }: ReadRowsOptions,
  { key, fromMs, toMs }: WindowsRead,
): Generator<WindowFound> {
  const windows = reader as WindowedReader<unknown, unknown>
  const isSession = (store as Store & { windows: { kind: string } }).windows.kind === 'session'
  const rows = key === undefined ? windows.all(fromMs, toMs) : windows.fetch(key, fromMs, toMs)
  for (const [window, { value }] of rows) {
    const timeMs = isSession ? window.endMs : window.startMs
    yield { timeMs, key: window.key, window, value }
  }
}

function* listed({ reader }: ReadRowsOptions): Generator<FoundRow> {
  for (const entry of (reader as OutboxReader<unknown, unknown>).rows()) {
    const { rowKey, key, headers: _headers, ...value } = entry
    yield { order: rowKey, key, value }
  }
}
