/**
 * What the shop's bench orders: the real purchases of the CDNOW file, or the generator of `dev`.
 *
 * Endless either way; the file is read again from its start, and every order has an id of its own.
 */

import { readFileSync } from 'node:fs'
import { musicCatalogue } from '../../topologies/shop/load/catalogue.ts'
import { parseCdnowLine } from '../../topologies/shop/load/cdnow.ts'
import { orderGenerator } from '../../topologies/shop/load/order-generator.ts'
import { type ParsedOrder, parseOrderRequest } from '../../topologies/shop/shared/order-request.ts'

export interface OrderSource {
  readonly productIds: readonly string[]
  next(): ParsedOrder
}

/** @throws {RangeError} no such source */
export const orderSource = (name: string): OrderSource => {
  if (name === 'cdnow') return realOrders()
  if (name === 'generated') return generatedOrders()
  throw new RangeError(`ORDERS_FROM is ${name}: cdnow or generated`)
}

const cdnowFile = new URL('../../topologies/shop/load/data/cdnow-sample.txt', import.meta.url)

const realOrders = (): OrderSource => {
  const orders = readFileSync(cdnowFile, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line, i) => {
      const parsed = parseCdnowLine(line, i + 1, Date.now())
      if (!parsed.ok) throw new Error(`line ${i + 1} ${parsed.reason}`)
      const { placedAt: _, ...order } = parsed.order // bought now, not in 1997
      return order
    })
  let at = 0
  return {
    productIds: [...new Set(orders.flatMap(({ items }) => items.map((item) => item.productId)))],
    next: () => orders[at++ % orders.length]!,
  }
}

const generatedOrders = (): OrderSource => {
  const generator = orderGenerator(1, musicCatalogue, { outOfStockRate: 0, transferRate: 0 })
  return {
    productIds: musicCatalogue.products.map(({ productId }) => productId),
    next: () => {
      const parsed = parseOrderRequest(generator.next())
      if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
      return parsed.value
    },
  }
}
