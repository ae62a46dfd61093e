/** Goal: a store with a time to live is read as others are, without what has expired. */

import { expect, test } from 'vitest'
import { readStoreKey, readStorePage } from '../../src/cli/read-store.ts'
import { json, process, stream, topic, topology, ttlStore, utf8 } from '../../src/index.ts'
import { TopologyDriver } from '../../src/testing/index.ts'
import { storesOf } from './stored-stores.ts'

const prices = topic('prices', { key: utf8, value: json<number>() })

test('a ttl store: without what has expired', async () => {
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
  const source = storesOf(driver, store)
  expect((await readStoreKey(source, 'recent', 'tea')).rows).toEqual([])
  expect((await readStoreKey(source, 'recent', 'rum')).rows).toMatchObject([
    { key: 'rum', value: 3 },
  ])
  const { rows } = await readStorePage(source, 'recent', { limit: 9 })
  expect(rows.map(({ key }) => key)).toEqual(['milk', 'rum'])
})
