/**
 * Goal: rows of any store a person may ask for are read by key and in pages, over all partitions.
 *
 * Method: a driver with three partitions; pages of every size must put together the whole range,
 * without a row twice, for keys and for windows.
 */

import { expect, test } from 'vitest'
import { readStoreKey, readStorePage } from '../../src/cli/read-store.ts'
import { StoredReads } from '../../src/cli/stored-reads.ts'
import { type Broker } from '../../src/broker/port.ts'
import {
  count,
  json,
  session,
  sliding,
  type Store,
  stream,
  table,
  tableStore,
  topic,
  topology,
  tumbling,
  utf8,
  versionedStore,
  windowedStore,
} from '../../src/index.ts'
import { type StorePage } from '../../src/queries/store-page.ts'
import { TopologyDriver } from '../../src/testing/index.ts'
import { type RangeRequest } from '../../topologies/shop/http/shop-access.ts'

const prices = topic('prices', { key: utf8, value: json<number>() })
const partitions = 3

const readsOf = (driver: TopologyDriver, store: Store): StoredReads =>
  new StoredReads({
    broker: undefined as unknown as Broker, // asked only for what is not settled
    applicationId: 'test',
    stores: { named: () => store, query: (wanted) => driver.query(wanted) },
  })

/** Every page of a range, until there is no cursor. */
const pagesOf = async (
  read: (request: RangeRequest) => Promise<StorePage>,
  limit: number,
  bounds: Partial<RangeRequest> = {},
): Promise<StorePage['rows']> => {
  const first = await read({ ...bounds, limit })
  const rows = [...first.rows]
  for (let { cursor } = first; cursor !== undefined;) {
    const page = await read({ ...bounds, limit, cursor })
    expect(page.rows.length).toBeGreaterThan(0)
    rows.push(...page.rows)
    cursor = page.cursor
  }
  return rows
}

test.each([
  tableStore('price-rows', prices),
  versionedStore('price-rows', { ...prices, historyRetentionMs: 1_000 }),
])('a $kind store', async (store) => {
  const driver = new TopologyDriver(
    topology('prices', () => {
      table(prices, store)
      return []
    }),
    { partitions },
  )
  for (const [i, key] of ['tea', 'milk', 'rum', 'gin', 'öl'].entries()) driver.pipe(prices, key, i)
  const reads = readsOf(driver, store)
  const found = await readStoreKey(reads, 'price-rows', 'rum')
  expect(found.rows).toMatchObject([{ key: 'rum', value: 2 }])
  expect(found.sources.map(({ partition }) => partition)).toEqual([0, 1, 2])
  expect((await readStoreKey(reads, 'price-rows', 'beer')).rows).toEqual([])
  const read = (request: RangeRequest): Promise<StorePage> =>
    readStorePage(reads, 'price-rows', request)
  const page = await read({ from: 'h', limit: 2 })
  expect(page.rows.map(({ key, value }) => [key, value])).toEqual([
    ['milk', 1],
    ['rum', 2],
  ])
  // a cursor of other bounds reads nothing outside of these
  const outside = await read({ limit: 1 })
  const bounded = await read({ from: 'h', limit: 9, cursor: outside.cursor! })
  expect(bounded.rows.map(({ key }) => key)).toEqual(['milk', 'rum', 'tea', 'öl'])
  for (const limit of [1, 2, 3, 5, 9]) {
    const keys = (await pagesOf(read, limit)).map(({ key }) => key)
    expect(keys).toEqual(['gin', 'milk', 'rum', 'tea', 'öl'])
    const some = await pagesOf(read, limit, { from: 'h', to: 'tea' })
    expect(some.map(({ key }) => key)).toEqual(['milk', 'rum'])
  }
})

const counted = { key: utf8, value: json<number>(), retentionMs: 10_000 }
const perTumbling = windowedStore('counts', {
  ...counted,
  windows: tumbling({ sizeMs: 100, graceMs: 0 }),
})
const perSliding = windowedStore('counts', {
  ...counted,
  windows: sliding({ withinMs: 50, graceMs: 0 }),
})
const perSession = windowedStore('counts', {
  ...counted,
  windows: session({ gapMs: 30, graceMs: 0 }),
})

test.each([
  { store: perTumbling, counts: () => stream(prices).pipe(count(perTumbling)) },
  { store: perSliding, counts: () => stream(prices).pipe(count(perSliding)) },
  { store: perSession, counts: () => stream(prices).pipe(count(perSession)) },
])('windows ($store.windows.kind) come by their times, page after page', async (given) => {
  const { store, counts } = given
  const driver = new TopologyDriver(
    topology('counting', () => [counts()]),
    { partitions },
  )
  const keys = ['tea', 'milk', 'rum', 'gin', 'öl', 'ale']
  for (let i = 0; i < 60; i++) {
    driver.pipe(prices, keys[(i * 7) % keys.length]!, 1, { timestampMs: 1_000 + i * 13 })
  }
  const reads = readsOf(driver, store)
  const read = (request: RangeRequest): Promise<StorePage> =>
    readStorePage(reads, 'counts', request)
  const all = (await read({ limit: 10_000 })).rows
  expect(all.length).toBeGreaterThan(keys.length)
  const timeOf = (key: unknown): number => {
    const { startMs, endMs } = key as { startMs: number; endMs: number }
    return store.windows.kind === 'session' ? endMs : startMs
  }
  const times = all.map(({ key }) => timeOf(key))
  expect(times).toEqual(times.toSorted((a, b) => a - b))
  for (const limit of [1, 2, 7, 1_000]) expect(await pagesOf(read, limit)).toEqual(all)
  const late = times.filter((timeMs) => timeMs >= 1_300 && timeMs < 1_500)
  for (const bounds of [
    { from: '1300', to: '1500' },
    { from: '1970-01-01T00:00:01.300Z', to: '1970-01-01T00:00:01.500Z' },
  ]) {
    const some = await pagesOf(read, 3, bounds)
    expect(some.map(({ key }) => timeOf(key))).toEqual(late)
  }
  const ofTea = (await readStoreKey(reads, 'counts', 'tea')).rows
  const isTea = ({ key }: { key: unknown }): boolean => (key as { key: string }).key === 'tea'
  expect(ofTea).toEqual(all.filter(isTea))
  await expect(read({ limit: 1, from: 'tea' })).rejects.toThrow("'tea' is neither ms nor")
})

test('a cursor is good for its own store only', async () => {
  const store = tableStore('price-rows', prices)
  const driver = new TopologyDriver(
    topology('prices', () => {
      table(prices, store)
      return []
    }),
    { partitions },
  )
  for (const key of ['tea', 'milk', 'rum']) driver.pipe(prices, key, 1)
  const reads = readsOf(driver, store)
  const { cursor } = await readStorePage(reads, 'price-rows', { limit: 1 })
  const other = readsOf(driver, { ...store, name: 'other-rows' })
  await expect(readStorePage(other, 'other-rows', { limit: 1, cursor: cursor! })).rejects.toThrow(
    'The cursor is one of store price-rows, not of other-rows.',
  )
  for (const bad of ['', 'x', 'e30', Buffer.from('[1,"price-rows","€",0]').toString('base64url')]) {
    await expect(readStorePage(reads, 'price-rows', { limit: 1, cursor: bad })).rejects.toThrow(
      'The cursor is not one that was given out here.',
    )
  }
})
