/**
 * The shop: one topology of five flows, composed as functions.
 *
 * `shopTopology(config)` is what an application runs. Orders decides; inventory, payments and
 * shipments follow its commands and answer; customers collects. They meet in topics only, so each
 * scales by itself. Notifications and audit are branches of those flows, in their tasks, in which
 * analytics counts too. What only collects can be left out: see `ShopConfig`.
 */

import { type Store, topology, type Topology } from '../../src/index.ts'
import { analyticsStores } from './analytics/stores.ts'
import { analyticsFlow } from './analytics/topology.ts'
import { auditFlow } from './audit/topology.ts'
import { customerStore } from './customers/stores.ts'
import { customersFlow } from './customers/topology.ts'
import { inventoryFlow } from './inventory/topology.ts'
import {
  holdStore,
  inventoryTotals,
  productStore,
  stockCommands,
  stockDeadlines,
} from './inventory/stores.ts'
import { notificationsFlow } from './notifications/topology.ts'
import { orderDeadlines, orderStore, orderTotals } from './orders/stores.ts'
import { ordersFlow } from './orders/topology.ts'
import { gatewayCalls, paymentStore, paymentTotals } from './payments/stores.ts'
import { paymentsFlow } from './payments/topology.ts'
import type { ShopConfig } from './shared/config.ts'
import { shipmentSteps, shipmentStore, shipmentTotals } from './shipments/stores.ts'
import { shipmentsFlow } from './shipments/topology.ts'

export const shopTopology = (config: ShopConfig): Topology =>
  topology('shop', () => {
    const stock = inventoryFlow(config)
    const decided = ordersFlow(config, stock.replies$)
    const paid = paymentsFlow(config)
    const shipped = shipmentsFlow(config)
    return [
      ...stock.sinks,
      ...decided.sinks,
      ...paid.sinks,
      ...shipped.sinks,
      ...(config.customers ? customersFlow(decided.events$) : []),
      ...(config.notifications ? notificationsFlow(decided.decided$) : []),
      ...(config.audit ? auditFlow({ stock, decided, paid, shipped }) : []),
      ...(config.analytics ? analyticsFlow({ stock, decided, paid, shipped }) : []),
    ]
  })

/** Every store of the shop, for queries by name. */
export const shopStores: readonly Store[] = [
  orderStore,
  orderDeadlines,
  orderTotals,
  productStore,
  holdStore,
  stockCommands,
  stockDeadlines,
  inventoryTotals,
  paymentStore,
  gatewayCalls,
  paymentTotals,
  shipmentStore,
  shipmentSteps,
  shipmentTotals,
  customerStore,
  ...analyticsStores,
]
