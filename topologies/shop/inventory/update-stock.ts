/**
 * UpdateStock: goods come in, or are taken out of the books. Pure, as `model.ts`.
 *
 * 1. The same commandId again changes nothing and is answered as before; with another body it is
 * refused. 2. SUBTRACT below what is held is refused, or with `force` breaks the newest holds and
 * tells their orders. 3. onHand never falls below zero, forced or not.
 */

import { bodyHash } from '../shared/body-hash.ts'
import { checkCount, checkId, checkOneOf } from '../shared/checks.ts'
import { type UpdateStock } from '../shared/commands.ts'
import { newEvent } from '../shared/new-event.ts'
import { ShopError } from '../shared/shop-error.ts'
import { expireHold, inventorySource, type StockContext, type StockEmission } from './model.ts'
import {
  availableOf,
  emptyProduct,
  type HoldRow,
  type ProductRow,
  type StockCommandRow,
} from './stock-row.ts'

export interface StockUpdateState {
  readonly product: ProductRow | undefined
  /** What is known of this commandId. */
  readonly seen: StockCommandRow | undefined
  /** Every live hold of the product; called only to break holds, cost: all its hold rows. */
  liveHolds(): readonly HoldRow[]
}

export interface StockUpdateDecision {
  readonly product: ProductRow
  readonly seen: StockCommandRow
  readonly brokenHolds: readonly HoldRow[]
  readonly emissions: readonly StockEmission[]
}

/**
 * @returns  `undefined` for a repetition, to be dropped and counted
 * @throws {ShopError} STOCK_BELOW_HELD, STOCK_BELOW_ZERO, COMMAND_ID_REUSED, BAD_COMMAND: dead
 *                     letter; nothing changes
 */
export const decideStockUpdate = (
  { product, seen, liveHolds }: StockUpdateState,
  command: UpdateStock,
  context: StockContext,
): StockUpdateDecision | undefined => {
  const { commandId, data } = command
  checkUpdate(command)
  const hash = bodyHash(data)
  if (seen !== undefined) {
    if (seen.hash === hash) return undefined
    throw new ShopError('COMMAND_ID_REUSED', `another UpdateStock came under the id ${commandId}`)
  }
  const before = product ?? emptyProduct(data.productId)
  const { operation, quantity } = data
  let stock: ProductRow = { ...before, safetyStock: data.safetyStock ?? before.safetyStock }
  const brokenHolds: HoldRow[] = []
  const emissions: StockEmission[] = []
  if (operation === 'SUBTRACT') {
    for (const hold of holdsToBreak(stock, command, liveHolds)) {
      const broken = expireHold(stock, { hold, reason: 'broken', causationId: commandId }, context)
      stock = broken.product
      brokenHolds.push(broken.hold)
      emissions.push(...broken.emissions)
    }
  }
  stock = counted(stock, operation, quantity)
  stock = { ...stock, isLow: stock.isLow && availableOf(stock) <= context.lowStockThreshold }
  emissions.push(updatedOf(stock, command, context))
  return { product: stock, seen: { hash, version: stock.version }, brokenHolds, emissions }
}

const counted = (
  stock: ProductRow,
  operation: 'ADD' | 'SUBTRACT',
  quantity: number,
): ProductRow => {
  const isAdded = operation === 'ADD'
  return {
    ...stock,
    version: stock.version + 1,
    onHand: stock.onHand + (isAdded ? quantity : -quantity),
    addedTotal: stock.addedTotal + (isAdded ? quantity : 0),
    subtractedTotal: stock.subtractedTotal + (isAdded ? 0 : quantity),
  }
}

/** The newest holds first, as few as needed. */
const holdsToBreak = (
  { productId, onHand, held }: ProductRow,
  { data: { quantity, force } }: UpdateStock,
  liveHolds: () => readonly HoldRow[],
): readonly HoldRow[] => {
  const left = onHand - quantity
  if (left < 0) {
    throw new ShopError(
      'STOCK_BELOW_ZERO',
      `${quantity} of ${productId}, of which ${onHand} are ` + 'on hand',
    )
  }
  if (left >= held) return []
  if (force !== true) {
    throw new ShopError(
      'STOCK_BELOW_HELD',
      `${quantity} of ${productId} would leave ${left}, and ` + `${held} are held for orders`,
    )
  }
  const newestFirst = liveHolds().toSorted((a, b) => b.version - a.version)
  const broken: HoldRow[] = []
  for (let missing = held - left; missing > 0;) {
    const hold = newestFirst[broken.length]
    if (hold === undefined) throw new Error(`${productId}: ${missing} held without a hold row`)
    broken.push(hold)
    missing -= hold.quantity
  }
  return broken
}

const checkUpdate = ({ data }: UpdateStock): void => {
  checkId(data.productId, 'productId')
  checkOneOf(data.operation, 'operation', ['ADD', 'SUBTRACT'])
  checkOneOf(data.reason, 'reason', ['ORDER', 'RESTOCK', 'ADJUSTMENT'])
  checkCount(data.quantity, 'quantity', 0)
  if (data.safetyStock !== undefined) checkCount(data.safetyStock, 'safetyStock', 0)
}

const updatedOf = (
  { productId, version, onHand, held, safetyStock }: ProductRow,
  { commandId, data, metadata: { correlationId } }: UpdateStock,
  { nowMs }: StockContext,
): StockEmission => {
  const { operation, quantity, reason } = data
  const quantityChange = operation === 'ADD' ? quantity : -quantity
  const origin = {
    source: inventorySource,
    aggregateId: productId,
    aggregateVersion: version,
    correlationId,
    causationId: commandId,
    nowMs,
  }
  const event = newEvent(
    'inventory.updated',
    { productId, operation, quantityChange, reason, onHand, held, safetyStock },
    origin,
    `inventory.updated:${commandId}`,
  )
  return { kind: 'notice', event }
}
