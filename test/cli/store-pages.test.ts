/**
 * Goal: rows of any store are read in pages over all partitions, without a row lost or told twice.
 *
 * Method: a driver with three partitions; pages of every size must put together the whole range,
 * for keys, for windows and for every other kind.
 */

import { expect, test } from 'vitest'
import { readStoreKey, readStorePage } from '../../src/cli/read-store.ts'
import {
  count,
  json,
  session,
  sliding,
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
import { TopologyDriver } from '../../src/testing/index.ts'
import type { RangeRequest, SourcedRows, StoreRow } from '../../topologies/shop/http/shop-access.ts'
import { clicks, driveEveryKind, everyKind, owners, pages } from './every-kind.ts'
import { storedStores, storesOf } from './stored-stores.ts'

const prices = topic('prices', { key: utf8, value: json<number>() })
const partitions = 3

/** Every page of a range, until there is no cursor. */
const pagesOf = async (
  read: (request: RangeRequest) => Promise<SourcedRows>,
  limit: number,
  bounds: Partial<RangeRequest> = {},
): Promise<SourcedRows['rows']> => {
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
  const reads = storesOf(driver, store)
  const found = await readStoreKey(reads, 'price-rows', 'rum')
  expect(found.rows).toMatchObject([{ key: 'rum', value: 2 }])
  expect(found.sources.map(({ partition }) => partition)).toEqual([0, 1, 2])
  expect((await readStoreKey(reads, 'price-rows', 'beer')).rows).toEqual([])
  const read = (request: RangeRequest): Promise<SourcedRows> =>
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
  const reads = storesOf(driver, store)
  const read = (request: RangeRequest): Promise<SourcedRows> =>
    readStorePage(reads, 'counts', request)
  const all = (await read({ limit: 10_000 })).rows
  expect(all.length).toBeGreaterThan(keys.length)
  const timeOf = ({ window }: StoreRow): number =>
    Date.parse(store.windows.kind === 'session' ? window!.end! : window!.start)
  const times = all.map(timeOf)
  expect(times).toEqual(times.toSorted((a, b) => a - b))
  for (const limit of [1, 2, 7, 1_000]) expect(await pagesOf(read, limit)).toEqual(all)
  const late = times.filter((timeMs) => timeMs >= 1_300 && timeMs < 1_500)
  for (const bounds of [
    { from: '1300', to: '1500' },
    { from: '1970-01-01T00:00:01.300Z', to: '1970-01-01T00:00:01.500Z' },
  ]) {
    const some = await pagesOf(read, 3, bounds)
    expect(some.map(timeOf)).toEqual(late)
  }
  const ofTea = (await readStoreKey(reads, 'counts', 'tea')).rows
  expect(ofTea).toEqual(all.filter(({ key }) => key === 'tea'))
  await expect(read({ limit: 1, from: 'tea' })).rejects.toThrow("'tea' is no time")
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
  const reads = storesOf(driver, store)
  const { cursor } = await readStorePage(reads, 'price-rows', { limit: 1 })
  const other = storesOf(driver, { ...store, name: 'other-rows' })
  await expect(readStorePage(other, 'other-rows', { limit: 1, cursor: cursor! })).rejects.toThrow(
    'The cursor is one of store price-rows, not of other-rows.',
  )
  for (const bad of ['', 'x', 'e30', Buffer.from('[1,"price-rows","€",0]').toString('base64url')]) {
    await expect(readStorePage(reads, 'price-rows', { limit: 1, cursor: bad })).rejects.toThrow(
      'The cursor is not one that was given out here.',
    )
  }
})

const kinds = [...everyKind.plan.stores.keys(), owners.name]

test.each(kinds)('%s comes page after page as it comes at once', async (name) => {
  const stores = storedStores(driveEveryKind())
  const read = (request: RangeRequest): Promise<SourcedRows> => readStorePage(stores, name, request)
  const all = (await read({ limit: 10_000 })).rows
  if (name !== 'author-rows') expect(all.length).toBeGreaterThan(0)
  for (const limit of [1, 2, 3]) expect(await pagesOf(read, limit)).toEqual(all)
})

test('rows of one key and time in a join and in waiting are told once each', async () => {
  const twice = [
    [clicks, 'home', 'again', 61],
    [clicks, 'home', 'and again', 61],
    [pages, 'home', 'bob', 61],
    [pages, 'home', 'cid', 61],
  ] as const
  const stores = storedStores(driveEveryKind(twice))
  for (const [name, count] of [
    ['join', 9],
    ['waiting', 5],
  ] as const) {
    const read = (request: RangeRequest): Promise<SourcedRows> =>
      readStorePage(stores, name, request)
    const all = (await read({ limit: 100 })).rows
    expect(all.filter(({ key }) => key === 'home')).toHaveLength(count - 2)
    for (const limit of [1, 2, 3, 4]) expect(await pagesOf(read, limit)).toEqual(all)
    expect((await readStoreKey(stores, name, 'home')).rows).toEqual(
      all.filter(({ key }) => key === 'home'),
    )
  }
})
