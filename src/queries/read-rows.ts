/**
 * Carries one read out on one partition's reader, whatever the kind of the store.
 *
 * Called where the partition is. Reads committed rows only and waits for nothing. A page that goes
 * on begins at the row it ended with, and leaves out what was told already.
 */

import { RuntimeError } from '../errors/classes.ts'
import type { Store } from '../stores/store.ts'
import { keyRow, keyRows, windowedKeyRows } from './keyed-rows.ts'
import { listedRows } from './listed-rows.ts'
import type { FoundRow, PartitionRead, RowPlace } from './partition-read.ts'
import { keyedKinds, rowShapeOf } from './row-shape.ts'
import { timedRows } from './timed-rows.ts'

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
  if (shape === 'keys' && read.kind === 'range') return page(keyRows(options, read), read, options)
  if (shape === 'list' && read.kind === 'range') {
    return page(listedRows(options, read), read, options)
  }
  if (shape === 'windows' && read.kind === 'windows') {
    const rows = keyedKinds.has(store.kind)
      ? windowedKeyRows(options, read)
      : timedRows(options, read)
    return page(rows, read, options)
  }
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
