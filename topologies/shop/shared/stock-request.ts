/**
 * The body of `PUT /api/inventory/{productId}`, and the command it becomes.
 *
 * Also used by loaders, which stock what they sell: same commandId, same effect, once.
 */

import type { UpdateStock, UpdateStockData } from './commands.ts'
import { shopNamespace, uuidV5 } from './ids.ts'
import { newCommand } from './new-command.ts'
import { stockUnitsMax } from './order-limits.ts'
import { type JsonObject, type RequestProblem, RequestProblems } from './request-problems.ts'

/** The command's data without the product, which the path names. */
export type StockRequest = Omit<UpdateStockData, 'productId'>

export type ParsedStockRequest =
  | { readonly ok: true; readonly value: StockRequest }
  | { readonly ok: false; readonly problems: readonly RequestProblem[] }

const fields = ['operation', 'quantity', 'quantityChange', 'reason', 'force', 'safetyStock']
const units = { min: 0, max: stockUnitsMax }

/** Also accepts the quantity as `quantityChange`. `reason` defaults to RESTOCK. */
export const parseStockRequest = (given: unknown): ParsedStockRequest => {
  const problems = new RequestProblems()
  const body = problems.object(given, '')
  const value = body && checkBody(body, problems)
  return value !== undefined && problems.found.length === 0
    ? { ok: true, value }
    : { ok: false, problems: problems.found }
}

const checkBody = (body: JsonObject, problems: RequestProblems): StockRequest => {
  const { operation, quantity, quantityChange, reason = 'RESTOCK', force, safetyStock } = body
  problems.unknownFields(body, fields)
  problems.oneOf(operation, '/operation', ['ADD', 'SUBTRACT'])
  if (quantityChange === undefined) problems.count(quantity, '/quantity', units)
  else if (quantity === undefined) problems.count(quantityChange, '/quantityChange', units)
  else problems.tell('/quantityChange', 'is another name of quantity: give one of them')
  problems.oneOf(reason, '/reason', ['ORDER', 'RESTOCK', 'ADJUSTMENT'])
  if (force !== undefined && typeof force !== 'boolean') {
    problems.tell('/force', 'must be true or false')
  }
  if (safetyStock !== undefined) problems.count(safetyStock, '/safetyStock', units)
  return {
    operation,
    quantity: quantity ?? quantityChange,
    reason,
    ...(force !== undefined && { force }),
    ...(safetyStock !== undefined && { safetyStock }),
  } as StockRequest
}

/** @param key  the caller's for one update of this product; the same key, the same command */
export const stockCommandId = (productId: string, key: string): string =>
  uuidV5(shopNamespace, `stock:${productId}:${key}`)

export const updateStockCommand = (
  productId: string,
  request: StockRequest,
  origin: { readonly commandId: string; readonly nowMs: number; readonly source: string },
): UpdateStock => newCommand('UpdateStock', { productId, ...request }, origin)
