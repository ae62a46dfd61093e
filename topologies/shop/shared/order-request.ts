/**
 * The body of `POST /api/orders`, and of each line of a load file: checked once, at the border.
 *
 * Called by HTTP and by `load`. Prices come as decimal strings or numbers exact in their currency
 * and leave as minor units. Bounds are those of `order-limits.ts`.
 */

import { bodyHash } from './body-hash.ts'
import type { CreateOrder, OrderItem, PaymentMethod } from './commands.ts'
import { isTime } from './is-time.ts'
import { formatMinor, isCurrency } from './money.ts'
import { newCommand } from './new-command.ts'
import {
  idLengthMax,
  lineQuantityMax,
  orderLinesMax,
  orderTotalMinorMax,
  placedAheadMsMax,
  textLengthMax,
} from './order-limits.ts'
import type { ParsedBody } from './parsed-body.ts'
import { type JsonObject, RequestProblems } from './request-problems.ts'

export interface OrderRequest {
  /** The caller's own id; else one is derived or invented. */
  readonly orderId?: string
  readonly customerId: string
  /** ISO-4217. */
  readonly currency: string
  readonly items: readonly OrderRequestItem[]
  /** Default `card`. */
  readonly paymentMethod?: PaymentMethod
  readonly shippingAddress?: string
  readonly notes?: string
  /** ISO-8601; default now. The past is fine, the future is not. */
  readonly placedAt?: string
  /** If given it must be the sum of the items. */
  readonly totalAmount?: string | number
}

export interface OrderRequestItem {
  readonly productId: string
  readonly quantity: number
  /** Per unit. */
  readonly price: string | number
}

/** A checked request. */
export interface ParsedOrder {
  readonly orderId?: string
  readonly customerId: string
  readonly currency: string
  readonly items: readonly OrderItem[]
  readonly paymentMethod: PaymentMethod
  readonly shippingAddress?: string
  readonly notes?: string
  readonly placedAt?: string
}

export type ParsedRequest = ParsedBody<ParsedOrder>

const fields = [
  'orderId',
  'customerId',
  'currency',
  'items',
  'paymentMethod',
  'shippingAddress',
  'notes',
  'placedAt',
  'totalAmount',
]
const itemFields = ['productId', 'quantity', 'price']

/**
 * Finds every problem, not only the first.
 *
 * @param nowMs  wall clock; who parses a file twice gives the same one to both passes
 */
export const parseOrderRequest = (given: unknown, nowMs = Date.now()): ParsedRequest => {
  const problems = new RequestProblems()
  const body = problems.object(given, '')
  const value = body && checkBody(body, nowMs, problems)
  return value !== undefined && problems.found.length === 0
    ? { ok: true, value }
    : { ok: false, problems: problems.found }
}

/** @param orderId  also makes the commandId, so a retry under the same id is the same command */
export const createOrderCommand = (
  { orderId: _given, ...order }: ParsedOrder,
  { orderId, nowMs, source }: { orderId: string; nowMs: number; source: string },
): CreateOrder =>
  newCommand(
    'CreateOrder',
    { orderId, ...order },
    { commandId: `${orderId}:create`, nowMs, source },
  )

/** What the order's row keeps of the body that made it: as it was written, sealed or not. */
export const createHashOf = (orderId: string, order: ParsedOrder): string =>
  bodyHash(createOrderCommand(order, { orderId, nowMs: 0, source: '' }).data)

const checkBody = (body: JsonObject, nowMs: number, problems: RequestProblems): ParsedOrder => {
  const { orderId, customerId, currency, paymentMethod = 'card' } = body
  const { shippingAddress, notes, placedAt } = body
  problems.unknownFields(body, fields)
  problems.text(customerId, '/customerId', idLengthMax)
  if (orderId !== undefined) checkOrderId(orderId, problems)
  if (shippingAddress !== undefined)
    problems.text(shippingAddress, '/shippingAddress', textLengthMax)
  if (notes !== undefined) problems.text(notes, '/notes', textLengthMax)
  const isKnownCurrency = typeof currency === 'string' && isCurrency(currency)
  if (!isKnownCurrency) problems.tell('/currency', 'must be an ISO-4217 code')
  problems.oneOf(paymentMethod, '/paymentMethod', ['card', 'transfer'])
  if (placedAt !== undefined) checkPlacedAt(placedAt, nowMs, problems)
  const items = checkItems(body['items'], isKnownCurrency ? currency : 'USD', problems)
  checkTotal(body['totalAmount'], { items, currency: String(currency) }, problems)
  return {
    ...(orderId !== undefined && { orderId: orderId as string }),
    customerId: customerId as string,
    currency: currency as string,
    items,
    paymentMethod: paymentMethod as PaymentMethod,
    ...(shippingAddress !== undefined && { shippingAddress: shippingAddress as string }),
    ...(notes !== undefined && { notes: notes as string }),
    ...(placedAt !== undefined && { placedAt: placedAt as string }),
  }
}

const checkPlacedAt = (placedAt: unknown, nowMs: number, problems: RequestProblems): void => {
  if (!isTime(placedAt)) {
    problems.tell('/placedAt', 'must be an ISO-8601 date, or time with its offset, that exists')
  } else if (isPlacedTooFarAhead(placedAt, nowMs)) {
    problems.tell('/placedAt', placedTooFarAhead)
  }
}

/** Said of an order from the future. */
export const placedTooFarAhead = `must not lie more than ${placedAheadMsMax / 60_000} minutes ahead`

/** @param placedAt  ISO-8601, checked before */
export const isPlacedTooFarAhead = (placedAt: string, nowMs: number): boolean =>
  Date.parse(placedAt) > nowMs + placedAheadMsMax

/** An order must be reachable by its URL, and every client takes these two out of a path. */
const checkOrderId = (orderId: unknown, problems: RequestProblems): void => {
  problems.text(orderId, '/orderId', idLengthMax)
  if (orderId !== '.' && orderId !== '..') return
  problems.tell('/orderId', `must not be ${orderId}: no URL can name it`)
}

const checkItems = (
  items: unknown,
  currency: string,
  problems: RequestProblems,
): readonly OrderItem[] => {
  if (!Array.isArray(items) || items.length === 0 || items.length > orderLinesMax) {
    problems.tell('/items', `must be an array of 1 to ${orderLinesMax} items`)
    return []
  }
  return items.map((item: unknown, index) =>
    checkItem(item, { at: `/items/${index}`, currency }, problems),
  )
}

const checkItem = (
  given: unknown,
  { at, currency }: { readonly at: string; readonly currency: string },
  problems: RequestProblems,
): OrderItem => {
  const item = problems.object(given, at)
  if (item === undefined) return { productId: '', quantity: 1, priceMinor: 0 }
  const { productId, quantity, price } = item
  problems.unknownFields(item, itemFields, at)
  problems.text(productId, `${at}/productId`, idLengthMax)
  problems.count(quantity, `${at}/quantity`, { min: 1, max: lineQuantityMax })
  const priceMinor = problems.amount(price, `${at}/price`, currency)
  return { productId: productId as string, quantity: quantity as number, priceMinor }
}

const checkTotal = (
  totalAmount: unknown,
  { items, currency }: { readonly items: readonly OrderItem[]; readonly currency: string },
  problems: RequestProblems,
): void => {
  if (problems.found.length > 0) return
  const sumMinor = items.reduce((sum, each) => sum + each.quantity * each.priceMinor, 0)
  if (sumMinor > orderTotalMinorMax) {
    const most = formatMinor(orderTotalMinorMax, currency)
    problems.tell('/items', `cost more than ${most} ${currency}, the most one order may`)
  }
  if (totalAmount === undefined) return
  const totalMinor = problems.amount(totalAmount, '/totalAmount', currency)
  if (problems.found.length === 0 && totalMinor !== sumMinor) {
    problems.tell('/totalAmount', 'must be the sum of the items')
  }
}
