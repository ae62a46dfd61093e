/**
 * Goal: `docs/metrics.md` lists what an instance tells, nothing less and nothing more, and the
 * figures follow real work. Method: a shop on RocksDB is scraped before and after orders.
 */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { memoryBudgetDefaultBytes } from '../../state/memory-budget.ts'
import { noHeaders } from '../../src/record.ts'
import { orderCommands } from '../../topologies/shop/shared/topics.ts'
import { orderOf, ShopClient } from './shop-client.ts'

const client = new ShopClient()
const { call, post, put, eventually } = client
const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'metrics.md'), 'utf8')

beforeAll(() => client.open(), 30_000)

afterAll(async () => {
  await client.close()
  client.remove()
})

type Sample = ReadonlyMap<string, number>

const scrape = async (): Promise<string> => String((await call('/metrics')).body['text'])

const samplesOf = (text: string): Sample =>
  new Map(
    [...text.matchAll(/^(millrace_\w+(?:\{[^}]*\})?) (\S+)$/gm)].map(([, name, value]) => [
      name!,
      Number(value),
    ]),
  )

const labelsOf = (text: string, name: string): Set<string> => {
  const samples = text.matchAll(new RegExp(`^${name}(?:_bucket|_sum|_count)?\\{([^}]*)\\}`, 'gm'))
  return new Set(
    [...samples].flatMap(([, labels]) =>
      [...labels!.matchAll(/(\w+)="/g)].map(([, label]) => label!).filter((l) => l !== 'le'),
    ),
  )
}

describe('figures of the state', () => {
  const placed = 20
  let [before, after]: Sample[] = []

  const moved = (name: string): number => (after!.get(name) ?? NaN) - (before!.get(name) ?? NaN)

  beforeAll(async () => {
    before = samplesOf(await scrape())
    await put('/api/inventory/tea', { operation: 'ADD', quantity: 1000 })
    for (let i = 0; i < placed; i++) {
      const { body } = await post('/api/orders', orderOf(1))
      await eventually(`/api/orders/${String(body['orderId'])}`, (answer) => {
        return answer.body['status'] === 'completed'
      })
    }
    after = samplesOf(await scrape())
  }, 60_000)

  it('counts reads and writes of each store', () => {
    const orders = (name: string): number => moved(`millrace_store_${name}{store="orders"}`)
    expect(orders('puts_total')).toBeGreaterThanOrEqual(placed)
    expect(orders('gets_total')).toBeGreaterThanOrEqual(placed)
    expect(orders('cache_hits_total')).toBeGreaterThan(0)
    expect(orders('cache_hits_total') + orders('cache_misses_total')).toBe(orders('gets_total'))
    expect(orders('cached_rows')).toBeGreaterThanOrEqual(placed)
    expect(orders('cached_bytes')).toBeGreaterThan(placed * 160)
    expect(after!.get('millrace_store_dirty_rows{store="orders"}')).toBe(0)
  })

  it('shows the databases at work, within the budget', () => {
    for (const database of ['state', 'broker']) {
      const figure = (name: string): string => `millrace_rocksdb_${name}{database="${database}"}`
      expect(moved(figure('estimate_num_keys')), database).toBeGreaterThan(placed)
      expect(after!.get(figure('size_all_mem_tables_bytes'))).toBeGreaterThan(0)
      expect(after!.get(figure('background_errors'))).toBe(0)
    }
    const capacity = 'millrace_rocksdb_block_cache_capacity_bytes{database="state"}'
    expect(after!.get(capacity)).toBe(48 * 2 ** 20)
    const parts = [...after!].filter(([name]) => name.startsWith('millrace_state_memory_bytes'))
    expect(parts.map(([name]) => /"(.*)"/.exec(name)![1]).toSorted()).toEqual([
      'broker-database',
      'broker-logs',
      'decoded-rows',
      'state-database',
    ])
    const sum = parts.reduce((total, [, bytes]) => total + bytes, 0)
    expect(sum).toBeLessThan(after!.get('millrace_state_memory_budget_bytes')!)
    expect(after!.get('millrace_state_memory_budget_bytes')).toBe(memoryBudgetDefaultBytes)
    expect(after!.get('millrace_state_memory_bytes{part="decoded-rows"}')).toBe(
      [...after!]
        .filter(([name]) => name.startsWith('millrace_store_cached_bytes'))
        .reduce((total, [, bytes]) => total + bytes, 0),
    )
  })

  it('leaves no cursor open when nothing is processed', () => {
    expect(after!.get('millrace_rocksdb_open_iterators{database="state"}')).toBe(0)
    expect(after!.get('millrace_rocksdb_open_snapshots{database="state"}')).toBe(0)
  })
})

/** Last: some have no labels before something happened. */
describe('the metrics page', () => {
  /** One record that nobody can read. */
  const makeDeadLetter = async (): Promise<void> => {
    const key = Buffer.from('o')
    const record = { key, value: Buffer.from('{'), timestampMs: Date.now(), headers: noHeaders }
    const { broker } = client.instance
    const batch = { topic: orderCommands.name, partition: 0, records: [record] }
    await broker.producer('metrics-test').send([batch])
  }

  it('names every figure, no other, and their labels', async () => {
    await makeDeadLetter()
    const isTold = (text: string): boolean =>
      ['open', 'by_class_total'].every((name) => text.includes(`millrace_dead_letters_${name}{`))
    await eventually('/metrics', ({ body }) => isTold(String(body['text'])))
    const text = await scrape()
    const told = [...text.matchAll(/^# TYPE (millrace_\w+) /gm)].map(([, name]) => name!)
    const rows = [...page.matchAll(/^\| `(millrace_\w+)` \| ([^|]*)\|/gm)]
    expect(rows.map(([, name]) => name).toSorted()).toEqual(told.toSorted())
    for (const [, name, labels] of rows) {
      const documented = new Set([...labels!.matchAll(/`(\w+)`/g)].map(([, label]) => label!))
      expect(labelsOf(text, name!), name).toEqual(documented)
    }
  })
})
