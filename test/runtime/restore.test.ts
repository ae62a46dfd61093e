/**
 * Taking over a store: up to the true end of its changelog, from any local copy or none.
 */

import { describe, expect, test } from 'vitest'
import { MemoryDisk } from '../../state/memory/memory-disk.ts'
import { StoreFullError } from '../../state/errors.ts'
import { json, keyValueStore, process, stream, topology, utf8 } from '../../src/index.ts'
import { hold } from './hold.ts'
import { copyOf } from './copy-of.ts'
import { Site } from './fixture.ts'
import type { Instance } from './instance.ts'
import { entries, sumChangelog, summing, sums, sumsOf, sumStore } from './summing.ts'

const number = json<number>()
const latestStore = keyValueStore('latest', { key: utf8, value: number })

/** The newest value of each key; 0 deletes. */
const latest = topology('latest', () => [
  stream(entries).pipe(
    process(
      'latest',
      { latestStore },
      {
        onRecord({ key, value }, stores): readonly never[] {
          if (value === 0) stores.latestStore.delete(key)
          else stores.latestStore.put(key, value)
          return []
        },
      },
    ),
  ),
])

const open = async (logMarkerDelayMs = 0): Promise<{ site: Site; instance: Instance }> => {
  const site = await Site.open({ logMarkerDelayMs })
  await site.createTopics([entries, sums])
  const instance = await site.start({ topology: summing, instanceId: 'a' })
  return { site, instance }
}

const sendAll = async (site: Site, values: readonly number[], key = 'k'): Promise<void> => {
  for (const value of values) await site.send(entries, key, value)
  await site.idle()
}

test('the restore goes to the high watermark: markers may be on their way', async () => {
  const { site, instance } = await open(3_000)
  await sendAll(site, [1])
  await site.until(() => instance.application.metrics().commits >= 2)
  await site.turn(1_200) // its markers are there
  await site.send(entries, 'k', 10)
  await site.until(() => instance.application.query(sumStore).get('k') === 11)
  instance.kill()
  const ends = await site.broker.topics.offsets(sumChangelog)
  expect(ends.lastStableOffset).toBeLessThan(ends.highWatermark)
  expect((await site.committed('entries')).offset).toBe(2n) // and the offsets are final
  const heir = site.launch({ topology: summing, instanceId: 'b' })
  await site.settled(heir.started)
  expect(heir.application.query(sumStore).get('k')).toBe(11)
  await sendAll(site, [100])
  await site.turn(1_200)
  expect(await sumsOf(site)).toEqual([1, 11, 111])
})

test('an open transaction of the dead is waited for, and not restored', async () => {
  const { site, instance } = await open()
  await sendAll(site, [1])
  const ending = hold()
  site.faults.control('commit', ending.wait) // and it dies there: the transaction stays open
  await site.send(entries, 'k', 10)
  await site.until(() => ending.isReached)
  instance.kill()
  const heir = site.launch({ topology: summing, instanceId: 'b' })
  await site.turn(40)
  expect(heir.application.state).toBe('restoring')
  await site.settled(heir.started) // the broker aborts it when its time is up
  await site.idle()
  expect(await sumsOf(site)).toEqual([1, 11])
  expect(heir.application.query(sumStore).get('k')).toBe(11)
})

test('a lost disk is restored from the changelogs of all partitions', async () => {
  const site = await Site.open()
  await site.createTopics([entries, sums], 3)
  const first = await site.start({ topology: summing })
  const keys = Array.from({ length: 30 }, (_, i) => `key-${i}`)
  for (const key of keys) await site.send(entries, key, 1)
  for (const key of keys.slice(0, 10)) await site.send(entries, key, 1)
  await site.idle()
  const before = [...first.application.query(sumStore).range()]
  first.kill()
  const next = await site.start({ topology: summing })
  expect([...next.application.query(sumStore).range()]).toEqual(before)
  expect(before).toHaveLength(30)
  for (const key of keys) await site.send(entries, key, 1)
  await site.idle()
  expect(await sumsOf(site, 'key-3')).toEqual([1, 2, 3])
  expect(await sumsOf(site, 'key-13')).toEqual([1, 2])
})

test('a store that holds everything restores nothing', async () => {
  const { site, instance } = await open()
  await sendAll(site, [1, 10])
  await site.settled(instance.application.close())
  instance.kill()
  const { application } = await site.start({ topology: summing, disk: instance.disk })
  expect(application.metrics().restore.recordsRestored).toBe(0)
  expect(application.query(sumStore).get('k')).toBe(11)
})

test('a restore that is interrupted goes on where it was', async () => {
  const { site, instance } = await open()
  for (let i = 0; i < 300; i++) await site.send(entries, `key-${i}`.padEnd(100, 'x'), i)
  await site.idle()
  const before = [...instance.application.query(sumStore).range()]
  instance.kill()
  const disk = new MemoryDisk()
  let writes = 0
  disk.beforeCommit = (): Promise<void> | undefined => {
    writes += 1
    return writes === 8 ? new Promise(() => {}) : undefined // the machine stops here
  }
  const config = { restoreBatchBytes: 4_096 }
  const second = site.launch({ topology: summing, disk, config })
  await site.until(() => writes === 8)
  const done = second.application.metrics().restore.recordsRestored
  expect(done).toBeGreaterThan(0)
  expect(done).toBeLessThan(before.length)
  const left = second.application.storeMetrics().get(sumStore.name)!.restoreOffsetsLeft
  expect(left).toBeGreaterThanOrEqual(before.length - done) // markers are counted
  const { offsetsTotal } = second.application.metrics().restore
  expect(left).toBeLessThan(offsetsTotal)
  second.kill()
  disk.beforeCommit = undefined
  const { application } = await site.start({ topology: summing, disk, config })
  expect(application.metrics().restore.recordsRestored).toBe(before.length - done)
  expect(application.storeMetrics().get(sumStore.name)).toMatchObject({
    restoredRecords: before.length - done,
    restoreOffsetsLeft: 0,
  })
  expect([...application.query(sumStore).range()]).toEqual(before)
})

describe('what is fetched while a write is in flight', () => {
  const config = { restoreBatchBytes: 1_024 }

  /** Each key was written, deleted or written anew several times: what is left. */
  const churned = async (): Promise<{
    site: Site
    before: readonly (readonly [string, number])[]
  }> => {
    const site = await Site.open()
    await site.createTopics([entries], 3)
    const instance = await site.start({ topology: latest, config: { commitIntervalMs: 1 } })
    for (let i = 0; i < 240; i++) {
      await site.send(entries, `key-${i % 23}`.padEnd(60, 'x'), i % 7 === 0 ? 0 : i)
      if (i % 5 === 0) await site.idle()
    }
    await site.idle()
    const before = [...instance.application.query(latestStore).range()]
    instance.kill()
    return { site, before }
  }

  /** Holds the first write that has rows in it. */
  const holding = (disk: MemoryDisk) => {
    const held = hold()
    let writes = 0
    disk.beforeCommit = (): Promise<void> | undefined => {
      writes += 1
      return writes === 2 ? held.wait() : undefined // the first says what the state is made by
    }
    return { held, writes: () => writes }
  }

  test('is the next write, whatever keys it repeats', async () => {
    const { site, before } = await churned()
    const disk = new MemoryDisk()
    const { held, writes } = holding(disk)
    const next = site.launch({ topology: latest, disk, config })
    await site.until(() => held.isReached)
    await site.turn(40)
    expect(writes()).toBe(2)
    held.release()
    await site.settled(next.started)
    expect([...next.application.query(latestStore).range()]).toEqual(before)
    expect(writes()).toBeLessThan(9) // three partitions of 5 KiB, one at a time
  })

  test('is fetched again if the machine dies before', async () => {
    const { site, before } = await churned()
    const disk = new MemoryDisk()
    const { held } = holding(disk)
    const dying = site.launch({ topology: latest, disk, config })
    await site.until(() => held.isReached)
    await site.turn(40)
    dying.kill()
    disk.beforeCommit = undefined
    const { application } = await site.start({ topology: latest, disk, config })
    expect([...application.query(latestStore).range()]).toEqual(before)
  })

  test('is fetched again if the write fails', async () => {
    const { site, before } = await churned()
    const disk = new MemoryDisk()
    let writes = 0
    disk.beforeCommit = (): void => {
      writes += 1
      if (writes === 3) throw new StoreFullError('/state') // others are on their way
    }
    const failing = site.launch({ topology: latest, disk, config })
    await expect(site.settled(failing.started)).rejects.toThrow(StoreFullError)
    expect(writes).toBe(3)
    failing.kill()
    const { application } = await site.start({ topology: latest, disk, config })
    expect([...application.query(latestStore).range()]).toEqual(before)
  })
})

describe('a local copy that cannot be trusted is wiped and restored', () => {
  test('its position is past the end: the broker came back from an older backup', async () => {
    const { site, instance } = await open()
    await sendAll(site, [1])
    await sendAll(site, [5], 'other')
    const backup = copyOf(site.brokerDisk)
    await sendAll(site, [10, 100])
    await sendAll(site, [1], 'new')
    instance.kill()
    const restored = await Site.open({}, backup, site.clock.nowMs())
    const { application, log } = await restored.start({ topology: summing, disk: instance.disk })
    expect([...application.query(sumStore).range()]).toEqual([
      ['k', 1],
      ['other', 5],
    ])
    expect(log.some((line) => line.includes('wiped and restored'))).toBe(true)
    await sendAll(restored, [2])
    expect(await sumsOf(restored)).toEqual([1, 3])
  })

  test('its position is before the start: records were deleted in between', async () => {
    const { site, instance } = await open()
    await sendAll(site, [7], 'gone')
    const old = copyOf(instance.disk)
    await sendAll(site, [1, 10])
    const { highWatermark } = await site.broker.topics.offsets(sumChangelog)
    await site.broker.topics.purge(sumChangelog, highWatermark - 2n)
    instance.kill()
    const { application } = await site.start({ topology: summing, disk: old })
    expect([...application.query(sumStore).range()]).toEqual([['k', 11]])
  })

  test('it is older than deletes are kept: what was deleted must not come back', async () => {
    const site = await Site.open()
    await site.createTopics([entries])
    const instance = await site.start({ topology: latest })
    await sendAll(site, [7], 'gone')
    const old = copyOf(instance.disk)
    await sendAll(site, [0], 'gone')
    await sendAll(site, [1])
    await site.broker.maintain({ force: true })
    site.clock.advanceBy(86_400_001)
    await site.idle()
    await sendAll(site, [10])
    await site.broker.maintain({ force: true }) // the delete is compacted away
    instance.kill()
    const { application } = await site.start({ topology: latest, disk: old })
    expect([...application.query(latestStore).range()]).toEqual([['k', 10]])
  })

  test('and a crash in the middle of the wipe leaves nothing that looks complete', async () => {
    const { site, instance } = await open()
    await sendAll(site, [1])
    await sendAll(site, [5], 'other')
    const backup = copyOf(site.brokerDisk)
    await sendAll(site, [10, 100])
    instance.kill()
    const restored = await Site.open({}, backup, site.clock.nowMs())
    const { disk } = instance
    let isGuarded = false
    disk.beforeCommit = (): Promise<void> | undefined => {
      if (isGuarded) return new Promise(() => {})
      isGuarded = true // the first write says what the state was made by
      return undefined
    }
    const dying = restored.launch({ topology: summing, disk, instanceId: 'a' })
    await restored.turn(40)
    dying.kill()
    disk.beforeCommit = undefined
    // meanwhile another instance moves the changelog past the position of the half-wiped store
    const other = await restored.start({ topology: summing, instanceId: 'b' })
    for (let i = 0; i < 6; i++) await sendAll(restored, [1])
    other.kill()
    const { application } = await restored.start({ topology: summing, disk, instanceId: 'a' })
    expect([...application.query(sumStore).range()]).toEqual([
      ['k', 7],
      ['other', 5],
    ])
  })
})
