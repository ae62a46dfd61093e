/**
 * Stock as it is now, a page at a time, of all products or of those of which little is left.
 *
 * Levels are the inventory's own rows, so they cost the analytics nothing; of what is low there is
 * a list of its own (`low-stock`), kept with each event.
 */

import { type AnswerSource, readPage, type StoreReads } from '../../../src/index.ts'
import { availableOf, type ProductRow } from '../inventory/stock-row.ts'
import { productStore } from '../inventory/stores.ts'
import type { LowStockRow } from './low-stock-row.ts'
import { lowStock } from './stores.ts'

export interface StockLevel extends Omit<LowStockRow, 'sinceMs'> {
  readonly isLow: boolean
  /** Event time of the warning; known in the list of what is low. */
  readonly lowSinceMs?: number
}

export interface StockLevels {
  /** By product id. */
  readonly products: readonly StockLevel[]
  readonly cursor?: string
  /** One for each partition. */
  readonly sources: readonly AnswerSource[]
}

export interface StockLevelsRequest {
  readonly which: 'all' | 'low'
  readonly limit: number
  /** Of the page before, of the same list. */
  readonly cursor?: string | undefined
}

/** @throws {RuntimeError} STREAMS_PARTITION_MOVING; STREAMS_CONFIG: the shop has no analytics */
export const readStockLevels = async (
  reads: StoreReads,
  { which, limit, cursor }: StockLevelsRequest,
): Promise<StockLevels> => {
  const store = which === 'low' ? lowStock : productStore
  const page = await readPage(reads, store, { kind: 'range', limit }, { cursor })
  const levels = page.rows.map(({ value }) =>
    which === 'low' ? levelOfLow(value as LowStockRow) : levelOf(value as ProductRow),
  )
  const rest = page.cursor === undefined ? {} : { cursor: page.cursor }
  return { products: levels, ...rest, sources: page.sources }
}

const levelOf = (row: ProductRow): StockLevel => {
  const { productId, onHand, held, safetyStock, isLow } = row
  return { productId, available: availableOf(row), onHand, held, safetyStock, isLow }
}

const levelOfLow = ({ sinceMs, ...level }: LowStockRow): StockLevel => ({
  ...level,
  isLow: true,
  lowSinceMs: sinceMs,
})
