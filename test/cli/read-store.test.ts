/** Goal: rows of tables and of expiring stores are read by their keys as those of others are. */

import { expect, test } from 'vitest'
import { readStoreKey, readStoreRows } from '../../src/cli/read-store.ts'
import { type StoreSource } from '../../src/cli/store-source.ts'
import {
  json,
  process,
  stream,
  table,
  tableStore,
  topic,
  topology,
  ttlStore,
  utf8,
  versionedStore,
} from '../../src/index.ts'
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

test('a ttl store: without what has expired', () => {
  const store = ttlStore('recent', { ...prices, ttlMs: 100 })
  const recent = topology('recent', () => [
    stream(prices).pipe(
      process(
        'keep',
        { store },
        {
          onRecord: ({ key, value, timestampMs }, stores): readonly never[] => {
            stores.store.put(key, value, timestampMs)
            return []
          },
        },
      ),
    ),
  ])
  const driver = new TopologyDriver(recent)
  driver.pipe(prices, 'tea', 1, { timestampMs: 1_000 })
  driver.pipe(prices, 'milk', 2, { timestampMs: 1_001 })
  driver.pipe(prices, 'rum', 3, { timestampMs: 1_100 })
  const source: StoreSource = { named: () => store, query: (wanted) => driver.query(wanted) }
  expect(readStoreKey(source, 'recent', 'tea')).toEqual([])
  expect(readStoreKey(source, 'recent', 'rum')).toMatchObject([{ key: 'rum', value: 3 }])
  expect(readStoreRows(source, 'recent', { limit: 9 }).map(({ key }) => key)).toEqual([
    'milk',
    'rum',
  ])
})
