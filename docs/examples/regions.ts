/** How much money lies in each region: a sum over the rows of a table that follows its changes. */

import {
  aggregateGroups,
  groupTable,
  json,
  nullable,
  replacement,
  repartitionTopic,
  table,
  tableStore,
  to,
  topic,
  topology,
  utf8,
} from '../../src/index.ts'

interface Account {
  readonly region: string
  readonly cents: number
}

export const accounts = topic('accounts', { key: utf8, value: json<Account>() })
export const totals = topic('totals', { key: utf8, value: nullable(json<number>()) })
const accountRows = tableStore('account-rows', { key: utf8, value: json<Account>() })
const totalRows = tableStore('total-rows', { key: utf8, value: json<number>() })
const byRegion = repartitionTopic('by-region', { key: utf8, value: replacement(json<number>()) })

export const regions = topology('regions', () => [
  groupTable(table(accounts, accountRows), byRegion, ({ region, cents }) => [region, cents]).pipe(
    aggregateGroups(totalRows, () => 0, {
      add: (sum, cents) => sum + cents,
      subtract: (sum, cents) => sum - cents,
    }),
    to(totals),
  ),
])
