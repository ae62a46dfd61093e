/**
 * Waits until the orders of an instance are final, and everything they caused is processed.
 *
 * Used when `dev` stops and before `load` counts. An order that waits for a bank transfer waits
 * for a person: it ends the wait only by its own deadline.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import type { ShopAccess } from '../../topologies/shop/http/shop-access.ts'
import { finalStatuses } from '../../topologies/shop/orders/order-row.ts'

const pollMs = 50

/** @returns  whether everything was settled within the time */
export const settleOrders = async (
  shop: ShopAccess,
  maxWaitMs: number,
  isInterrupted: () => boolean = () => false,
): Promise<boolean> => {
  const endMs = performance.now() + maxWaitMs
  // twice in a row: the first look may fall between a command and the record it makes
  let settledLooks = 0
  for (;;) {
    const { statuses, lagRecords } = await shop.status()
    const open = Object.entries(statuses).some(
      ([status, count]) => count > 0 && !(finalStatuses as ReadonlySet<string>).has(status),
    )
    settledLooks = open || lagRecords !== 0 ? 0 : settledLooks + 1
    if (settledLooks === 2) return true
    if (performance.now() >= endMs || isInterrupted()) return false
    await sleep(pollMs)
  }
}
