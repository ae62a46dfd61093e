/**
 * Customers from a seed: bodies of `POST /api/orders`, one after the other, for ever.
 *
 * Most orders are served. Some ask for what is sold out, some promise a transfer that never comes;
 * declines, short captures and time-outs are the gateway's part. Same seed and catalogue, same
 * sequence. Order ids are left to the caller.
 */

import { Prng } from '../../../src/index.ts'
import type { OrderRequest, OrderRequestItem } from '../shared/order-request.ts'
import type { Catalogue, CatalogueProduct } from './catalogue.ts'

export interface OrderGeneratorOptions {
  /** Share of orders with a product that is out of stock. Default 0.03. */
  readonly outOfStockRate?: number
  /** Share of orders by transfer. Default 0.02. */
  readonly transferRate?: number
  /** Distinct customers. Default 500. */
  readonly customers?: number
  /** Lines per order at most. Default 3. */
  readonly linesMax?: number
}

export interface OrderGenerator {
  next(): OrderRequest
}

export const orderGenerator = (
  seed: number,
  catalogue: Catalogue,
  options: OrderGeneratorOptions = {},
): OrderGenerator => {
  const { outOfStockRate = 0.03, transferRate = 0.02, customers = 500, linesMax = 3 } = options
  const random = new Prng(seed)
  const served = catalogue.products.filter(({ initialStock }) => initialStock > 0)
  const soldOut = catalogue.products.filter(({ initialStock }) => initialStock === 0)
  return {
    next: () => {
      const items = distinct(served, 1 + random.int(linesMax), random)
      const isUnserved = random.next() < outOfStockRate && soldOut.length > 0
      const wanted = isUnserved ? [...items, soldOut[random.int(soldOut.length)]!] : items
      const isTransfer = random.next() < transferRate
      return {
        customerId: `customer-${String(random.int(customers) + 1).padStart(4, '0')}`,
        currency: catalogue.currency,
        paymentMethod: isTransfer ? 'transfer' : 'card',
        items: wanted.map((product) => itemOf(product, random)),
      }
    },
  }
}

const itemOf = ({ productId, price }: CatalogueProduct, random: Prng): OrderRequestItem => ({
  productId,
  quantity: 1 + random.int(3),
  price,
})

const distinct = (
  products: readonly CatalogueProduct[],
  wanted: number,
  random: Prng,
): readonly CatalogueProduct[] => {
  const chosen = new Set<CatalogueProduct>()
  for (let i = 0; i < wanted; i++) chosen.add(products[random.int(products.length)]!)
  return [...chosen]
}
