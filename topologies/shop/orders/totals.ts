/**
 * What the counters of the orders flow count, from one decision: shown without a scan.
 *
 * `orders`, `units`, `amount:<currency>` at creation · `status:<status>` orders now in it ·
 * `alarms` deadlines that passed without the answer · `duplicates` dropped repetitions.
 */

import { count, type Counters } from '../shared/counters.ts'
import type { OrderRow, OrderStatus } from './order-row.ts'

export const statusCounter = (status: OrderStatus): string => `status:${status}`
export const amountCounter = (currency: string): string => `amount:${currency}`

export const countDecision = (
  totals: Counters,
  before: OrderRow | undefined,
  after: OrderRow,
): void => {
  if (before === undefined) {
    count(totals, 'orders')
    count(
      totals,
      'units',
      after.lines.reduce((units, { quantity }) => units + quantity, 0),
    )
    count(totals, amountCounter(after.currency), after.totalMinor)
  }
  if (before?.status !== after.status) {
    if (before !== undefined) count(totals, statusCounter(before.status), -1)
    count(totals, statusCounter(after.status))
  }
  const alarms = (after.alarms ?? 0) - (before?.alarms ?? 0)
  if (alarms > 0) count(totals, 'alarms', alarms)
}
