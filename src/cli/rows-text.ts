/** Rows of a store for people: partition, key, start and end of windows, value. */

import type { StoreRow } from '../../topologies/shop/http/shop-access.ts'
import { table } from './table.ts'

export const rowsText = (rows: readonly StoreRow[]): string => table(rows.map(cellsOf))

const cellsOf = ({ partition, key, window, value }: StoreRow): readonly string[] => [
  partition === undefined ? 'all' : String(partition),
  typeof key === 'string' ? key : JSON.stringify(key),
  ...(window === undefined ? [] : [window.start, window.end ?? '']),
  JSON.stringify(value),
]
