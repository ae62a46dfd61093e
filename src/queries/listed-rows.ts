/**
 * Rows of stores whose keys nobody bounds, as queries tell them: those of one key together.
 *
 * Called by `read-rows.ts` with the reader of one partition; a scan up to the end of the page.
 */

import type { ForeignKeyReader, ForeignKeyStore } from '../stores/foreign-key-store.ts'
import { latin1FromBytes } from '../../state/key-layout.ts'
import { orderedU32 } from '../stores/key-codec.ts'
import type { OutboxReader } from '../stores/outbox-store.ts'
import type { FoundRow, RangeRead } from './partition-read.ts'
import type { ReadRowsOptions } from './read-rows.ts'
import { keyFilter, orderOf } from './row-order.ts'

/** By the length of their keys' bytes, then by the bytes: as the stores have them. */
export function* listedRows(options: ReadRowsOptions, read: RangeRead): Generator<FoundRow> {
  const isWanted = keyFilter(options, read)
  const rows = options.store.kind === 'outbox' ? callRows(options) : subscriberRows(options)
  for (const row of rows) if (isWanted(row.key)) yield row
}

function* callRows({ reader }: ReadRowsOptions): Generator<FoundRow> {
  for (const entry of (reader as OutboxReader<unknown, unknown>).rows()) {
    const { rowKey, key, headers: _headers, ...value } = entry
    yield { order: rowKey, key, value }
  }
}

function* subscriberRows({ store, reader }: ReadRowsOptions): Generator<FoundRow> {
  const { left } = store as ForeignKeyStore<unknown, unknown, unknown, unknown>
  for (const [foreignKey, key] of (reader as ForeignKeyReader<unknown, unknown>).rows()) {
    const prefix = orderOf(store, foreignKey)
    const order = orderedU32(prefix.length) + prefix + latin1FromBytes(left.key.encode(key))
    yield { order, key: foreignKey, value: key }
  }
}
