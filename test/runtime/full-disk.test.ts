/**
 * The embedded broker's disk under a running application: full for a while, full for good, broken.
 */

import { expect, test } from 'vitest'
import { MemoryDisk } from '../../state/memory/memory-disk.ts'
import { StoreFullError, StoreIoError } from '../../state/errors.ts'
import { Site } from './fixture.ts'
import { entries, summing, sumsOf, sumStore } from './summing.ts'

const open = async () => {
  const disk = new MemoryDisk()
  const site = await Site.open()
  await site.createTopics([entries, { name: 'sums' }])
  const instance = await site.start({ topology: summing, disk })
  await site.send(entries, 'k', 1)
  await site.idle()
  return { site, instance, disk }
}

const full = (): never => {
  throw new StoreFullError('/state/broker')
}

/** From the given write on, as a transaction is written in several. */
const fullFrom = (site: Site, from: number): void => {
  let writes = 0
  site.brokerDisk.beforeCommit = () => {
    writes += 1
    if (writes >= from) full()
  }
}

test.each([1, 2, 3])('full for good from write %i: ends with STATE_FULL', async (from) => {
  const { site, instance, disk } = await open()
  const failed: unknown[] = []
  // one of the two: an application with nothing to commit does not ask the disk
  for (const ends of [instance.application.stopped, site.broker.failed]) {
    ends.catch((error: unknown) => failed.push(error))
  }
  await site.send(entries, 'k', 10)
  fullFrom(site, from)
  await site.until(() => failed.length > 0, 50)
  expect(failed[0]).toMatchObject({ code: 'STATE_FULL' })
  instance.kill()
  await site.settled(site.broker.close())
  site.brokerDisk.crash()
  site.brokerDisk.beforeCommit = undefined

  const next = await Site.open({}, site.brokerDisk, site.clock.nowMs())
  const { application } = await next.start({ topology: summing, disk })
  await next.send(entries, 'k', 100)
  await next.idle()
  expect(await sumsOf(next)).toEqual([1, 11, 111])
  expect(application.query(sumStore).get('k')).toBe(111)
})

test('full for a moment: reopened, nothing lost, nothing twice', async () => {
  const { site, instance } = await open()
  const troubles: unknown[] = []
  instance.application.onStateChange(() => troubles.push(instance.application.trouble))
  let refusals = 0
  await site.send(entries, 'k', 10)
  site.brokerDisk.beforeCommit = () => {
    refusals += 1
    if (refusals <= 3) full()
  }
  await site.idle()
  await site.send(entries, 'k', 100)
  await site.idle()
  expect(refusals).toBeGreaterThan(3)
  expect(troubles).toEqual([expect.stringContaining('no space left'), undefined])
  expect(instance.application.state).toBe('running')
  expect(await sumsOf(site)).toEqual([1, 11, 111])
})

test('a broken disk stops it at once, and close has nothing to wait for', async () => {
  const { site, instance } = await open()
  await site.send(entries, 'k', 10)
  site.brokerDisk.beforeCommit = () => {
    throw new StoreIoError('/state/broker', new Error('input/output error'))
  }
  await site.until(() => instance.application.state === 'failed')
  await expect(instance.application.stopped).rejects.toMatchObject({ code: 'STATE_IO' })
  await site.settled(instance.application.close())
  await site.settled(site.broker.close())
})

test('a stop while the disk is full ends in bounded time', async () => {
  const { site, instance } = await open()
  await site.send(entries, 'k', 10)
  let refusals = 0
  site.brokerDisk.beforeCommit = () => {
    refusals += 1
    full()
  }
  await site.until(() => refusals > 0)
  const closing = instance.application.close()
  const startedMs = site.clock.monotonicMs()
  await expect(site.settled(closing)).rejects.toMatchObject({ code: 'STATE_FULL' })
  expect(site.clock.monotonicMs() - startedMs).toBeLessThan(15_000)
})
