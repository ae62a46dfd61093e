/**
 * The body of `PUT /api/inventory/{productId}`, and the command it becomes.
 *
 * Also used by loaders, which stock what they sell: same commandId, same effect, once.
 */

import { type UpdateStock, type UpdateStockData } from './commands.ts'
import { newCommand } from './new-command.ts'
import { type RequestProblem } from './order-request.ts'

/** The command's data without the product, which the path names. */
export type StockRequest = Omit<UpdateStockData, 'productId'>

export type ParsedStockRequest =
  | { readonly ok: true; readonly value: StockRequest }
  | { readonly ok: false; readonly problems: readonly RequestProblem[] }

/** Also accepts the quantity as `quantityChange`. `reason` defaults to RESTOCK. */
export const parseStockRequest = (body: unknown): ParsedStockRequest => {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    return { ok: false, problems: [{ pointer: '', detail: 'must be a JSON object' }] }
  }
  const {
    operation,
    quantity,
    quantityChange,
    reason = 'RESTOCK',
    force,
    safetyStock,
    ...rest
  } = body as Readonly<Record<string, unknown>>
  const units = quantity ?? quantityChange
  const problems: RequestProblem[] = Object.keys(rest).map((field) => ({
    pointer: `/${field}`,
    detail: 'is not a known field',
  }))
  const expect = (isGood: boolean, pointer: string, detail: string): void => {
    if (!isGood) problems.push({ pointer, detail })
  }
  expect(operation === 'ADD' || operation === 'SUBTRACT', '/operation', 'must be ADD or SUBTRACT')
  expect(isCount(units), '/quantity', 'must be a whole number of at least 0')
  expect(
    ['ORDER', 'RESTOCK', 'ADJUSTMENT'].includes(reason as string),
    '/reason',
    'must be ORDER, RESTOCK or ADJUSTMENT',
  )
  expect(force === undefined || typeof force === 'boolean', '/force', 'must be true or false')
  expect(
    safetyStock === undefined || isCount(safetyStock),
    '/safetyStock',
    'must be a whole number of at least 0',
  )
  if (problems.length > 0) return { ok: false, problems }
  const value = {
    operation,
    quantity: units,
    reason,
    ...(force !== undefined && { force }),
    ...(safetyStock !== undefined && { safetyStock }),
  } as StockRequest
  return { ok: true, value }
}

export const updateStockCommand = (
  productId: string,
  request: StockRequest,
  origin: { readonly commandId: string; readonly nowMs: number; readonly source: string },
): UpdateStock => newCommand('UpdateStock', { productId, ...request }, origin)

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0
