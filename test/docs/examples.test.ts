/**
 * Goal: what the pages of `docs/` show is what runs.
 * Method: each example is driven here; a code block that names a file must equal that file.
 */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  minuteCounts,
  pageViews,
  perMinute,
  views,
  visits,
} from '../../docs/examples/page-views.ts'
import { accounts, regions, totals } from '../../docs/examples/regions.ts'
import { heavy, parcels, sorting } from '../../docs/examples/parcels.ts'
import { abroad, inland, large, orders, routing } from '../../docs/examples/routing.ts'
import { purchases, spendingInCents } from '../../docs/examples/spending.ts'
import {
  purchases as newPurchases,
  spending,
  spendingByCurrency,
} from '../../docs/examples/spending-by-currency.ts'
import { counts, lines, wordCount, wordCounts } from '../../docs/examples/word-count.ts'
import { systemClock } from '../../src/clock.ts'
import { BuiltInRegistry } from '../../src/schema-registry/built-in-registry.ts'
import { SchemaSession } from '../../src/schema-registry/schema-session.ts'
import { TopologyDriver } from '../../src/testing/index.ts'
import { memoryBroker } from '../schema-registry/served-registry.ts'

const docs = join(import.meta.dirname, '..', '..', 'docs')

describe('examples', () => {
  test('word count', () => {
    const driver = new TopologyDriver(wordCount, { partitions: 3 })
    driver.pipe(lines, 'l1', 'To be, or not to be')
    driver.pipe(lines, 'l2', '...')
    expect(driver.read(counts).at(-1)).toMatchObject({ key: 'be', value: 2 })
    expect(driver.query(wordCounts).get('to')).toBe(2)
    expect(driver.query(wordCounts).get('or')).toBe(1)
  })

  test('regions', () => {
    const driver = new TopologyDriver(regions)
    driver.pipe(accounts, 'a', { region: 'north', cents: 5 })
    driver.pipe(accounts, 'b', { region: 'north', cents: 7 })
    driver.pipe(accounts, 'a', { region: 'south', cents: 6 })
    driver.pipeBytes(accounts, Buffer.from('b'), null)
    const seen = driver.read(totals).map(({ key, value }) => `${key}=${value}`)
    expect(seen).toEqual(['north=5', 'north=12', 'north=7', 'south=6', 'north=0'])
  })

  test('page views', () => {
    const driver = new TopologyDriver(pageViews)
    const view = (timestampMs: number): void => driver.pipe(views, 'home', 'u1', { timestampMs })
    for (const timestampMs of [1_000, 30_000, 59_000, 65_000]) view(timestampMs)
    expect(driver.values(perMinute)).toEqual([])
    driver.advanceWallClock(2_000)
    view(71_000)
    const closed = driver.read(perMinute).map(({ key, value }) => [key.startMs, value])
    expect(closed).toEqual([[0, 3]])
    const last = driver.read(visits).at(-1)!
    expect(last).toMatchObject({ key: { startMs: 1_000, endMs: 71_000 }, value: 5 })
    expect(driver.query(minuteCounts).partitions()[0]!.get('home', 60_000)).toBe(2)
  })

  test('spending, and its store one version on', () => {
    const driver = new TopologyDriver(spendingInCents)
    driver.pipe(purchases, 'ann', { cents: 500 })
    driver.pipe(purchases, 'bob', { cents: 70 })
    driver.restart(spendingByCurrency)
    driver.pipe(newPurchases, 'ann', { cents: 300, currency: 'SEK' })
    expect(driver.query(spending).get('ann')).toEqual({ EUR: 500, SEK: 300 })
    expect(driver.query(spending).get('bob')).toEqual({ EUR: 70 })
    driver.restart()
    expect(driver.query(spending).get('bob')).toEqual({ EUR: 70 })
    expect(() => driver.restart(spendingInCents)).toThrow('newer than this code')
  })

  test('routing', () => {
    const driver = new TopologyDriver(routing)
    driver.pipe(orders, 'o1', { country: 'DE', items: ['x', 'y'], totalCents: 5 })
    driver.pipe(orders, 'o2', { country: 'FR', items: ['z'], totalCents: 5 })
    driver.pipe(orders, 'o3', { country: 'FR', items: ['z'], totalCents: 100_000 })
    driver.pipe(orders, 'o4', { country: 'FR', items: ['z'], totalCents: 0 })
    expect(driver.values(inland)).toEqual(['DE:x', 'DE:y'])
    expect(driver.values(abroad)).toEqual(['FR:z'])
    expect(driver.values(large)).toEqual([100_000])
  })

  test('parcels', async () => {
    const registry = await BuiltInRegistry.open(await memoryBroker(), systemClock)
    const session = new SchemaSession({ registry, clock: systemClock, registers: true })
    const place = { topic: parcels.name, part: 'value', isInternal: false } as const
    await parcels.value.schemas!.open(session, place)
    const driver = new TopologyDriver(sorting)
    const packedAt = '2026-01-01T00:00:00.000Z'
    driver.pipe(parcels, 'p1', { parcelId: 'p1', grams: 10_001, packedAt, note: 'frail' })
    driver.pipe(parcels, 'p2', { parcelId: 'p2', grams: 10_000, packedAt })
    expect(driver.values(heavy)).toEqual([
      { parcelId: 'p1', grams: 10_001, packedAt, note: 'frail' },
    ])
    expect(await registry.subjects()).toEqual(['parcels-example.Parcel'])
  })
})

describe('pages', () => {
  const pages = readdirSync(docs).filter((name) => name.endsWith('.md'))
  for (const page of pages) {
    test(`${page} shows its examples as they are`, () => {
      const text = readFileSync(join(docs, page), 'utf8')
      for (const [, file, code] of text.matchAll(/^```ts (\S+\.ts)\n([^]*?)^```/gm)) {
        expect(code, file).toBe(readFileSync(join(docs, 'examples', file!), 'utf8'))
      }
    })
  }
})
