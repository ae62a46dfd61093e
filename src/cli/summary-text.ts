/** The end of `dev`, `run` and `load`: the shop's summary for people or as one JSON object. */

import { formatMinor } from '../../topologies/shop/shared/money.ts'
import type { ShopSummary } from '../../topologies/shop/shared/summary.ts'
import { exitCodes } from './exit-codes.ts'
import { table } from './table.ts'

/** @param extras  figures of the command itself, such as lines read; shown after the shop's */
export const printSummary = (
  output: 'table' | 'json',
  summary: ShopSummary,
  extras: Readonly<Record<string, unknown>>,
): void => {
  const text =
    output === 'json' ? JSON.stringify({ ...summary, ...extras }) : summaryText(summary, extras)
  process.stdout.write(`${text}\n`)
}

/** A broken invariant is a failure, whatever else went well. */
export const summaryExitCode = ({ invariants }: ShopSummary): number =>
  invariants.violations.length === 0 ? exitCodes.ok : exitCodes.failure

const summaryText = (summary: ShopSummary, extras: Readonly<Record<string, unknown>>): string => {
  const { checked, violations } = summary.invariants
  const amounts = Object.entries(summary.amountMinor).map(
    ([currency, amountMinor]) => `${formatMinor(amountMinor, currency)} ${currency}`,
  )
  const rows = [
    ['orders', String(summary.orders)],
    ['units', String(summary.units)],
    ['amount', amounts.join(', ') || '0'],
    ['outcomes', counts(summary.outcomes)],
    ['open', summary.open === 0 ? '0' : `${summary.open} (${counts(summary.openByStatus)})`],
    ['alarms', String(summary.alarms)],
    ['duplicates', String(summary.duplicates)],
    ['invariants', `${checked} rows checked, ${violations.length} violations`],
    ...violations.map(({ rule, subject, detail }) => ['', `${rule} ${subject}: ${detail}`]),
    ...Object.entries(extras).map(([name, value]) => [name, String(value)]),
  ]
  return table(rows)
}

const counts = (named: Readonly<Record<string, number>>): string =>
  Object.entries(named)
    .filter(([, count]) => count !== 0)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ') || '0'
