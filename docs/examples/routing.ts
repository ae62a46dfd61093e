/** Orders cleaned, split and sent on: steps without state. */

import {
  branch,
  filter,
  flatMapValues,
  json,
  mapValues,
  stream,
  to,
  toDynamic,
  topic,
  topology,
  utf8,
} from '../../src/index.ts'

interface Order {
  readonly country: string
  readonly items: readonly string[]
  readonly totalCents: number
}

export const orders = topic('orders', { key: utf8, value: json<Order>() })
export const large = topic('large-orders', { key: utf8, value: json<number>() })
export const inland = topic('items-inland', { key: utf8, value: utf8 })
export const abroad = topic('items-abroad', { key: utf8, value: utf8 })

export const routing = topology('routing', () => {
  const valid$ = stream(orders).pipe(filter(({ value }) => value.totalCents > 0))
  const parts = branch(valid$, {
    large: ({ value }) => value.totalCents >= 100_000,
    rest: () => true,
  })
  return [
    parts.large.pipe(
      mapValues(({ totalCents }) => totalCents),
      to(large),
    ),
    parts.rest.pipe(
      flatMapValues(({ country, items }) => items.map((item) => `${country}:${item}`)),
      toDynamic([inland, abroad], ({ value }) => (value.startsWith('DE:') ? inland : abroad)),
    ),
  ]
})
