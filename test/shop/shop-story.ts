/** The shop under the TopologyDriver, with the words tests tell stories in. */

import { TopologyDriver } from '../../src/testing/topology-driver.ts'
import { fakeGateway, type FakeGatewayOptions } from '../../topologies/shop/gateway/fake-gateway.ts'
import { holdStore, productStore } from '../../topologies/shop/inventory/stores.ts'
import type { OrderRow } from '../../topologies/shop/orders/order-row.ts'
import { orderStore, orderTotals } from '../../topologies/shop/orders/stores.ts'
import { paymentStore } from '../../topologies/shop/payments/stores.ts'
import type { PaymentMethod } from '../../topologies/shop/shared/commands.ts'
import { shopConfig, type ShopSettings } from '../../topologies/shop/shared/config.ts'
import { checkShop } from '../../topologies/shop/shared/invariants.ts'
import { createOrderCommand, type ParsedOrder } from '../../topologies/shop/shared/order-request.ts'
import { updateStockCommand } from '../../topologies/shop/shared/stock-request.ts'
import { shopSummary, type ShopSummary } from '../../topologies/shop/shared/summary.ts'
import {
  inventory,
  inventoryCommands,
  orderCommands,
  orders,
  payments,
  shipments,
} from '../../topologies/shop/shared/topics.ts'
import { shopTopology } from '../../topologies/shop/shop.ts'

export interface StoryOptions {
  readonly gateway?: FakeGatewayOptions
  readonly settings?: Omit<ShopSettings, 'gateway'>
  readonly partitions?: number
  readonly rebuildBeforeEachRecord?: boolean
}

export class ShopStory {
  readonly driver: TopologyDriver

  constructor({ gateway = {}, settings = {}, ...options }: StoryOptions = {}) {
    const config = shopConfig({ ...settings, gateway: fakeGateway(gateway) })
    this.driver = new TopologyDriver(shopTopology(config), {
      startMs: Date.UTC(2026, 0, 1),
      ...options,
    })
  }

  get nowMs(): number {
    return this.driver.clock.nowMs()
  }

  stock(productId: string, quantity: number): void {
    const origin = { commandId: `stock-${productId}-${this.nowMs}`, nowMs: this.nowMs, source: 't' }
    const request = { operation: 'ADD', quantity, reason: 'RESTOCK' } as const
    this.driver.pipe(inventoryCommands, productId, updateStockCommand(productId, request, origin))
  }

  order(orderId: string, items: Readonly<Record<string, number>>, method?: PaymentMethod): void {
    this.place(orderId, {
      customerId: 'ann',
      currency: 'EUR',
      items: Object.entries(items).map(([productId, quantity]) => ({
        productId,
        quantity,
        priceMinor: 1250,
      })),
      paymentMethod: method ?? 'card',
    })
  }

  place(orderId: string, order: ParsedOrder): void {
    const command = createOrderCommand(order, { orderId, nowMs: this.nowMs, source: 'test' })
    this.driver.pipe(orderCommands, orderId, command)
  }

  /** Lets the gateway answer and time pass until nothing moves. */
  async pass(ms = 1000): Promise<void> {
    for (let round = 0; round < 4; round++) {
      await this.driver.settleEffects()
      this.driver.advanceWallClock(Math.ceil(ms / 4))
    }
    await this.driver.settleEffects()
  }

  row(orderId: string): OrderRow {
    const found = this.driver.query(orderStore).get(orderId)
    if (found === undefined) throw new Error(`no order ${orderId}`)
    return found
  }

  /** Types of all events so far, in the order of their topics. */
  eventTypes(): Record<'orders' | 'payments' | 'inventory' | 'shipments', readonly string[]> {
    const typesOf = (events: readonly { eventType: string }[]): readonly string[] =>
      events.map(({ eventType }) => eventType)
    return {
      orders: typesOf(this.driver.values(orders)),
      payments: typesOf(this.driver.values(payments)),
      inventory: typesOf(this.driver.values(inventory)),
      shipments: typesOf(this.driver.values(shipments)),
    }
  }

  summary(isSettled = true): ShopSummary {
    const { driver } = this
    const check = checkShop({
      orders: valuesOf(driver.query(orderStore).range()),
      products: valuesOf(driver.query(productStore).range()),
      holds: valuesOf(driver.query(holdStore).range()),
      payments: valuesOf(driver.query(paymentStore).range()),
      isSettled,
    })
    return shopSummary(driver.query(orderTotals).range(), check)
  }
}

const valuesOf = <V>(rows: Iterable<readonly [string, V]>): readonly V[] =>
  [...rows].map(([, value]) => value)
