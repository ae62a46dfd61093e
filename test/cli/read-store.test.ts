/** Goal: rows of tables, versioned or not, are read by their keys as those of other stores are. */

import { expect, test } from 'vitest'
import { readStoreKey, readStoreRows } from '../../src/cli/read-store.ts'
import { type StoreSource } from '../../src/cli/store-source.ts'
import { json, table, tableStore, topic, topology, utf8, versionedStore } from '../../src/index.ts'
import { TopologyDriver } from '../../src/testing/index.ts'

const prices = topic('prices', { key: utf8, value: json<number>() })

test.each([
  tableStore('price-rows', prices),
  versionedStore('price-rows', { ...prices, historyRetentionMs: 1_000 }),
])('a $kind store', (store) => {
  const driver = new TopologyDriver(
    topology('prices', () => {
      table(prices, store)
      return []
    }),
    { partitions: 3 },
  )
  for (const [i, key] of ['tea', 'milk', 'rum', 'gin'].entries()) driver.pipe(prices, key, i)
  const source: StoreSource = {
    named: () => store,
    query: (wanted) => driver.query(wanted),
  }
  expect(readStoreKey(source, 'price-rows', 'rum')).toMatchObject([{ key: 'rum', value: 2 }])
  expect(readStoreKey(source, 'price-rows', 'beer')).toEqual([])
  const rows = readStoreRows(source, 'price-rows', { from: 'h', limit: 2 })
  expect(rows.map(({ key, value }) => [key, value])).toEqual([
    ['milk', 1],
    ['rum', 2],
  ])
})
