/** What a shop at rest must show: one outcome for each order, and its money accounted for. */

import { expect } from 'vitest'
import type { OrderRow } from '../../topologies/shop/orders/order-row.ts'
import type { CreateShipmentData } from '../../topologies/shop/shared/commands.ts'

export interface EndedShop {
  readonly orders: ReadonlyMap<string, OrderRow>
  /** Final events per order, in order. */
  readonly outcomes: ReadonlyMap<string, readonly string[]>
  /** What each shipment was made with. */
  readonly shipped: ReadonlyMap<string, CreateShipmentData>
  /** Money the bank has for this order, refunds taken off. */
  keptMinor(orderId: string): number
}

export const expectEnds = (shop: EndedShop): void => {
  for (const row of shop.orders.values()) {
    const outcomes = shop.outcomes.get(row.orderId) ?? []
    expect(outcomes).toEqual([`order.${row.status}`])
    if (row.status !== 'completed') expect(shop.keptMinor(row.orderId)).toBe(0)
    else if (row.returnState === undefined) {
      const keptMinor = Math.max(0, shippedMinor(shop, row) - (row.waivedMinor ?? 0))
      expect(shop.keptMinor(row.orderId)).toBe(keptMinor)
    } else expect([row.returnState, shop.keptMinor(row.orderId)]).toEqual(['done', 0])
  }
}

/** What was sent, at the prices of the order: what the shop may keep. */
const shippedMinor = ({ shipped }: EndedShop, { orderId, lines }: OrderRow): number => {
  const priceOf = new Map(lines.map(({ productId, priceMinor }) => [productId, priceMinor]))
  let sumMinor = 0
  for (const shipment of shipped.values()) {
    if (shipment.orderId !== orderId) continue
    for (const { productId, quantity } of shipment.items) {
      sumMinor += quantity * priceOf.get(productId)!
    }
  }
  return sumMinor
}
