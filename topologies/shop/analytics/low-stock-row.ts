/** A product of which little is left: in the store `low-stock` for as long as that is so. */

import { columns } from '../../../src/index.ts'
import { availableOf, type ProductRow } from '../inventory/stock-row.ts'

export interface LowStockRow {
  readonly productId: string
  readonly available: number
  readonly onHand: number
  readonly held: number
  readonly safetyStock: number
  /** Event time of the warning; of the first event seen, if the warning came before analytics. */
  readonly sinceMs: number
}

/** Columns may be added at the end. */
export const lowStockRows = columns<LowStockRow>('low-stock/1', {
  productId: 'json',
  available: 'json',
  onHand: 'json',
  held: 'json',
  safetyStock: 'json',
  sinceMs: 'json',
})

/**
 * @param known  its row so far
 * @param atMs   of the event that changed it
 */
export const lowStockOf = (
  product: ProductRow,
  known: LowStockRow | undefined,
  atMs: number,
): LowStockRow => {
  const { productId, onHand, held, safetyStock } = product
  const available = availableOf(product)
  return { productId, available, onHand, held, safetyStock, sinceMs: known?.sinceMs ?? atMs }
}
