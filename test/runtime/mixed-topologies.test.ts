/**
 * Goal: instances of two versions of a topology never process a record twice.
 *
 * Method: a second instance joins a running one with a topology that numbers its tasks otherwise;
 * then one whose topology only adds to it.
 */

import { expect, test } from 'vitest'
import {
  aggregate,
  mapValues,
  stream,
  to,
  topic,
  type Topology,
  topology,
} from '../../src/index.ts'
import { Site } from './fixture.ts'
import { refusal } from './refusal.ts'
import { entries, summing, sums, sumStore } from './summing.ts'

const others = topic('others', { key: entries.key, value: entries.value })
const results = topic('results', { key: entries.key, value: entries.value })

const copying = () =>
  stream(others).pipe(
    mapValues((value) => value),
    to(results),
  )

const adding = () =>
  stream(entries).pipe(
    aggregate(
      sumStore,
      () => 0,
      (sum, value) => sum + value,
    ),
    to(sums),
  )

/** `others` takes the number that the sums had. */
const shifted: Topology = topology('summing', () => [copying(), adding()])
const extended: Topology = topology('summing', () => [adding(), copying()])

const keys = Array.from({ length: 12 }, (_, index) => `k${index}`)

const siteOf = async (): Promise<Site> => {
  const site = await Site.open()
  await site.createTopics([entries, others, sums, results], 2)
  return site
}

const expectOnce = async (site: Site): Promise<void> => {
  const found = (await site.read(sums)).map(({ key, value }) => `${key}=${value}`)
  expect(found.sort()).toEqual(keys.flatMap((key) => [`${key}=1`, `${key}=2`]).sort())
}

const sendAll = async (site: Site): Promise<void> => {
  for (const key of keys) await site.send(entries, key, 1)
}

test('one that numbers its tasks otherwise is refused; the other goes on', async () => {
  const site = await siteOf()
  const { application } = await site.start({ topology: summing, instanceId: 'a' })
  await sendAll(site)
  const error = await refusal(site, { topology: shifted, instanceId: 'b' })
  expect(error).toMatchObject({
    code: 'STREAMS_CONFIG',
    message: expect.stringMatching(
      /refuses this member: its topology has topic entries in sub-topology 1, .* in 0: stop/,
    ) as string,
  })
  await sendAll(site)
  await site.idle()
  expect(application.state).toBe('running')
  await expectOnce(site)
})

test('a static member that comes back as such a one is refused too', async () => {
  const site = await siteOf()
  const config = { sessionTimeoutMs: 60_000 }
  const isStatic = true
  const a = { topology: summing, instanceId: 'a', isStatic, config }
  const first = await site.start(a)
  const second = await site.start({ ...a, instanceId: 'b' })
  await site.until(() => second.application.metrics().tasks === 1)
  await sendAll(site)
  await site.idle()
  await site.settled(second.application.close())
  second.kill()
  expect(first.application.metrics().tasks).toBe(1) // the place is kept
  const again = { ...a, topology: shifted, instanceId: 'b', disk: second.disk }
  expect((await refusal(site, again)).message).toContain('has topic entries in sub-topology 1')
  await site.start({ ...a, instanceId: 'b', disk: second.disk })
  await sendAll(site)
  await site.idle()
  await expectOnce(site)
})

test('one that adds a sub-topology takes its share', async () => {
  const site = await siteOf()
  const first = await site.start({ topology: summing, instanceId: 'a' })
  await sendAll(site)
  const second = await site.start({ topology: extended, instanceId: 'b' })
  await site.idle()
  await site.settled(first.application.close())
  await site.until(() => second.application.metrics().tasks === 4)
  await sendAll(site)
  await site.send(others, 'k', 7)
  await site.idle()
  expect(second.application.state).toBe('running')
  await expectOnce(site)
  expect(await site.values(results)).toEqual([7])
})

test('one that lacks what the leader has is refused', async () => {
  const site = await siteOf()
  await site.start({ topology: extended, instanceId: 'a' })
  const error = await refusal(site, { topology: summing, instanceId: 'b' })
  expect(error.message).toMatch(/its topology lacks topic others, which .* in 1: stop/)
})
