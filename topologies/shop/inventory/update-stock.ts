/**
 * UpdateStock: goods come in, or are taken out of the books. Pure, as `model.ts`.
 *
 * 1. The same commandId again changes nothing and is answered as before; with another body it is
 * refused. 2. SUBTRACT below what is held is refused, or with `force` breaks the newest holds and
 * tells their orders. 3. onHand never falls below zero, forced or not, and never rises above
 * `stockUnitsMax`. 4. A refusal is a decision like any other: it changes no stock, is told by an
 * event, and stays in the command's row, where HTTP finds it. Only malformed commands throw.
 */

import { bodyHash } from '../shared/body-hash.ts'
import { checkCount, checkId, checkOneOf } from '../shared/checks.ts'
import type { UpdateStock } from '../shared/commands.ts'
import type { StockRefusal } from '../shared/events.ts'
import { type EventOrigin, newEvent } from '../shared/new-event.ts'
import { stockUnitsMax } from '../shared/order-limits.ts'
import {
  expireHold,
  inventorySource,
  type StockContext,
  type StockEmission,
  withLowStock,
} from './model.ts'
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
  /** Undefined: unchanged. */
  readonly product: ProductRow | undefined
  /** Undefined: what is known of this commandId stands. */
  readonly seen: StockCommandRow | undefined
  readonly brokenHolds: readonly HoldRow[]
  readonly emissions: readonly StockEmission[]
}

/**
 * @returns  `undefined` for a repetition, to be dropped and counted
 * @throws {ShopError} BAD_COMMAND: dead letter; nothing changes
 */
export const decideStockUpdate = (
  { product, seen, liveHolds }: StockUpdateState,
  command: UpdateStock,
  context: StockContext,
): StockUpdateDecision | undefined => {
  checkUpdate(command)
  const { commandId, data } = command
  const before = product ?? emptyProduct(data.productId)
  const hash = bodyHash(data)
  if (seen?.hash === hash) return undefined
  const refusal =
    seen === undefined
      ? (versionChanged(product, data) ?? refusalOf(before, command))
      : idReused(commandId)
  if (refusal === undefined) return followed(before, { command, hash, liveHolds }, context)
  const refused = refusedOf(before, { command, hash, refusal }, context)
  const isRepeat = seen !== undefined // of an id, not of a body
  return {
    product: undefined,
    seen: isRepeat ? undefined : { hash, version: before.version, refusal },
    brokenHolds: [],
    emissions: [isRepeat ? { ...refused, isRepeat } : refused],
  }
}

interface Update {
  readonly command: UpdateStock
  readonly hash: string
  liveHolds(): readonly HoldRow[]
}

const followed = (
  before: ProductRow,
  { command, hash, liveHolds }: Update,
  context: StockContext,
): StockUpdateDecision => {
  const { operation, quantity, safetyStock = before.safetyStock } = command.data
  let stock: ProductRow = { ...before, safetyStock }
  const brokenHolds: HoldRow[] = []
  const emissions: StockEmission[] = []
  if (operation === 'SUBTRACT') {
    for (const hold of holdsToBreak(stock, quantity, liveHolds)) {
      const causationId = command.commandId
      const broken = expireHold(stock, { hold, reason: 'broken', causationId }, context)
      stock = broken.product
      brokenHolds.push(broken.hold)
      emissions.push(...broken.emissions)
    }
  }
  stock = counted(stock, operation, quantity)
  stock = { ...stock, isLow: stock.isLow && availableOf(stock) <= context.lowStockThreshold }
  emissions.push(updatedOf(stock, command, context))
  const told =
    operation === 'SUBTRACT'
      ? withLowStock(stock, emissions, command.commandId, context)
      : { product: stock, emissions }
  return { ...told, seen: { hash, version: stock.version }, brokenHolds }
}

const idReused = (commandId: string): StockRefusal => ({
  code: 'COMMAND_ID_REUSED',
  reason: `another update came before under the id ${commandId}`,
})

const versionChanged = (
  product: ProductRow | undefined,
  { productId, ifVersion }: UpdateStock['data'],
): StockRefusal | undefined => {
  if (ifVersion === undefined || ifVersion === product?.version) return undefined
  const found = product === undefined ? 'not there' : `of version ${product.version}`
  return { code: 'VERSION_CHANGED', reason: `${productId} is ${found}, not of ${ifVersion}` }
}

const refusalOf = (
  { productId, onHand, held, addedTotal }: ProductRow,
  { data: { operation, quantity, force } }: UpdateStock,
): StockRefusal | undefined => {
  if (operation === 'ADD') {
    const isCounted =
      onHand + quantity <= stockUnitsMax && Number.isSafeInteger(addedTotal + quantity)
    if (isCounted) return undefined
    const reason = `${quantity} more of ${productId}, of which ${onHand} are on hand, are too many`
    return { code: 'STOCK_TOO_LARGE', reason }
  }
  const left = onHand - quantity
  if (left < 0) {
    const reason = `${quantity} of ${productId}, of which ${onHand} are on hand`
    return { code: 'STOCK_BELOW_ZERO', reason }
  }
  if (left >= held || force === true) return undefined
  const reason =
    `${quantity} of ${productId} would leave ${left}, and ${held} are held for orders; `
    + 'with force the newest holds are broken'
  return { code: 'STOCK_BELOW_HELD', reason }
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

/** The newest holds first, as few as needed; none if enough is free. */
const holdsToBreak = (
  { productId, onHand, held }: ProductRow,
  quantity: number,
  liveHolds: () => readonly HoldRow[],
): readonly HoldRow[] => {
  const tooMany = held - (onHand - quantity)
  if (tooMany <= 0) return []
  const newestFirst = liveHolds().toSorted((a, b) => b.version - a.version)
  const broken: HoldRow[] = []
  for (let missing = tooMany; missing > 0;) {
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
  checkCount(data.quantity, 'quantity', 0, stockUnitsMax)
  if (data.safetyStock !== undefined) {
    checkCount(data.safetyStock, 'safetyStock', 0, stockUnitsMax)
  }
  if (data.ifVersion !== undefined) checkCount(data.ifVersion, 'ifVersion', 0)
}

const updatedOf = (
  product: ProductRow,
  command: UpdateStock,
  context: StockContext,
): StockEmission => {
  const { productId, onHand, held, safetyStock } = product
  const { operation, quantity, reason } = command.data
  const quantityChange = operation === 'ADD' ? quantity : -quantity
  const event = newEvent(
    'inventory.updated',
    { productId, operation, quantityChange, reason, onHand, held, safetyStock },
    originOf(product, command, context),
    `inventory.updated:${command.commandId}`,
  )
  return { kind: 'notice', event }
}

/** The id names the body too: one id may be reused for several bodies. */
const refusedOf = (
  product: ProductRow,
  { command, hash, refusal }: { command: UpdateStock; hash: string; refusal: StockRefusal },
  context: StockContext,
): StockEmission => {
  const { productId, onHand, held } = product
  const { operation, quantity } = command.data
  const event = newEvent(
    'inventory.update-refused',
    { productId, operation, quantity, ...refusal, onHand, held },
    originOf(product, command, context),
    `inventory.update-refused:${command.commandId}:${hash}`,
  )
  return { kind: 'notice', event }
}

const originOf = (
  { productId, version }: ProductRow,
  { commandId, metadata: { correlationId } }: UpdateStock,
  { nowMs }: StockContext,
): EventOrigin => ({
  source: inventorySource,
  aggregateId: productId,
  aggregateVersion: version,
  correlationId,
  causationId: commandId,
  nowMs,
})
