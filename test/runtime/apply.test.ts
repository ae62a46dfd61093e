/**
 * The local store after the transaction: committed rows that will not be written at once.
 *
 * The transaction stands, whatever the disk says: nothing is lost and nothing repeated.
 */

import { expect, test } from 'vitest'
import { positionKey } from '../../state/key-layout.ts'
import { StoreFullError, StoreIoError } from '../../state/errors.ts'
import type { GroupMetadata } from '../../src/broker/port.ts'
import { hold } from './hold.ts'
import { Site } from './fixture.ts'
import type { Instance } from './instance.ts'
import { entries, sumChangelog, summing, sumsOf, sumStore } from './summing.ts'

const open = async (): Promise<{ readonly site: Site; readonly instance: Instance }> => {
  const site = await Site.open()
  await site.createTopics([entries, { name: 'sums' }])
  const instance = await site.start({ topology: summing })
  await site.send(entries, 'k', 1)
  await site.idle()
  return { site, instance }
}

const positionRow = Buffer.from(positionKey(sumChangelog.topic, sumChangelog.partition)).toString(
  'latin1',
)

test('a position that moved under the commit: reopened, caught up from the changelog', async () => {
  const {
    site,
    instance: { application, disk },
  } = await open()
  const earlier = disk.rows.get(positionRow)!
  await site.send(entries, 'k', 10)
  await site.idle()
  disk.write(positionRow, earlier) // as a second writer of this store would
  await site.send(entries, 'k', 100)
  await site.until(() => application.metrics().reopenings === 1)
  await site.send(entries, 'k', 1_000)
  await site.idle()
  expect(application.metrics()).toMatchObject({ state: 'running', reopenings: 1 })
  expect(application.metrics().restore.recordsRestored).toBe(2)
  expect(await sumsOf(site)).toEqual([1, 11, 111, 1_111])
  expect(application.query(sumStore).get('k')).toBe(1_111)
})

test('a disk that is full for a while is waited for; nothing is reopened', async () => {
  const {
    site,
    instance: { application, disk, log },
  } = await open()
  let refusals = 0
  disk.beforeCommit = () => {
    refusals += 1
    if (refusals < 4) throw new StoreFullError('/state')
  }
  await site.send(entries, 'k', 10)
  await site.idle()
  await site.until(() => refusals === 4)
  await site.send(entries, 'k', 100)
  await site.idle()
  expect(application.metrics()).toMatchObject({ state: 'running', reopenings: 0 })
  expect(log.filter((line) => line.includes('did not take a committed batch'))).toHaveLength(3)
  expect(await sumsOf(site)).toEqual([1, 11, 111])
  expect(application.query(sumStore).get('k')).toBe(111)
})

test('a disk that stays full stops the instance; with space again nothing is lost', async () => {
  const {
    site,
    instance: { application, disk, kill },
  } = await open()
  disk.beforeCommit = () => {
    throw new StoreFullError('/state')
  }
  await site.send(entries, 'k', 10)
  await site.until(() => application.state === 'failed', 50)
  await expect(application.stopped).rejects.toMatchObject({ code: 'STATE_FULL' })
  expect(() => application.query(sumStore).get('k')).toThrow('not open here')
  expect(await sumsOf(site)).toEqual([1, 11]) // the transaction stands
  kill()
  disk.beforeCommit = undefined
  await site.send(entries, 'k', 100)
  const { application: next } = await site.start({ topology: summing, disk })
  await site.idle()
  expect(await sumsOf(site)).toEqual([1, 11, 111])
  expect(next.query(sumStore).get('k')).toBe(111)
})

test('an engine that cannot be written at all stops the instance at once', async () => {
  const {
    site,
    instance: { application, disk },
  } = await open()
  let attempts = 0
  disk.beforeCommit = () => {
    attempts += 1
    throw new StoreIoError('/state', new Error('input/output error'))
  }
  await site.send(entries, 'k', 10)
  await site.until(() => application.state === 'failed')
  await expect(application.stopped).rejects.toMatchObject({ code: 'STATE_IO', action: 'stop' })
  expect(attempts).toBe(1)
})

test('close waits for an apply in flight', async () => {
  const {
    site,
    instance: { application, disk },
  } = await open()
  const applying = hold()
  disk.beforeCommit = applying.wait
  await site.send(entries, 'k', 10)
  await site.until(() => applying.isReached)
  let isClosed = false
  const closing = application.close().then(() => {
    isClosed = true
  })
  await site.turn(60)
  expect([isClosed, application.state]).toEqual([false, 'stopping'])
  const rowsBefore = disk.rows.get(positionRow)
  disk.beforeCommit = undefined
  applying.release()
  await site.settled(closing)
  expect(disk.rows.get(positionRow)).not.toBe(rowsBefore)
  expect(application.state).toBe('closed')
})

test('reopening waits for an apply in flight before it reads the store', async () => {
  const {
    site,
    instance: { application, disk, calls },
  } = await open()
  const applying = hold()
  disk.beforeCommit = applying.wait
  await site.send(entries, 'k', 10)
  await site.until(() => applying.isReached)
  await site.broker.groups.leave(memberOf(calls)) // the group gives the tasks to others
  await site.turn(60)
  expect(calls.filter(({ name }) => name === 'join')).toHaveLength(1)
  disk.beforeCommit = undefined
  applying.release()
  await site.until(() => application.metrics().reopenings === 1)
  await site.send(entries, 'k', 100)
  await site.idle()
  expect(await sumsOf(site)).toEqual([1, 11, 111])
  expect(application.query(sumStore).get('k')).toBe(111)
})

/** As its last commit named it. */
const memberOf = (calls: Instance['calls']): GroupMetadata =>
  calls.findLast(({ name }) => name === 'sendOffsets')!.args[1] as GroupMetadata
