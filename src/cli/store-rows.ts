/**
 * Rows of every kind of store in one shape, as people read them.
 *
 * Called by `read-store.ts` with rows from wherever they lie. Times are ISO-8601, windows are apart
 * from their keys, and values are such that JSON can hold them.
 */

import type { StoreRow } from '../../topologies/shop/http/shop-access.ts'
import { rowShapeOf } from '../queries/row-shape.ts'
import type { PartitionRow } from '../queries/store-page.ts'
import type { Store } from '../stores/store.ts'
import { printable } from './store-keys.ts'
import { isoOf } from './time-bounds.ts'

/** True if one key may have several rows in one partition. */
export const hasManyRows = (store: Store): boolean => rowShapeOf(store) !== 'keys'

export const shownRow = (store: Store, row: PartitionRow): StoreRow => {
  const { partition, key, window, timestampMs, value } = row
  return {
    partition,
    key: printable(key),
    ...(window === undefined ? {} : { window: shownWindow(window) }),
    ...(timestampMs === undefined ? {} : { time: isoOf(timestampMs) }),
    value: shownValue(store, value),
  }
}

const shownWindow = ({
  startMs,
  endMs,
}: Required<Pick<PartitionRow, 'window'>>['window']): StoreRow['window'] & object => ({
  start: isoOf(startMs),
  ...(endMs === undefined ? {} : { end: isoOf(endMs) }),
})

/** Null is a deletion that waits. */
const shownValue = ({ kind }: Store, value: unknown): unknown => {
  if (kind === 'distinct') return (value as readonly number[]).map(isoOf)
  if (kind !== 'join') return printable(value ?? null)
  const held = value as { readonly value: unknown }
  return { ...held, value: printable(held.value) }
}
