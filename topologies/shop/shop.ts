/**
 * The shop: one topology of five flows, composed as functions.
 *
 * `shopTopology(config)` is what an application runs. Orders decides; inventory, payments and
 * shipments follow its commands and answer; customers collects, unless `config.customers` is off.
 * They meet in topics only, so each scales by itself.
 */

import { type Store, topology, type Topology } from '../../src/index.ts'
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
import { orderDeadlines, orderStore, orderTotals } from './orders/stores.ts'
import { ordersFlow } from './orders/topology.ts'
import { gatewayCalls, paymentStore, paymentTotals } from './payments/stores.ts'
import { paymentsFlow } from './payments/topology.ts'
import type { ShopConfig } from './shared/config.ts'
import { shipmentSteps, shipmentStore, shipmentTotals } from './shipments/stores.ts'
import { shipmentsFlow } from './shipments/topology.ts'

export const shopTopology = (config: ShopConfig): Topology =>
  topology('shop', () => {
    const { replies$, sinks } = inventoryFlow(config)
    const decided = ordersFlow(config, replies$)
    return [
      ...sinks,
      ...decided.sinks,
      ...paymentsFlow(config),
      ...shipmentsFlow(config),
      ...(config.customers ? customersFlow(decided.events$) : []),
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
]
