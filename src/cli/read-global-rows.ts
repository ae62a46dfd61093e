/**
 * Rows of a global table as text asks for them, in the same shape as rows of stores.
 *
 * Every instance has the table whole: rows have no partition, and no other instance answers, so
 * answers name no sources. Called by `read-store.ts`. A page costs a pass over the table.
 */

import { latin1FromBytes } from '../../state/key-layout.ts'
import type { RangeRequest, SourcedRows, StoreRow } from '../../topologies/shop/http/shop-access.ts'
import { decodeCursor, encodeCursor } from '../queries/page-cursor.ts'
import type { GlobalRows } from '../stores/global-rows.ts'
import type { Timestamped } from '../stores/table-store.ts'
import { keyBounds, keyFromText, printable } from './store-keys.ts'
import { isoOf } from './time-bounds.ts'

type Table = GlobalRows<unknown, unknown>

/** @throws {StoreRequestError} the text cannot be a key */
export const globalRow = (table: Table, text: string): SourcedRows => {
  const key = typedKey(table, text)
  const row = table.row(key)
  return { rows: row === undefined ? [] : [shownRow(key, row)], sources: [] }
}

/**
 * By encoded key.
 *
 * @throws {StoreRequestError} a bound cannot be a key; the end lies before the beginning
 * @throws {CursorError} the cursor is none of this table
 */
export const globalRowsPage = (
  table: Table,
  { limit, cursor, ...bounds }: RangeRequest,
): SourcedRows => {
  const { name } = table.topic
  const after = cursor === undefined ? undefined : decodeCursor(name, cursor).order
  const { from, to } = keyBounds(name, table.topic.key, bounds)
  const first = from === undefined ? '' : orderOf(table, from)
  const end = to === undefined ? undefined : orderOf(table, to)
  const found = [...table.entries()]
    .map(([key, row]) => ({ order: orderOf(table, key), key, row }))
    .filter(({ order }) => order >= first && (end === undefined || order < end))
    .filter(({ order }) => after === undefined || order > after)
    .toSorted((a, b) => (a.order < b.order ? -1 : 1))
  const told = found.slice(0, limit)
  const rows = told.map(({ key, row }) => shownRow(key, row))
  if (found.length <= limit) return { rows, sources: [] }
  const { order } = told.at(-1)!
  return { rows, sources: [], cursor: encodeCursor(name, { order, partition: 0 }) }
}

const orderOf = ({ topic }: Table, key: unknown): string => latin1FromBytes(topic.key.encode(key))

const typedKey = ({ topic }: Table, text: string): unknown =>
  keyFromText(topic.name, topic.key.format, text)

const shownRow = (key: unknown, { value, timestampMs }: Timestamped<unknown>): StoreRow => ({
  key: printable(key),
  time: isoOf(timestampMs),
  value: printable(value),
})
