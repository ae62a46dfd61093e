/**
 * Goal: stores of every kind are read at any replica as one process that has them whole reads them.
 *
 * Method: a topology with all kinds over three instances that answer for one another; the test
 * driver, fed with the same records, says what the rows are.
 */

import { expect, test } from 'vitest'
import { type NamedStores, readStoreKey, readStorePage } from '../../src/cli/read-store.ts'
import type { RangeRequest, SourcedRows, StoreRow } from '../../topologies/shop/http/shop-access.ts'
import { driveEveryKind, everyKind, everyRecord, owners } from '../cli/every-kind.ts'
import { storedStores } from '../cli/stored-stores.ts'
import { Site } from '../runtime/fixture.ts'
import { type Member, QueryFleet } from './query-fleet.ts'

const names = ['a', 'b', 'c']
const kinds = [...everyKind.plan.stores.keys(), owners.name]

const storesOf = ({ router, application }: Member): NamedStores => ({
  reads: router,
  stores: {
    global: async (name) =>
      (name === owners.name ? application.globalRows(owners) : undefined) as never,
  },
})

const three = async (): Promise<{ site: Site; fleet: QueryFleet; members: Member[] }> => {
  const site = await Site.open({}, undefined, 1_000_000)
  const topics = [...new Set(everyRecord.map(([each]) => each)), { name: 'authors' }]
  await site.createTopics(topics, 3)
  const fleet = new QueryFleet(site)
  const members: Member[] = []
  for (const name of names) members.push(await fleet.start(name, { topology: everyKind }))
  await site.idle()
  for (const [to, key, value, second] of everyRecord) {
    await site.send(to, key, value, { timestampMs: second * 1_000 })
    await site.idle() // in this order, across topics
  }
  return { site, fleet, members }
}

test('any replica tells the rows of every kind of store, whole and page by page', async () => {
  const { site, fleet, members } = await three()
  const whole = storedStores(driveEveryKind())
  for (const name of kinds) {
    const { rows: expected } = await readStorePage(whole, name, { limit: 100 })
    const { rows: ofHome } = await readStoreKey(whole, name, 'home')
    for (const member of members) {
      const read = (request: RangeRequest): Promise<SourcedRows> =>
        site.settled(readStorePage(storesOf(member), name, request))
      const found: StoreRow[] = []
      let page = await read({ limit: 2 })
      for (found.push(...page.rows); page.cursor !== undefined; found.push(...page.rows)) {
        page = await read({ limit: 2, cursor: page.cursor })
      }
      expect(found, `${name} at ${member.name}`).toEqual(expected)
      const ofKey = await site.settled(readStoreKey(storesOf(member), name, 'home'))
      expect(ofKey.rows).toEqual(ofHome)
      const answered = name === owners.name ? [] : [0, 1, 2]
      expect(ofKey.sources.map(({ partition }) => partition)).toEqual(answered)
    }
  }
  expect(fleet.forwarded).toBeGreaterThan(kinds.length)
})

test('without the owner of a partition no rows are told, of no kind of store', async () => {
  const { site, members } = await three()
  const stores = storesOf(members[0]!)
  const readAll = (): Promise<readonly PromiseSettledResult<SourcedRows>[]> =>
    site.settled(
      Promise.allSettled(kinds.map((name) => readStorePage(stores, name, { limit: 100 }))),
    )
  const before = await readAll()
  members[2]!.kill()
  const after = await readAll() // at once: soon others have its tasks
  const missing = kinds.filter((name, index) => {
    const { value } = before[index] as PromiseFulfilledResult<SourcedRows>
    if (value.sources.some(({ owner }) => owner === 'c')) {
      const reason: unknown = expect.objectContaining({ code: 'STREAMS_PARTITION_MOVING' })
      expect(after[index], name).toEqual({ status: 'rejected', reason })
      return true
    }
    expect(after[index], name).toMatchObject({ status: 'fulfilled', value: { rows: value.rows } })
    return false
  })
  expect(missing).toEqual(
    expect.arrayContaining(['tumbling', 'session', 'held', 'join', 'waiting']),
  )
})
