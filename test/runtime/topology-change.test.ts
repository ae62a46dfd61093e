/**
 * Goal: an edit of a topology never loses or misreads state without being told to.
 *
 * Method: one version of a topology runs on the embedded broker and leaves its state; another is
 * started on it. Refused: the message names store, old and new, and nothing is touched, neither on
 * the disk nor at the broker. Accepted or safe: sums go on, or begin anew, as they should.
 */

import { describe, expect, test } from 'vitest'
import { MemoryDisk } from '../../state/memory/memory-disk.ts'
import {
  aggregate,
  filter,
  json,
  type KeyValueStore,
  keyValueStore,
  mapValues,
  merge,
  repartitionBy,
  repartitionTopic,
  stream,
  tableStore,
  to,
  topic,
  type Topology,
  topology,
  tumbling,
  utf8,
  windowedStore,
} from '../../src/index.ts'
import { Site } from './fixture.ts'
import { refusal } from './refusal.ts'
import { entries, summing, sums, sumsOf, sumStore } from './summing.ts'

const number = json<number>()
const others = topic('others', { key: utf8, value: number })
const rows = { key: utf8, value: number }

const total = (sum: number, value: number): number => sum + value

const summingIn = (store: KeyValueStore<string, number>): Topology =>
  topology('summing', () => [
    stream(entries).pipe(
      aggregate(store, () => 0, total),
      to(sums),
    ),
  ])

interface Made {
  readonly site: Site
  readonly disk: MemoryDisk
}

/** A site and a disk on which this topology summed one entry, cleanly closed. */
const made = async (by: Topology = summing): Promise<Made> => {
  const site = await Site.open()
  await site.createTopics([entries, others, sums], 2)
  const { application, disk, kill } = await site.start({ topology: by })
  await site.send(entries, 'k', 1)
  await site.idle()
  await site.settled(application.close())
  kill()
  return { site, disk }
}

const topicNames = async (site: Site): Promise<readonly string[]> =>
  (await site.broker.topics.list()).map(({ name }) => name).sort()

/** The message of the refusal, which must have left everything as it was. */
const refused = async ({ site, disk }: Made, by: Topology): Promise<string> => {
  const [before, topics] = [new Map(disk.rows), await topicNames(site)]
  const error = await refusal(site, { topology: by, disk })
  expect(error).toMatchObject({ code: 'STREAMS_STATE_MISMATCH' })
  expect(new Map(disk.rows)).toEqual(before)
  expect(await topicNames(site)).toEqual(topics)
  return error.message
}

const plainly = topology('summing', () => [stream(entries).pipe(to(sums))])

describe('stores that go', () => {
  test('a renamed store is refused, and its new name guessed', async () => {
    const renamed = summingIn(keyValueStore('sums', rows))
    expect(await refused(await made(), renamed)).toBe(
      'store sum is gone (it was key-value/1 key=utf8 value=json): its rows are left behind; '
        + 'renamed to sums? keep the name sum, use a new application id, or start once with '
        + '--accept-topology-change, which drops the rows for good',
    )
  })

  test('a removed store is refused', async () => {
    const message = await refused(await made(), plainly)
    expect(message).toMatch(/^store sum is gone .*--accept-topology-change/)
    expect(message).not.toContain('renamed')
  })

  test('accepted, its rows, position and changelog are dropped; later it begins anew', async () => {
    const { site, disk } = await made()
    const without = await site.start({ topology: plainly, disk, acceptsTopologyChange: true })
    expect(await topicNames(site)).not.toContain('app-sum-changelog')
    expect([...disk.rows.keys()].filter((key) => key.includes('sum-changelog'))).toEqual([])
    await site.send(entries, 'k', 100)
    await site.idle()
    await site.settled(without.application.close())
    without.kill()
    const again = await site.start({ topology: plainly, disk }) // the state knows by now
    await site.settled(again.application.close())
    again.kill()
    const { application } = await site.start({ topology: summing, disk })
    await site.send(entries, 'k', 10)
    await site.idle()
    expect(application.query(sumStore).get('k')).toBe(10)
    expect(await sumsOf(site)).toEqual([1, 100, 10])
  })

  test('on a lost disk the broker remembers the store', async () => {
    const { site } = await made()
    const message = await refused({ site, disk: new MemoryDisk() }, plainly)
    expect(message).toMatch(/^store sum is gone \(it was topic app-sum-changelog of 2 partitions\)/)
    await site.start({ topology: plainly, acceptsTopologyChange: true })
    expect(await topicNames(site)).toContain('app-sum-changelog') // it need not be ours
  })

  test('topics of another application whose id begins alike are not ours', async () => {
    const { site } = await made()
    const other = await site.start({ topology: summing, applicationId: 'app-eu' })
    await site.send(entries, 'k', 1)
    await site.idle()
    await site.settled(other.application.close())
    other.kill()
    expect(await topicNames(site)).toContain('app-eu-sum-changelog')
    const { application } = await site.start({ topology: summing })
    await site.idle()
    expect(application.query(sumStore).get('k')).toBe(2)
  })

  test('a repartition topic that goes is refused: records may be on their way', async () => {
    const through = repartitionTopic('by-parity', rows)
    const hop = topology('hop', () => [
      stream(entries).pipe(
        repartitionBy(through, ({ value }) => String(value % 2)),
        to(sums),
      ),
    ])
    const state = await made(hop)
    const message = await refused(state, plainly)
    expect(message).toMatch(/^repartition topic by-parity-repartition is gone .* never processed/)
    await state.site.start({ topology: plainly, disk: state.disk, acceptsTopologyChange: true })
    expect(await topicNames(state.site)).not.toContain('app-by-parity-repartition')
  })
})

describe('stores whose rows would mean something else', () => {
  test('another kind', async () => {
    const asTable = topology('summing', () => [
      stream(entries).pipe(aggregate(tableStore('sum', rows), () => 0, total)),
    ])
    expect(await refused(await made(), asTable)).toMatch(
      /^store sum was made as "key-value\/1 .*" and is now "table\/1 .*": .*another name/,
    )
  })

  test.each([
    ['key', keyValueStore('sum', { key: json<string>(), value: number })],
    ['value', keyValueStore('sum', { key: utf8, value: { ...number, format: 'json/cents' } })],
  ])('another serde of the %s', async (which, store) => {
    const message = await refused(await made(), summingIn(store))
    expect(message).toContain('store sum was made as "key-value/1 key=utf8 value=json"')
    const isMigratable = which === 'value'
    expect(message.includes('raise its version and give it a migrate')).toBe(isMigratable)
  })

  test('windows of another size; a longer retention is welcome', async () => {
    const counting = (sizeMs: number, retentionMs: number): Topology => {
      const windows = tumbling({ sizeMs, graceMs: 0 })
      const store = windowedStore('per-window', { ...rows, windows, retentionMs })
      return topology('counting', () => [stream(entries).pipe(aggregate(store, () => 0, total))])
    }
    const state = await made(counting(1_000, 5_000))
    expect(await refused(state, counting(2_000, 5_000))).toMatch(
      /per-window was made as "windowed\/1 time-1000-1000 .*" and is now .*time-2000-2000.*windows/,
    )
    await state.site.start({ topology: counting(1_000, 9_000), disk: state.disk })
  })

  test('they are refused even if a loss is accepted', async () => {
    const { site, disk } = await made()
    const other = summingIn(keyValueStore('sum', { key: utf8, value: { ...number, format: 'x' } }))
    const options = { topology: other, disk, acceptsTopologyChange: true }
    expect(await refusal(site, options)).toMatchObject({ code: 'STREAMS_STATE_MISMATCH' })
  })

  test('a source with another partition count joins a store: nothing is made', async () => {
    const { site, disk } = await made()
    await site.createTopics([{ name: 'wide' }], 3)
    const wide = topic('wide', rows)
    const both = topology('summing', () => [
      merge(stream(entries), stream(wide)).pipe(
        aggregate(sumStore, () => 0, total),
        to(sums),
      ),
    ])
    expect((await refusal(site, { topology: both, disk })).message).toMatch(/wide.*3|3.*wide/)
  })
})

describe('safe', () => {
  test('nodes, sinks and stores may come; sums go on', async () => {
    const { site, disk } = await made()
    const more = topology('summing', () => {
      const sums$ = stream(entries).pipe(
        filter(({ value }) => value > 0),
        aggregate(sumStore, () => 0, total),
      )
      const highest = keyValueStore('highest', rows)
      const highest$ = sums$.pipe(
        aggregate(
          highest,
          () => 0,
          (a, b) => Math.max(a, b),
        ),
      )
      return [sums$.pipe(to(sums)), highest$.pipe(to(others))]
    })
    const { application } = await site.start({ topology: more, disk })
    await site.send(entries, 'k', 10)
    await site.idle()
    expect(application.query(sumStore).get('k')).toBe(11)
    expect(await site.values(others)).toEqual([11])
  })

  test('a store whose sub-topology gets another number is restored, not lost', async () => {
    const { site, disk } = await made()
    const shifted = topology('summing', () => [
      stream(others).pipe(
        mapValues((value) => value),
        to(sums),
      ), // comes first, and takes id 0
      stream(entries).pipe(
        aggregate(sumStore, () => 0, total),
        to(sums),
      ),
    ])
    const { application } = await site.start({ topology: shifted, disk })
    expect(application.query(sumStore).get('k')).toBe(1)
    await site.send(entries, 'k', 10)
    await site.idle()
    expect(await sumsOf(site)).toContain(11)
  })

  test('a state of an older release, which knew layouts only', async () => {
    const { site, disk } = await made()
    const key = [...disk.rows.keys()].find((name) => name.includes('made-by'))!
    const { topology: _plan, ...owner } = JSON.parse(
      Buffer.from(disk.rows.get(key)!).toString(),
    ) as Record<string, unknown>
    const old = { ...owner, version: 1, stores: { sum: sumStore.layout } }
    disk.write(key, JSON.stringify(old))
    expect(await refused({ site, disk }, plainly)).toContain('store sum is gone')
    const { application } = await site.start({ topology: summing, disk })
    expect(application.query(sumStore).get('k')).toBe(1)
    expect(application.starts).toBe(2)
  })
})
