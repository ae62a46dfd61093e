/**
 * Real orders: a line of the CDNOW purchase file as an order.
 *
 * The rule. One line (customer id, id in the sample, date YYYYMMDD, units, dollars) is one order,
 * paid by card in USD and placed at midnight UTC of its date. The product is `cd-` and the whole
 * dollars of the unit price, at least two digits: `cd-14` sells for 14.00 to 14.99. Dollars that do
 * not divide by the units become two lines, the second one cent dearer per unit, so that the sum is
 * exact. The order id is UUIDv5 of line number and line: loading the file again makes the same.
 */

import { shopNamespace, uuidV5 } from '../shared/ids.ts'
import type { OrderItem } from '../shared/commands.ts'
import { parseMinor } from '../shared/money.ts'
import { isPlacedTooFarAhead, placedTooFarAhead } from '../shared/order-request.ts'
import { lineQuantityMax, orderTotalMinorMax } from '../shared/order-limits.ts'
import type { LoadLine } from './load-line.ts'

const fileNamespace = uuidV5(shopNamespace, 'cdnow')
const linePattern = /^\s*(\d+)\s+(\d+)\s+(\d{4})(\d{2})(\d{2})\s+(\d+)\s+(\d+(?:\.\d+)?)\s*$/

/**
 * @param lineNumber  from 1
 * @param nowMs       wall clock: orders of the future are refused
 */
export const parseCdnowLine = (line: string, lineNumber: number, nowMs: number): LoadLine => {
  const match = linePattern.exec(line)
  if (match === null) {
    return { ok: false, reason: 'is not: customer, sample id, YYYYMMDD, units, dollars' }
  }
  const [, customer, , year, month, day, unitsText, dollars = ''] = match
  const placedAt = `${year}-${month}-${day}T00:00:00.000Z`
  if (!isDate(placedAt)) return { ok: false, reason: `${year}${month}${day} is no date` }
  if (isPlacedTooFarAhead(placedAt, nowMs)) {
    return { ok: false, reason: `${year}${month}${day} ${placedTooFarAhead}` }
  }
  const units = Number(unitsText)
  if (!Number.isSafeInteger(units) || units < 1 || units > lineQuantityMax) {
    return { ok: false, reason: `units must be 1 to ${lineQuantityMax}` }
  }
  let amountMinor: number
  try {
    amountMinor = parseMinor(dollars, 'USD')
  } catch (error) {
    return { ok: false, reason: (error as Error).message }
  }
  if (amountMinor > orderTotalMinorMax) return { ok: false, reason: `${dollars} USD are too many` }
  return {
    ok: true,
    orderId: uuidV5(fileNamespace, `${lineNumber}:${line.trim()}`),
    // properties in the order of a body that came over HTTP: its hash tells it from another order
    order: {
      customerId: `cdnow-${customer}`,
      currency: 'USD',
      items: itemsOf(units, amountMinor),
      paymentMethod: 'card',
      placedAt,
    },
  }
}

const itemsOf = (units: number, amountMinor: number): readonly OrderItem[] => {
  const priceMinor = Math.floor(amountMinor / units)
  const dearer = amountMinor - priceMinor * units
  const items = [itemOf(units - dearer, priceMinor)]
  if (dearer > 0) items.push(itemOf(dearer, priceMinor + 1))
  return items
}

const itemOf = (quantity: number, priceMinor: number): OrderItem => {
  const productId = `cd-${String(Math.floor(priceMinor / 100)).padStart(2, '0')}`
  return { productId, quantity, priceMinor }
}

/** Date.parse takes the 30th of February for the 2nd of March. */
const isDate = (iso: string): boolean => {
  const ms = Date.parse(iso)
  return !Number.isNaN(ms) && new Date(ms).toISOString() === iso
}
