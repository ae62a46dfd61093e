/** Interactive queries: committed values only, and a clear answer when there is nothing to ask. */

import { expect, test } from 'vitest'
import { BrokerError } from '../../src/broker/errors.ts'
import { hold } from './hold.ts'
import { Site } from './fixture.ts'
import { entries, summing, sums, sumStore } from './summing.ts'

const open = async (partitions = 1) => {
  const site = await Site.open()
  await site.createTopics([entries, sums], partitions)
  const { application, disk } = await site.start({ topology: summing })
  return { site, application, disk }
}

test('a value that is dirty, or whose commit is in flight, is not seen', async () => {
  const { site, application, disk } = await open()
  await site.send(entries, 'k', 1)
  await site.idle()
  const seen = (): unknown => {
    const query = application.query(sumStore)
    return [query.get('k'), query.get('new'), [...query.range()]]
  }
  const before = [1, undefined, [['k', 1]]]
  const ending = hold()
  const applying = hold()
  site.faults.control('commit', ending.wait)
  await site.send(entries, 'k', 10)
  await site.send(entries, 'new', 5)
  await site.until(() => ending.isReached)
  expect(seen()).toEqual(before) // committing
  await site.send(entries, 'k', 100)
  await site.until(() => application.metrics().counters.recordsProcessed === 4)
  expect(seen()).toEqual(before) // dirty, over committing
  disk.beforeCommit = applying.wait
  ending.release()
  await site.until(() => applying.isReached)
  expect(seen()).toEqual(before) // committed, not applied yet
  disk.beforeCommit = undefined
  applying.release()
  await site.idle()
  await site.turn(20)
  expect(seen()).toEqual([
    111,
    5,
    [
      ['k', 111],
      ['new', 5],
    ],
  ])
})

test('what an aborted commit wrote is never seen', async () => {
  const { site, application } = await open()
  await site.send(entries, 'k', 1)
  await site.idle()
  const ending = hold()
  site.faults.control('commit', ending.wait)
  await site.send(entries, 'k', 10)
  await site.until(() => ending.isReached)
  ending.release(new BrokerError('BROKER_UNAVAILABLE', 'down'))
  const seen = new Set<unknown>()
  await site.until(() => {
    if (application.state === 'running' && application.metrics().tasks > 0) {
      seen.add(application.query(sumStore).get('k'))
    }
    return seen.has(11)
  })
  expect([...seen]).toEqual([1, 11])
})

test('a query spans the partitions of the instance; a limit counts over all of them', async () => {
  const { site, application } = await open(3)
  const keys = Array.from({ length: 9 }, (_, i) => `key-${i}`)
  for (const key of keys) await site.send(entries, key, 1)
  await site.idle()
  const query = application.query(sumStore)
  expect(query.partitions()).toHaveLength(3)
  expect([...query.range()].map(([key]) => key).sort()).toEqual(keys)
  expect([...query.range({ limit: 4 })]).toHaveLength(4)
  expect(keys.map((key) => query.get(key))).toEqual(keys.map(() => 1))
})

test('a query made early works when the store opens, and says so while it is not', async () => {
  const site = await Site.open()
  await site.createTopics([entries, sums])
  const { application, started } = site.launch({ topology: summing })
  const query = application.query(sumStore)
  expect(() => query.get('k')).toThrow('store sum is not open here')
  await site.settled(started)
  expect(query.get('k')).toBeUndefined()
  await site.settled(application.close())
  expect(() => query.get('k')).toThrow('closed; ask again')
  expect(() => query.partitions()).toThrow(expect.objectContaining({ code: 'STREAMS_CLOSED' }))
})

test('a store is found by its name, or the names there are', async () => {
  const { site, application } = await open()
  await site.send(entries, 'k', 1)
  await site.idle()
  expect(application.queryByName('sum').partitions()).toHaveLength(1)
  expect(() => application.queryByName('sun')).toThrow('no store is named sun; there are sum')
})
