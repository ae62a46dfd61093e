/**
 * The body of `POST /api/orders`, and of each line of a load file: checked once, at the border.
 *
 * Called by HTTP and by `load`. Prices come as decimal strings or numbers exact in their currency
 * and leave as minor units. Unknown fields are refused: a misspelt one must not be lost in silence.
 */

import { type CreateOrder, type OrderItem, type PaymentMethod } from './commands.ts'
import { isCurrency, parseMinor } from './money.ts'
import { newCommand } from './new-command.ts'
import { orderLinesMax } from './order-limits.ts'

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
  /** ISO-8601; default now. */
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

export interface RequestProblem {
  /** JSON pointer into the body. */
  readonly pointer: string
  readonly detail: string
}

export type ParsedRequest =
  | { readonly ok: true; readonly value: ParsedOrder }
  | { readonly ok: false; readonly problems: readonly RequestProblem[] }

const fields: ReadonlySet<string> = new Set([
  'orderId',
  'customerId',
  'currency',
  'items',
  'paymentMethod',
  'shippingAddress',
  'notes',
  'placedAt',
  'totalAmount',
])
const itemFields: ReadonlySet<string> = new Set(['productId', 'quantity', 'price'])
const textMax = 1000
const idMax = 255

/** Finds every problem, not only the first. */
export const parseOrderRequest = (body: unknown): ParsedRequest => {
  const problems: RequestProblem[] = []
  const value = isObject(body) ? checkBody(body, problems) : undefined
  if (!isObject(body)) problems.push({ pointer: '', detail: 'must be a JSON object' })
  return value !== undefined && problems.length === 0
    ? { ok: true, value }
    : { ok: false, problems }
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

const checkBody = (
  body: Readonly<Record<string, unknown>>,
  problems: RequestProblem[],
): ParsedOrder => {
  const tell = (pointer: string, detail: string): void => void problems.push({ pointer, detail })
  const { currency, paymentMethod = 'card', placedAt } = body
  tellUnknown(body, { known: fields, at: '' }, problems)
  checkText(body, { field: 'customerId', max: idMax, isRequired: true }, problems)
  checkText(body, { field: 'orderId', max: idMax }, problems)
  checkText(body, { field: 'shippingAddress', max: textMax }, problems)
  checkText(body, { field: 'notes', max: textMax }, problems)
  const isKnownCurrency = typeof currency === 'string' && isCurrency(currency)
  if (!isKnownCurrency) tell('/currency', 'must be an ISO-4217 code')
  if (paymentMethod !== 'card' && paymentMethod !== 'transfer') {
    tell('/paymentMethod', 'must be card or transfer')
  }
  if (placedAt !== undefined && !isTime(placedAt)) tell('/placedAt', 'must be an ISO-8601 time')
  const items = checkItems(body['items'], isKnownCurrency ? currency : 'USD', problems)
  checkTotal(body['totalAmount'], { items, currency: String(currency) }, problems)
  const { orderId, shippingAddress, notes } = body
  return {
    ...(orderId !== undefined && { orderId: orderId as string }),
    customerId: body['customerId'] as string,
    currency: currency as string,
    items,
    paymentMethod: paymentMethod as PaymentMethod,
    ...(shippingAddress !== undefined && { shippingAddress: shippingAddress as string }),
    ...(notes !== undefined && { notes: notes as string }),
    ...(placedAt !== undefined && { placedAt: placedAt as string }),
  }
}

const checkItems = (
  items: unknown,
  currency: string,
  problems: RequestProblem[],
): readonly OrderItem[] => {
  if (!Array.isArray(items) || items.length === 0 || items.length > orderLinesMax) {
    problems.push({ pointer: '/items', detail: `must be an array of 1 to ${orderLinesMax} items` })
    return []
  }
  return items.map((item: unknown, index) =>
    checkItem(item, { at: `/items/${index}`, currency }, problems),
  )
}

const checkItem = (
  item: unknown,
  { at, currency }: { readonly at: string; readonly currency: string },
  problems: RequestProblem[],
): OrderItem => {
  const fallback = { productId: '', quantity: 1, priceMinor: 0 }
  if (!isObject(item)) {
    problems.push({ pointer: at, detail: 'must be a JSON object' })
    return fallback
  }
  const { productId, quantity, price } = item
  tellUnknown(item, { known: itemFields, at }, problems)
  if (!isText(productId, idMax)) {
    problems.push({ pointer: `${at}/productId`, detail: `must be 1 to ${idMax} characters` })
  }
  if (!Number.isSafeInteger(quantity) || (quantity as number) < 1) {
    problems.push({ pointer: `${at}/quantity`, detail: 'must be a whole number of at least 1' })
  }
  const priceMinor = checkAmount(price, { pointer: `${at}/price`, currency }, problems)
  return { productId: productId as string, quantity: quantity as number, priceMinor }
}

const checkAmount = (
  amount: unknown,
  { pointer, currency }: { readonly pointer: string; readonly currency: string },
  problems: RequestProblem[],
): number => {
  if (typeof amount !== 'string' && typeof amount !== 'number') {
    problems.push({ pointer, detail: 'must be a decimal string or number' })
    return 0
  }
  try {
    const minor = parseMinor(amount, currency)
    if (minor >= 0) return minor
    problems.push({ pointer, detail: 'must not be negative' })
  } catch (error) {
    problems.push({ pointer, detail: (error as Error).message })
  }
  return 0
}

const checkTotal = (
  totalAmount: unknown,
  { items, currency }: { readonly items: readonly OrderItem[]; readonly currency: string },
  problems: RequestProblem[],
): void => {
  if (problems.length > 0) return
  const sumMinor = items.reduce((sum, each) => sum + each.quantity * each.priceMinor, 0)
  if (!Number.isSafeInteger(sumMinor)) {
    problems.push({ pointer: '/items', detail: 'the total is too large' })
  }
  if (totalAmount === undefined) return
  const totalMinor = checkAmount(totalAmount, { pointer: '/totalAmount', currency }, problems)
  if (problems.length === 0 && totalMinor !== sumMinor) {
    problems.push({ pointer: '/totalAmount', detail: 'must be the sum of the items' })
  }
}

const checkText = (
  body: Readonly<Record<string, unknown>>,
  {
    field,
    max,
    isRequired = false,
  }: { readonly field: string; readonly max: number; readonly isRequired?: boolean },
  problems: RequestProblem[],
): void => {
  const text = body[field]
  if (text === undefined ? !isRequired : isText(text, max)) return
  problems.push({ pointer: `/${field}`, detail: `must be a text of 1 to ${max} characters` })
}

const tellUnknown = (
  body: Readonly<Record<string, unknown>>,
  { known, at }: { readonly known: ReadonlySet<string>; readonly at: string },
  problems: RequestProblem[],
): void => {
  for (const field of Object.keys(body)) {
    if (known.has(field)) continue
    const pointer = `${at}/${field.replaceAll('~', '~0').replaceAll('/', '~1')}`
    problems.push({ pointer, detail: 'is not a known field' })
  }
}

const isText = (value: unknown, max: number): boolean =>
  typeof value === 'string' && value.length > 0 && value.length <= max && value.isWellFormed()

const timePattern = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/

const isTime = (value: unknown): boolean =>
  typeof value === 'string' && timePattern.test(value) && !Number.isNaN(Date.parse(value))

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
