/** What an event of the inventory adds to the figures: movements of stock, over all products. */

import type { InventoryEvent } from '../shared/events.ts'
import { figureKey } from './figure-key.ts'
import type { Fact } from './figure-row.ts'

const key = figureKey('stock')

export const stockSums = [
  'reservations',
  'reservedUnits',
  'failedReservations',
  'missedUnits',
  'deductions',
  'deductedUnits',
  'failedDeductions',
  'releases',
  'expiredHolds',
  'updates',
  'addedUnits',
  'subtractedUnits',
  'lowStockWarnings',
] as const

type StockSums = Readonly<Partial<Record<(typeof stockSums)[number], number>>>

/** @returns  undefined: no stock moved, and none was missing */
export const stockFact = (event: InventoryEvent, atMs: number): Fact | undefined => {
  const sums = sumsOf(event)
  return sums && { key, atMs, sums }
}

const sumsOf = (event: InventoryEvent): StockSums | undefined => {
  switch (event.eventType) {
    case 'stock.reserved':
      return { reservations: 1, reservedUnits: event.data.quantity }
    case 'reservation.failed':
      return { failedReservations: 1, missedUnits: event.data.quantity }
    case 'stock.deducted':
      return { deductions: 1, deductedUnits: event.data.quantity }
    case 'deduct.failed':
      return { failedDeductions: 1 }
    case 'stock.released':
      return { releases: 1 }
    case 'hold.expired':
      return { expiredHolds: 1 }
    case 'inventory.updated': {
      const { quantityChange } = event.data
      return quantityChange < 0
        ? { updates: 1, subtractedUnits: -quantityChange }
        : { updates: 1, addedUnits: quantityChange }
    }
    case 'stock.low':
      return { lowStockWarnings: 1 }
    case 'stock.backordered': // neither held nor refused yet: what becomes of it counts
    case 'inventory.update-refused':
      return undefined
  }
}
