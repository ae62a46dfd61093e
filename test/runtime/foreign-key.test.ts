/**
 * Goal: a foreign-key join ends where its inputs end, when both sides change at once, on instances
 * that share the partitions, over kills.
 * Method: two instances on the embedded broker; many changes of both sides are sent before the
 * answers to earlier ones can have come; an instance is killed in the middle and another takes
 * over. The result is what the changes of the output make, against a join of the last inputs.
 */

import { expect, test } from 'vitest'
import {
  foreignKeyStore,
  json,
  joinTablesByForeignKey,
  leftJoinTablesByForeignKey,
  nullable,
  table,
  tableStore,
  to,
  topic,
  topology,
  toStream,
  utf8,
} from '../../src/index.ts'
import { Prng } from '../../src/testing/prng.ts'
import { Site } from './fixture.ts'

interface Order {
  readonly n: number
  readonly customer?: string
}

const orders = topic('orders', { key: utf8, value: json<Order>() })
const customers = topic('customers', { key: utf8, value: json<number>() })
const named = topic('named', { key: utf8, value: nullable(utf8) })
const orderRows = tableStore('order-rows', orders)
const customerRows = tableStore('customer-rows', customers)
const by = foreignKeyStore('order-customer', { left: orderRows, right: customerRows })

const naming = (kind: 'inner' | 'left') =>
  topology('naming', () => {
    const join = kind === 'inner' ? joinTablesByForeignKey : leftJoinTablesByForeignKey
    const named$ = join(
      table(orders, orderRows),
      table(customers, customerRows),
      { by, keyOf: ({ customer }: Order) => customer },
      ({ n, customer }, version?: number) => `${n} ${customer ?? '-'} ${version ?? '-'}`,
    )
    return [toStream(named$).pipe(to(named))]
  })

const seeds = [1, 2, 3, 4, 5, 6]

test.each([
  ...seeds.map((seed) => ['inner', seed] as const),
  ...seeds.map((seed) => ['left', seed] as const),
])('%s join ends where its inputs end, seed %s', async (kind, seed) => {
  const prng = new Prng(seed)
  const site = await Site.open()
  await site.createTopics([orders, named], 3)
  await site.createTopics([customers], 2)
  const [a] = await Promise.all(
    ['a', 'b'].map((instanceId) => site.start({ topology: naming(kind), instanceId })),
  )
  const [lastOrders, lastCustomers] = [new Map<string, Order>(), new Map<string, number>()]
  for (let n = 0; n < 240; n++) {
    if (n === 120) {
      a!.kill()
      site.launch({ topology: naming(kind), instanceId: 'c' })
    }
    const customer = `c${prng.int(4)}`
    const isDeletion = prng.int(3) === 0
    if (prng.int(4) === 0) {
      if (isDeletion) lastCustomers.delete(customer)
      else lastCustomers.set(customer, n)
      await site.send(customers, customer, isDeletion ? undefined : n)
    } else {
      const order: Order = prng.int(4) === 0 ? { n } : { n, customer }
      const key = `o${prng.int(6)}`
      if (isDeletion) lastOrders.delete(key)
      else lastOrders.set(key, order)
      await site.send(orders, key, isDeletion ? undefined : order)
    }
    if (prng.int(8) === 0) await site.turn(1, 1)
  }
  await site.idle()
  const got = new Map((await site.read(named)).map(({ key, value }) => [key, value]))
  for (const [key, value] of got) if (value === undefined) got.delete(key)
  const expected = [...lastOrders].flatMap(([key, { n, customer }]) => {
    const version = customer === undefined ? undefined : lastCustomers.get(customer)
    if (version === undefined && kind === 'inner') return []
    return [[key, `${n} ${customer ?? '-'} ${version ?? '-'}`]]
  })
  expect(Object.fromEntries(got)).toEqual(Object.fromEntries(expected))
})
