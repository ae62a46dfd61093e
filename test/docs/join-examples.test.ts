/** Goal: the examples of `docs/joins.md` and `docs/tables.md` do what the pages say. */

import { expect, test } from 'vitest'
import {
  awaitingPayment,
  orderPayment,
  orders,
  outcomes,
  payments,
} from '../../docs/examples/order-payment.ts'
import {
  prices,
  products,
  productSheet,
  sheets,
  suppliers,
} from '../../docs/examples/product-sheet.ts'
import { minutes } from '../../src/index.ts'
import { TopologyDriver } from '../../src/testing/index.ts'

const at = (minute: number): { timestampMs: number } => ({ timestampMs: minutes(minute) })

test.each([1, 3])('an order is paid, short or expired, on %s partitions', (partitions) => {
  const driver = new TopologyDriver(orderPayment, { partitions, startMs: minutes(60) })
  driver.pipe(orders, 'o1', { totalCents: 500 }, at(0))
  driver.pipe(orders, 'o2', { totalCents: 500 }, at(1))
  driver.pipe(orders, 'o3', { totalCents: 500 }, at(2))
  driver.pipe(payments, 'o1', { amountCents: 500 }, at(10))
  driver.pipe(payments, 'o2', { amountCents: 300 }, at(16))
  expect(driver.read(outcomes)).toMatchObject([
    { key: 'o1', value: { kind: 'paid' }, timestampMs: minutes(10) },
    { key: 'o2', value: { kind: 'short', missingCents: 200 }, timestampMs: minutes(16) },
  ])
  expect(
    driver
      .query(awaitingPayment)
      .byPartition()
      .flatMap(({ reader }) => [...reader.waiting()]),
  ).toEqual([['o3', minutes(2)]])
  driver.restart()
  for (let i = 0; i < 9; i++) driver.pipe(orders, `x${i}`, { totalCents: 1 }, at(18))
  expect(driver.values(outcomes)).toEqual([])
  for (let i = 0; i < 9; i++) driver.pipe(orders, `y${i}`, { totalCents: 1 }, at(19))
  expect(driver.read(outcomes)).toMatchObject([
    { key: 'o3', value: { kind: 'expired' }, timestampMs: minutes(2) },
  ])
  driver.pipe(payments, 'o3', { amountCents: 500 }, at(3))
  expect(driver.values(outcomes)).toEqual([])
})

test.each([1, 4])('a sheet follows product, supplier and price, on %s partitions', (partitions) => {
  const driver = new TopologyDriver(productSheet, { partitions })
  driver.pipe(products, 'p1', { title: 'Cup', supplierId: 's1' })
  driver.pipe(suppliers, 's1', 'Acme')
  driver.pipe(prices, 'p1', 900)
  driver.restart()
  driver.pipe(products, 'p2', { title: 'Jug', supplierId: 's1' })
  driver.pipe(suppliers, 's1', 'Bolt')
  driver.pipe(products, 'p1', { title: 'Mug' })
  driver.pipe(products, 'p2', undefined as never)
  const bySheet = Map.groupBy(driver.read(sheets), ({ key }) => key)
  expect(bySheet.get('p1')?.map(({ value }) => value)).toEqual([
    { title: 'Cup', supplier: 'unknown' },
    { title: 'Cup', supplier: 'Acme' },
    { title: 'Cup', supplier: 'Acme', cents: 900 },
    { title: 'Cup', supplier: 'Bolt', cents: 900 },
    { title: 'Mug', supplier: 'unknown', cents: 900 },
  ])
  expect(bySheet.get('p2')?.map(({ value }) => value)).toEqual([
    { title: 'Jug', supplier: 'Acme' },
    { title: 'Jug', supplier: 'Bolt' },
    undefined,
  ])
})
