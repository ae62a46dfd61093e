/**
 * The shop in one object: what `millrace dev`, `load` and `GET /api/summary` print at the end.
 *
 * Built from the counters of all partitions, so it costs nothing to ask for; the invariants need a
 * scan and are checked by the caller when it can afford one.
 */

import { finalStatuses, type OrderStatus } from '../orders/order-row.ts'
import type { ShopCheck } from './invariants.ts'
import type { Violation } from './violation.ts'

export interface ShopSummary {
  readonly orders: number
  readonly units: number
  /** Ordered, by currency, in minor units. */
  readonly amountMinor: Readonly<Record<string, number>>
  /** Ended orders by outcome. */
  readonly outcomes: Readonly<Record<string, number>>
  /** Orders without an outcome yet, by status. */
  readonly openByStatus: Readonly<Record<string, number>>
  readonly open: number
  readonly alarms: number
  readonly duplicates: number
  readonly invariants: { readonly checked: number; readonly violations: readonly Violation[] }
}

/** @param counters  rows of the store `order-totals`, of every partition */
export const shopSummary = (
  counters: Iterable<readonly [string, number]>,
  { checked, violations }: ShopCheck,
): ShopSummary => {
  const plain: Record<string, number> = {}
  const amountMinor: Record<string, number> = {}
  const outcomes: Record<string, number> = {}
  const openByStatus: Record<string, number> = {}
  for (const status of finalStatuses) outcomes[status] = 0
  for (const [name, value] of counters) {
    const [kind = '', label] = name.split(':')
    if (label === undefined) add(plain, kind, value)
    else if (kind === 'amount') add(amountMinor, label, value)
    else if (finalStatuses.has(label as OrderStatus)) add(outcomes, label, value)
    else add(openByStatus, label, value)
  }
  const { orders = 0, units = 0, alarms = 0, duplicates = 0 } = plain
  const open = Object.values(openByStatus).reduce((sum, value) => sum + value, 0)
  return {
    orders,
    units,
    amountMinor,
    outcomes,
    openByStatus,
    open,
    alarms,
    duplicates,
    invariants: { checked, violations },
  }
}

const add = (sums: Record<string, number>, name: string, value: number): void => {
  sums[name] = (sums[name] ?? 0) + value
}
