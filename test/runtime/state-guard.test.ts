/** What a state directory was made by, against what is started on it: refused, with the way out. */

import { describe, expect, test } from 'vitest'
import type { MemoryDisk } from '../../state/memory/memory-disk.ts'
import {
  aggregate,
  json,
  keyValueStore,
  leftJoinWithin,
  joinStore,
  repartitionBy,
  repartitionTopic,
  stream,
  to,
  topic,
  topology,
  utf8,
} from '../../src/index.ts'
import { copyOf } from './copy-of.ts'
import { Site } from './fixture.ts'
import { refusal } from './refusal.ts'
import { entries, summing, sums, sumsOf, sumStore } from './summing.ts'

const number = json<number>()

/** A site and a disk with the sum of one entry on it, cleanly closed. */
const made = async (): Promise<{ readonly site: Site; readonly disk: MemoryDisk }> => {
  const site = await Site.open()
  await site.createTopics([entries, sums], 2)
  const { application, disk, kill } = await site.start({ topology: summing })
  await site.send(entries, 'k', 1)
  await site.idle()
  await site.settled(application.close())
  kill()
  return { site, disk }
}

describe('refused', () => {
  test('the state of another cluster', async () => {
    const { disk } = await made()
    const other = await Site.open({ seed: 8 })
    await other.createTopics([entries, sums], 2)
    const rows = new Map(disk.rows)
    expect(await refusal(other, { topology: summing, disk })).toMatchObject({
      code: 'STREAMS_STATE_MISMATCH',
      message: expect.stringMatching(
        /belongs to cluster .*, this one is .*--state-dir.*restore/,
      ) as string,
    })
    expect(new Map(disk.rows)).toEqual(rows)
  })

  test('a changelog that was deleted and made anew', async () => {
    const { site, disk } = await made()
    await site.broker.topics.delete(['app-sum-changelog'])
    expect(await refusal(site, { topology: summing, disk })).toMatchObject({
      code: 'STREAMS_STATE_MISMATCH',
      message: expect.stringMatching(
        /store sum of task 0_0: .*deleted and made anew.*delete this one/,
      ) as string,
    })
  })

  test('the state of another application', async () => {
    const { site, disk } = await made()
    expect(await refusal(site, { topology: summing, disk, applicationId: 'app2' })).toMatchObject({
      code: 'STREAMS_STATE_MISMATCH',
      message: 'the state belongs to application app, not app2; choose another --state-dir',
    })
  })

  test('a store with another serde', async () => {
    const { site, disk } = await made()
    const other = keyValueStore('sum', { key: utf8, value: utf8 })
    const changed = topology('summing', () => [
      stream(entries).pipe(
        aggregate(
          other,
          () => '',
          (sum, value) => `${sum}${value}`,
        ),
      ),
    ])
    expect(await refusal(site, { topology: changed, disk })).toMatchObject({
      code: 'STREAMS_STATE_MISMATCH',
      message: expect.stringMatching(
        /store sum was made as ".*json.*" and is now ".*utf8.*another name/,
      ) as string,
    })
  })

  test.each([
    [
      'the local state',
      ['app-sum-changelog'],
      'topic entries had 2 partitions and has 3 partitions now',
    ],
    [
      'the changelog, the local state lost',
      [],
      'topic app-sum-changelog has 2 partitions, but its application needs 3 now',
    ],
  ])('a raised partition count, by %s', async (which, remade, message) => {
    const { site, disk } = await made()
    await site.broker.topics.delete(['entries', ...remade])
    await site.createTopics([entries], 3)
    const isLost = which.includes('lost')
    const error = await refusal(site, { topology: summing, ...(!isLost && { disk }) })
    expect(error).toMatchObject({ code: 'STREAMS_STATE_MISMATCH' })
    expect(error.message).toContain(message)
    expect(error.message).toContain('new application id')
  })

  test('a state made by a newer version', async () => {
    const { site, disk } = await made()
    const key = [...disk.rows.keys()].find((name) => name.includes('made-by'))!
    disk.write(key, JSON.stringify({ version: 3 }))
    expect(await refusal(site, { topology: summing, disk })).toMatchObject({
      code: 'STREAMS_STATE_MISMATCH',
    })
  })

  test('external topics that are missing, all of them by name', async () => {
    const site = await Site.open()
    expect(await refusal(site, { topology: summing })).toMatchObject({
      code: 'STREAMS_MISSING_TOPIC',
      message: expect.stringContaining('missing topics: entries, sums; create them') as string,
    })
    expect(await site.broker.topics.list()).toEqual([])
  })

  test('a changelog that compaction does not keep', async () => {
    const site = await Site.open()
    await site.createTopics([entries, sums, { name: 'app-sum-changelog' }])
    expect(await refusal(site, { topology: summing })).toMatchObject({
      code: 'STREAMS_CONFIG',
      message: expect.stringMatching(/app-sum-changelog .*policy delete.* to compact/) as string,
    })
  })

  test('joined topics with different partition counts', async () => {
    const others = topic('others', { key: utf8, value: number })
    const pairs = joinStore('pairs', {
      key: utf8,
      left: number,
      right: number,
      withinMs: 1_000,
      graceMs: 0,
    })
    const joining = topology('joining', () => [
      stream(entries).pipe(
        leftJoinWithin(stream(others), pairs, (left, right) => left + (right ?? 0)),
        to(topic('sums', { key: utf8, value: number })),
      ),
    ])
    const site = await Site.open()
    await site.createTopics([entries, sums], 2)
    await site.createTopics([others], 3)
    const error = await refusal(site, { topology: joining })
    expect(error).toMatchObject({ code: 'STREAMS_NOT_COPARTITIONED' })
    expect(error.message).toMatch(/entries.*2.*others.*3|others.*3.*entries.*2/)
    // no changelog with a wrong count is left behind
    const names = (await site.broker.topics.list()).map(({ name }) => name)
    expect(names.sort()).toEqual(['entries', 'others', 'sums'])
  })
})

describe('welcome', () => {
  test('a new store beside the old ones', async () => {
    const { site, disk } = await made()
    const counts = keyValueStore('count', { key: utf8, value: number })
    const both = topology('both', () => {
      const entries$ = stream(entries)
      return [
        entries$.pipe(
          aggregate(
            sumStore,
            () => 0,
            (sum, value) => sum + value,
          ),
          to(sums),
        ),
        entries$.pipe(
          aggregate(
            counts,
            () => 0,
            (count) => count + 1,
          ),
        ),
      ]
    })
    const { application } = await site.start({ topology: both, disk })
    await site.send(entries, 'k', 10)
    await site.idle()
    expect(await sumsOf(site)).toEqual([1, 11])
    expect(application.query(counts).get('k')).toBe(1)
  })

  test('the same topology on a copied directory', async () => {
    const { site, disk } = await made()
    const { application } = await site.start({ topology: summing, disk: copyOf(disk) })
    expect(application.query(sumStore).get('k')).toBe(1)
  })

  test('internal topics are made with the partitions of their readers and writers', async () => {
    const byParity = repartitionTopic('by-parity', { key: utf8, value: number })
    const counts = keyValueStore('count', { key: utf8, value: number })
    const hop = topology('hop', () => [
      stream(entries).pipe(
        repartitionBy(byParity, ({ value }) => String(value % 2)),
        aggregate(
          counts,
          () => 0,
          (count) => count + 1,
        ),
      ),
    ])
    const site = await Site.open()
    await site.createTopics([entries], 3)
    await site.start({ topology: hop })
    const found = (await site.broker.topics.list()).map(({ name, partitions, config }) => [
      name,
      partitions,
      config.cleanupPolicy,
    ])
    expect(found.sort()).toEqual([
      ['app-by-parity-repartition', 3, 'delete'],
      ['app-count-changelog', 3, 'compact'],
      ['app-dead-letters', 1, 'delete'],
      ['entries', 3, 'delete'],
    ])
  })
})
