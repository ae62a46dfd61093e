/**
 * The rows of a range in the order of their keys, long keys included.
 *
 * Read by cursors, and by the writer thread to delete a range. Rows come one by one; only long
 * keys with the same beginning are held together, to be sorted.
 */

import type { ScanOptions } from '../engine.ts'
import type { LmdbEntry, LmdbStore, LmdbTransaction } from './lmdb-binding.ts'
import { beginningOf, isLong, rowOf, storedRange } from './lmdb-keys.ts'

export interface LmdbRow {
  /** What the row is stored under. */
  readonly stored: Buffer
  readonly key: Buffer
  readonly value: Buffer
}

/** End it with `return` if not to its end. */
export function* lmdbRows(
  store: LmdbStore,
  range: Omit<ScanOptions, 'limit'>,
  transaction?: LmdbTransaction,
): Generator<LmdbRow, undefined> {
  let group: LmdbRow[] = []
  for (const entry of entries(store, range, transaction)) {
    const { key: stored } = entry
    const [key, value] = rowOf(stored, entry.value)
    const row = { stored, key, value }
    if (group.length > 0 && !isSameGroup(group[0]!, row)) {
      yield* sorted(group, range)
      group = []
    }
    if (isLong(stored)) group.push(row)
    else yield row
  }
  yield* sorted(group, range)
}

function* entries(
  store: LmdbStore,
  range: Omit<ScanOptions, 'limit'>,
  transaction: LmdbTransaction | undefined,
): Generator<LmdbEntry, undefined> {
  if (Buffer.compare(range.gte, range.lt) >= 0) return
  const { gte, lt } = storedRange(range)
  const reverse = range.reverse === true
  const iterator = store
    .getRange({
      start: reverse ? lt : gte,
      end: reverse ? gte : lt,
      reverse,
      exclusiveStart: reverse,
      inclusiveEnd: reverse,
      ...(transaction === undefined ? {} : { transaction }),
    })
    .iterate()
  try {
    for (let step = iterator.next(); step.done !== true; step = iterator.next()) yield step.value
  } finally {
    iterator.return?.()
  }
}

const isSameGroup = (a: LmdbRow, b: LmdbRow): boolean =>
  isLong(b.stored) && Buffer.compare(beginningOf(a.stored), beginningOf(b.stored)) === 0

const sorted = (
  group: readonly LmdbRow[],
  { gte, lt, reverse }: Omit<ScanOptions, 'limit'>,
): readonly LmdbRow[] => {
  const inside = group.filter(
    ({ key }) => Buffer.compare(key, gte) >= 0 && Buffer.compare(key, lt) < 0,
  )
  return inside.sort((a, b) => (reverse === true ? -1 : 1) * Buffer.compare(a.key, b.key))
}
