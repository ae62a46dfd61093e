/**
 * CreateOrder: from nothing to `reserving`. The only step without a row before it.
 *
 * Lines and total are fixed here for good. One ReserveStock per line, products in sorted order.
 */

import { checkCount, checkId, checkOneOf } from '../shared/checks.ts'
import type { CreateOrder, CreateOrderData, OrderItem } from '../shared/commands.ts'
import { isoTime } from '../shared/iso-time.ts'
import { isCurrency } from '../shared/money.ts'
import { lineQuantityMax, orderLinesMax, orderTotalMinorMax } from '../shared/order-limits.ts'
import { ShopError } from '../shared/shop-error.ts'
import { type OrderContext, OrderDraft } from './order-draft.ts'
import type { OrderRow } from './order-row.ts'

/** @throws {ShopError} BAD_COMMAND: dead letter, the message names the field */
export const createOrder = (
  command: CreateOrder,
  createHash: string,
  context: OrderContext,
): OrderDraft => {
  const { data } = command
  const totalMinor = checkOrder(data)
  const draft = new OrderDraft(
    firstRow(command, totalMinor, createHash, context),
    command.commandId,
    context,
  )
  draft.orderEvent('order.created', {
    orderId: data.orderId,
    customerId: data.customerId,
    currency: data.currency,
    totalMinor,
    paymentMethod: data.paymentMethod,
    items: data.items,
    placedAt: isoTime(draft.row.placedAtMs),
    ...(data.shippingAddress !== undefined && { shippingAddress: data.shippingAddress }),
    ...(data.notes !== undefined && { notes: data.notes }),
  })
  draft.platformEvent('workflow.started', { orderId: data.orderId, workflow: 'order' })
  for (const line of linesByProduct(data.items)) draft.reserve(line)
  return draft
}

const firstRow = (
  { data, timestamp, metadata }: CreateOrder,
  totalMinor: number,
  createHash: string,
  { nowMs, deadlines }: OrderContext,
): OrderRow => {
  const placedAtMs = Date.parse(data.placedAt ?? timestamp)
  if (Number.isNaN(placedAtMs)) throw new ShopError('BAD_COMMAND', 'placedAt is no ISO-8601 time')
  return {
    orderId: data.orderId,
    version: 0,
    status: 'reserving',
    customerId: data.customerId,
    currency: data.currency,
    paymentMethod: data.paymentMethod,
    totalMinor,
    lines: data.items.map(({ productId, quantity, priceMinor }) => ({
      productId,
      quantity,
      priceMinor,
      state: 'asked',
    })),
    charges: [],
    placedAtMs,
    createdAtMs: nowMs,
    deadlineMs: nowMs + deadlines.replyMs,
    deadlineSetMs: nowMs,
    createHash,
    correlationId: metadata.correlationId,
    ...(data.shippingAddress !== undefined && { shippingAddress: data.shippingAddress }),
    ...(data.notes !== undefined && { notes: data.notes }),
  }
}

/** @returns the total in minor units */
const checkOrder = (data: CreateOrderData): number => {
  checkId(data.orderId, 'orderId')
  checkId(data.customerId, 'customerId')
  checkOneOf(data.paymentMethod, 'paymentMethod', ['card', 'transfer'])
  if (!isCurrency(data.currency)) {
    throw new ShopError('BAD_COMMAND', `${JSON.stringify(data.currency)} is no currency code`)
  }
  const { items } = data
  if (!Array.isArray(items) || items.length === 0 || items.length > orderLinesMax) {
    throw new ShopError('BAD_COMMAND', `an order has 1 to ${orderLinesMax} items`)
  }
  let totalMinor = 0
  for (const { productId, quantity, priceMinor } of items) {
    checkId(productId, 'items.productId')
    checkCount(quantity, 'items.quantity', 1, lineQuantityMax)
    checkCount(priceMinor, 'items.priceMinor', 0)
    totalMinor += quantity * priceMinor
  }
  checkCount(totalMinor, 'the total', 0, orderTotalMinorMax)
  return totalMinor
}

/** The same order of locks for everyone, and neighbouring products in one fetch. */
const linesByProduct = (items: readonly OrderItem[]): readonly number[] => {
  const lines = items.map((_, line) => line)
  if (lines.length < 2) return lines
  return lines.sort((a, b) => {
    const [left, right] = [items[a]!.productId, items[b]!.productId]
    return left < right ? -1 : left > right ? 1 : a - b
  })
}
