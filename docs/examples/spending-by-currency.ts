/** The same store one version on: sums by currency. What was there already were euros. */

import { aggregate, json, stream, tableStore, to, topic, topology, utf8 } from '../../src/index.ts'

interface Purchase {
  readonly cents: number
  readonly currency?: string
}

/** Cents by currency. */
type Sums = Readonly<Record<string, number>>

const firstVersion = json<number>()

export const purchases = topic('purchases', { key: utf8, value: json<Purchase>() })
export const spent = topic('spent', { key: utf8, value: json<Sums>() })
export const spending = tableStore('spending', {
  key: utf8,
  value: json<Sums>(),
  version: 2,
  migrate: (valueBytes) => ({ EUR: firstVersion.decode(valueBytes) }),
})

const added = (sums: Sums, { cents, currency = 'EUR' }: Purchase): Sums => ({
  ...sums,
  [currency]: (sums[currency] ?? 0) + cents,
})

export const spendingByCurrency = topology('spending', () => [
  stream(purchases).pipe(
    aggregate(spending, () => ({}), added),
    to(spent),
  ),
])
