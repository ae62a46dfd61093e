/** What each customer has spent, in cents: the first version, which knew one currency only. */

import { aggregate, json, stream, tableStore, to, topic, topology, utf8 } from '../../src/index.ts'

interface Purchase {
  readonly cents: number
}

export const purchases = topic('purchases', { key: utf8, value: json<Purchase>() })
export const spent = topic('spent', { key: utf8, value: json<number>() })
export const spending = tableStore('spending', { key: utf8, value: json<number>() })

export const spendingInCents = topology('spending', () => [
  stream(purchases).pipe(
    aggregate(
      spending,
      () => 0,
      (sum, { cents }) => sum + cents,
    ),
    to(spent),
  ),
])
