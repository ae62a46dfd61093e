/**
 * Rows of stores with one row per key, as queries tell them: in the order of their encoded keys.
 *
 * Called by `read-rows.ts` with the reader of one partition. Where keys are those of a windowed
 * aggregate the rows lie in time too: then the times of a read are looked at row by row, since keys
 * come before times in their order.
 */

import { isDeepStrictEqual } from 'node:util'
import { bytesFromLatin1 } from '../../state/key-layout.ts'
import type { KeyRangeOptions } from '../stores/key-range.ts'
import type { Store } from '../stores/store.ts'
import type { Timestamped } from '../stores/table-store.ts'
import type { Windowed } from '../windows/windows.ts'
import type { FoundRow, GetRead, RangeRead, WindowsRead } from './partition-read.ts'
import type { ReadRowsOptions } from './read-rows.ts'
import { orderOf } from './row-order.ts'
import { keySerdeOf } from './row-shape.ts'

interface KeyedReader {
  range(options: KeyRangeOptions<unknown>): Iterable<readonly [unknown, unknown]>
}

/** Stores whose rows keep the time of their record. */
const timedKinds: ReadonlySet<string> = new Set(['table', 'versioned', 'suppress'])

/** The row of the key, with what `get` of a reader leaves out. */
export const keyRow = (options: ReadRowsOptions, { key }: GetRead): readonly FoundRow[] => {
  const wanted = orderOf(options.store, key)
  // the first key that is not below it and begins with it is the key itself, if it is there
  const [row] = rowsBetween(options, { from: key, prefix: key, limit: 1 })
  return row?.order === wanted ? [row] : []
}

export const keyRows = (options: ReadRowsOptions, read: RangeRead): Iterable<FoundRow> => {
  const { to, limit } = read
  const first = firstKey(options.store, read)
  return rowsBetween(options, {
    ...(first === undefined ? {} : { from: first }),
    ...(to === undefined ? {} : { to }),
    limit: limit + 1, // the first may be the one that was told last
  })
}

/** A scan from the cursor on: times bound what is told, not what is read. */
export function* windowedKeyRows(
  options: ReadRowsOptions,
  { key, fromMs, toMs, after }: WindowsRead,
): Generator<FoundRow> {
  const { store } = options
  const from = after && keySerdeOf(store).decode(bytesFromLatin1(after.order))
  for (const row of rowsBetween(options, from === undefined ? {} : { from })) {
    const { key: inner, startMs, endMs } = row.key as Windowed<unknown>
    if (startMs < fromMs || startMs >= toMs) continue
    if (key !== undefined && !isDeepStrictEqual(inner, key)) continue
    yield { ...row, key: inner, window: { startMs, endMs } }
  }
}

function* rowsBetween(
  { store, reader }: ReadRowsOptions,
  bounds: KeyRangeOptions<unknown>,
): Generator<FoundRow> {
  const isTimed = timedKinds.has(store.kind)
  for (const [key, stored] of (reader as KeyedReader).range(bounds)) {
    const order = orderOf(store, key)
    if (!isTimed) {
      yield { order, key, value: stored }
      continue
    }
    const { value, timestampMs } = stored as Timestamped<unknown>
    yield { order, key, timestampMs, value }
  }
}

/** A cursor never reaches behind the bounds, whatever it was made with. */
const firstKey = (store: Store, { from, after }: RangeRead): unknown => {
  if (after === undefined) return from
  const isWithin = from === undefined || after.order > orderOf(store, from)
  return isWithin ? keySerdeOf(store).decode(bytesFromLatin1(after.order)) : from
}
