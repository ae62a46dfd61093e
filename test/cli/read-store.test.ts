/**
 * Goal: every kind of store can be read by key and by range, with readable windows and times, and
 * a running instance, its HTTP API and the files of a stopped one tell the same.
 *
 * Method: a topology with all kinds, in the test driver for what a row looks like, and as an
 * application on the embedded broker for the three ways to read.
 */

import { expect, onTestFinished, test } from 'vitest'
import { MemoryEngine } from '../../state/memory/memory-engine.ts'
import { type NamedStores, readStoreKey, readStorePage } from '../../src/cli/read-store.ts'
import { RemoteShop } from '../../src/cli/remote-shop.ts'
import { rowsText } from '../../src/cli/rows-text.ts'
import { storedState } from '../../src/cli/store-source.ts'
import { createHttpServer } from '../../src/http/http-server.ts'
import { int64, json, PeerQueries, table, tableStore, topic, topology } from '../../src/index.ts'
import { silentLogger } from '../../src/logger.ts'
import { TopologyDriver } from '../../src/testing/index.ts'
import type {
  RangeRequest,
  RowBounds,
  ShopHost,
  StoreRow,
} from '../../topologies/shop/http/shop-access.ts'
import { shopRoutes } from '../../topologies/shop/http/shop-routes.ts'
import { Site } from '../runtime/fixture.ts'
import { driveEveryKind, everyKind, everyRecord, owners } from './every-kind.ts'
import { storedStores, storesOf } from './stored-stores.ts'

const driven = (): NamedStores => storedStores(driveEveryKind())

const keyRows = async (
  source: NamedStores,
  name: string,
  key: string,
  bounds?: RowBounds,
): Promise<readonly StoreRow[]> => (await readStoreKey(source, name, key, bounds)).rows

const someRows = async (
  source: NamedStores,
  name: string,
  request: RangeRequest,
): Promise<readonly StoreRow[]> => (await readStorePage(source, name, request)).rows

const at = (second: number): string => new Date(second * 1_000).toISOString()
const span = (from: number, to: number) => ({ start: at(from), end: at(to) })

/** Without partitions, which hashes of keys decide. */
const bare = (rows: readonly StoreRow[]): unknown[] =>
  rows.map(({ partition: _partition, ...row }) => row)

const expectedOfHome: Readonly<Record<string, readonly object[]>> = {
  'key-value': [{ value: 2 }],
  'page-rows': [{ time: at(0), value: 'ann' }],
  versioned: [{ time: at(0), value: 'Home' }],
  tumbling: [
    { window: span(0, 60), time: at(0), value: 1 },
    { window: span(60, 120), time: at(61), value: 1 },
  ],
  hopping: [
    { window: span(0, 120), time: at(61), value: 2 },
    { window: span(60, 180), time: at(61), value: 1 },
  ],
  sliding: [
    { window: span(0, 60), time: at(0), value: 1 },
    { window: span(1, 61), time: at(61), value: 1 },
  ],
  session: [
    { window: span(0, 0), time: at(0), value: 1 },
    { window: span(61, 61), time: at(61), value: 1 },
  ],
  held: [
    { window: span(0, 60), time: at(0), value: 1 },
    { window: span(60, 120), time: at(61), value: 1 },
  ],
  'windowed-table': [
    { window: span(0, 60), time: at(0), value: 1 },
    { window: span(60, 120), time: at(61), value: 1 },
  ],
  notes: [
    { window: { start: at(0) }, value: 'c1' },
    { window: { start: at(61) }, value: 'c2' },
  ],
  join: [
    { time: at(0), value: { side: 'left', value: 'c1', isWaiting: false } },
    { time: at(0), value: { side: 'right', value: 'ann', isWaiting: false } },
    { time: at(61), value: { side: 'left', value: 'c2', isWaiting: true } },
  ],
  waiting: [{ time: at(61), value: 'c2' }], // the other was released by it
  owners: [{ time: at(0), value: 'Ann' }],
}

test.each(Object.entries(expectedOfHome))(
  '%s gives the rows of a key, and all',
  async (name, rows) => {
    const source = driven()
    const home = bare(await keyRows(source, name, 'home')) as { readonly time: string }[]
    expect(home).toEqual(rows.map((row) => ({ key: 'home', ...row })))
    expect(await keyRows(source, name, 'hom')).toEqual([])
    const all = await someRows(source, name, { limit: 100 })
    expect(bare(all.filter(({ key }) => key === 'home'))).toEqual(home)
    expect(await someRows(source, name, { limit: 1 })).toEqual(all.slice(0, 1))
  },
)

test.each(['tumbling', 'hopping', 'session', 'held', 'notes', 'windowed-table', 'join', 'waiting'])(
  '%s is bounded by times',
  async (name) => {
    const source = driven()
    const read = async (bounds: object): Promise<unknown[]> =>
      bare(await someRows(source, name, { ...bounds, limit: 100 }))
    const all = await read({})
    const late = await read({ from: at(60) })
    expect(late.length).toBeGreaterThan(2)
    expect([...(await read({ to: at(60) })), ...late].toSorted(byText)).toEqual(
      all.toSorted(byText),
    )
    expect(await read({ from: '60000' })).toEqual(late)
    expect(await read({ from: at(1_000) })).toEqual([])
    const home = bare(await keyRows(source, name, 'home', { from: at(60) }))
    expect(home).toEqual(late.filter((row) => (row as StoreRow).key === 'home'))
  },
)

const byText = (a: unknown, b: unknown): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)

test('windows have columns of their own in text', async () => {
  const rows = await someRows(driven(), 'tumbling', { limit: 100 })
  const lines = rowsText(rows.filter(({ key }) => key === 'home')).split('\n')
  expect(lines.map((line) => line.split(/ +/).slice(1))).toEqual([
    ['home', at(0), at(60), '1'],
    ['home', at(60), at(120), '1'],
  ])
  expect(rowsText(await someRows(driven(), 'owners', { limit: 1 }))).toBe('all  home  "Ann"')
})

test('rows without times are bounded by keys', async () => {
  const source = driven()
  const keys = async (name: string, bounds: object): Promise<unknown[]> =>
    (await someRows(source, name, { ...bounds, limit: 100 })).map(({ key }) => key)
  expect(await keys('key-value', { from: 'homer' })).toEqual(['homer', 'shop'])
  expect(await keys('owners', { to: 'shop' })).toEqual(['home'])
  expect(await keys('distinct', { from: 'c2', to: 'c4' })).toEqual(['c2', 'c3'])
  expect(bare(await keyRows(source, 'distinct', 'c2'))).toEqual([{ key: 'c2', value: [at(61)] }])
  expect(bare(await keyRows(source, 'foreign-key', 'ann'))).toEqual([{ key: 'ann', value: 'home' }])
  expect(await keys('foreign-key', {})).toEqual(['ann'])
})

test('what cannot be asked is said', async () => {
  const source = driven()
  const range = (name: string, from: string) => someRows(source, name, { from, limit: 1 })
  await expect(range('tumbling', 'soon')).rejects.toThrow("'soon' is no time: give ISO-8601")
  await expect(range('foreign-key', 'a')).rejects.toThrow('its rows have no bounds')
  const bounded = keyRows(source, 'key-value', 'home', { from: 'a' })
  await expect(bounded).rejects.toThrow('has one row per key: a key has no bounds')
  await expect(keyRows(source, 'none', 'home')).rejects.toThrow('no store is named none')
  for (const name of ['key-value', 'distinct', 'owners']) {
    const reversed = someRows(source, name, { from: 'z', to: 'a', limit: 1 })
    await expect(reversed).rejects.toThrow("nothing lies from 'z' to 'a': the end comes first in")
    expect(await someRows(source, name, { from: 'a', to: 'a', limit: 1 })).toEqual([])
  }
  const late = { from: at(60), to: '59999' }
  await expect(keyRows(source, 'tumbling', 'home', late)).rejects.toThrow('the end comes first')
  const windows = someRows(source, 'tumbling', { ...late, limit: 1 })
  await expect(windows).rejects.toMatchObject({ name: 'StoreRequestError' })
})

test('keys that are numbers are given as text, and shown so that JSON can hold them', async () => {
  const prices = topic('prices', { key: int64, value: json<number>() })
  const store = tableStore('price-rows', prices)
  const priced = topology('priced', () => [void table(prices, store)].flatMap(() => []))
  const driver = new TopologyDriver(priced, { partitions: 2 })
  driver.pipe(prices, -5n, 1)
  const source = storesOf(driver, store)
  expect(bare(await keyRows(source, 'price-rows', '-5'))).toMatchObject([{ key: '-5', value: 1 }])
  await expect(keyRows(source, 'price-rows', 'x')).rejects.toThrow("int64 keys: 'x' cannot be one")
})

test('a running instance, its HTTP API and its files tell the same', async () => {
  const site = await Site.open({}, undefined, 1_000_000)
  const topics = [...new Set(everyRecord.map(([each]) => each)), { name: 'authors' }]
  await site.createTopics(topics, 3)
  const instance = await site.start({ topology: everyKind })
  for (const [to, key, value, second] of everyRecord) {
    await site.send(to, key, value, { timestampMs: second * 1_000 })
    await site.idle() // in this order, across topics
  }
  const { application, disk } = instance
  const running: NamedStores = {
    reads: PeerQueries.alone().serve(application, site.broker),
    stores: {
      global: async (name) =>
        (name === owners.name ? application.globalRows(owners) : undefined) as never,
    },
  }
  const server = createHttpServer({
    health: () => ({ isLive: true, isReady: true, reason: undefined }),
    metrics: async () => '',
    logger: silentLogger,
  })
  onTestFinished(() => server.close())
  shopRoutes(server, accessOf(running))
  const remote = new RemoteShop(await server.listen({ port: 0 }))
  const seen = new Map<string, unknown>()
  for (const name of [...everyKind.plan.stores.keys(), owners.name]) {
    const bounds = name === 'tumbling' ? { from: at(60) } : {}
    const rows = await someRows(running, name, { ...bounds, limit: 100 })
    const home = await keyRows(running, name, 'home', bounds)
    expect((await remote.storeRange(name, { ...bounds, limit: 100 })).rows).toEqual(rows)
    expect((await remote.storeGetAll(name, 'home', bounds)).rows).toEqual(home)
    const first = await remote.storeRange(name, { ...bounds, limit: 1 })
    if (first.cursor === undefined) {
      expect(first.rows).toEqual(rows)
    } else {
      const request = { ...bounds, limit: 100, cursor: first.cursor }
      const rest = await remote.storeRange(name, request)
      expect([...first.rows, ...rest.rows]).toEqual(rows)
    }
    seen.set(name, rows)
  }
  expect(seen.get('tumbling')).toHaveLength(3)
  await expect(remote.storeRange('tumbling', { from: 'soon', limit: 1 })).rejects.toMatchObject({
    name: 'StoreRequestError',
    message: "'soon' is no time: give ISO-8601, or ms since 1970",
  })
  await site.settled(application.close())
  instance.kill() // nothing but the lock is left
  const stores = await storedState({
    engine: MemoryEngine.create(disk),
    broker: site.broker,
    applicationId: 'app',
    plan: everyKind.plan,
  })
  for (const [name, rows] of seen) {
    const bounds = name === 'tumbling' ? { from: at(60) } : {}
    const read = someRows(storedStores(stores), name, { ...bounds, limit: 100 })
    expect(await site.settled(read), name).toEqual(rows)
  }
})

const accessOf = (source: NamedStores): ShopHost =>
  ({
    storeGetAll: (store, key, bounds) => readStoreKey(source, store, key, bounds),
    storeRange: (store, range) => readStorePage(source, store, range),
  }) satisfies Partial<ShopHost> as ShopHost
