/** Punctuations that write nothing: their schedule lasts all the same, at the cost of little. */

import { expect, test } from 'vitest'
import { MemoryDisk } from '../../state/memory/memory-disk.ts'
import { json, process, stream, to, topic, topology, utf8 } from '../../src/index.ts'
import type { Topology } from '../../src/topology/topology.ts'
import { Site } from './fixture.ts'
import type { Instance } from './instance.ts'

const text = json<string>()
const ticks = topic('ticks', { key: utf8, value: text })
const seen = topic('seen', { key: utf8, value: text })
const startMs = 1_000_000

const quiet = (everyMs: number, onFiring: () => void): Topology =>
  topology('quiet', () => [
    stream(ticks).pipe(
      process(
        'q',
        {},
        {
          onRecord: (): readonly string[] => [],
          punctuators: {
            wall: {
              everyMs,
              on: 'wallClock',
              run: () => {
                onFiring()
                return []
              },
            },
          },
        },
      ),
      to(seen),
    ),
  ])

const open = async (partitions = 1): Promise<Site> => {
  const site = await Site.open({}, new MemoryDisk(), startMs)
  await site.createTopics([ticks, seen], partitions)
  return site
}

const commitsOf = ({ calls }: Instance): number =>
  calls.filter(({ name }) => name === 'sendOffsets').length

test('keeps its rhythm when it is killed', async () => {
  const site = await open()
  const firings: number[] = []
  const hourly = quiet(20_000, () => firings.push(site.clock.nowMs() - startMs))
  const first = await site.start({ topology: hourly })
  const passed = (ms: number) => site.until(() => site.clock.nowMs() >= startMs + ms, 20)
  await passed(12_000)
  first.kill()
  const second = await site.start({ topology: hourly, disk: first.disk })
  await passed(22_000) // the first firing is counted from the first start
  expect(firings).toHaveLength(1)
  second.kill()
  await site.start({ topology: hourly, disk: second.disk })
  await passed(39_500)
  expect(firings).toHaveLength(1)
  await passed(41_500)
  expect(firings).toHaveLength(2)
})

test.each([
  [100, 0],
  [10_000, 6],
])('every %d ms: at rest, %d transactions a minute', async (everyMs, commits) => {
  const site = await open()
  let firings = 0
  const ticking = quiet(everyMs, () => {
    firings += 1
  })
  const instance = await site.start({ topology: ticking })
  await site.turn(400) // the first commit of all, and of the first schedule
  const before = commitsOf(instance)
  await site.until(() => site.clock.nowMs() >= startMs + 62_000, 50)
  expect(firings).toBeGreaterThanOrEqual(Math.min(400, 60_000 / everyMs))
  expect(commitsOf(instance) - before).toBe(commits)
})

test('is committed by a clean stop at once', async () => {
  const site = await open()
  const firings: number[] = []
  const hourly = quiet(20_000, () => firings.push(site.clock.nowMs() - startMs))
  const first = await site.start({ topology: hourly })
  await site.until(() => firings.length === 1, 20)
  await site.settled(first.application.close())
  first.kill()
  await site.start({ topology: hourly, disk: first.disk })
  await site.until(() => site.clock.nowMs() >= startMs + 39_500, 20)
  expect(firings).toHaveLength(1)
})

test('goes with the transaction that another task makes anyway', async () => {
  const site = await open(2)
  const instance = await site.start({ topology: quiet(5_000, () => {}) })
  await site.until(() => site.clock.nowMs() >= startMs + 5_500)
  const before = commitsOf(instance)
  await site.send(ticks, 'k', 'x') // to one of both partitions
  await site.idle()
  expect(commitsOf(instance) - before).toBe(1)
  for (const partition of [0, 1]) {
    const { metadata } = await site.committed('ticks', partition)
    const { p } = JSON.parse(metadata) as { p: Record<string, number> }
    expect(p['q.wall']).toBeGreaterThanOrEqual(startMs + 10_000)
  }
})
