/** A broker that cannot be reached: at the start, in the middle, while closing. */

import { expect, test } from 'vitest'
import { Site } from './fixture.ts'
import { entries, summing, sums, sumsOf, sumStore } from './summing.ts'

const open = async (): Promise<Site> => {
  const site = await Site.open()
  await site.createTopics([entries, sums])
  return site
}

test('at the start it is waited for, with growing pauses, and then found', async () => {
  const site = await open()
  site.isOut = true
  const { application, started, calls, log } = site.launch({ topology: summing })
  await site.turn(1_000)
  expect(application.state).toBe('starting')
  const pausesMs = calls.slice(1).map(({ atMs }, index) => atMs - calls[index]!.atMs)
  expect(pausesMs.length).toBeGreaterThan(4)
  expect(pausesMs.slice(1).every((pause, index) => pause >= pausesMs[index]!)).toBe(true)
  expect(log).toEqual([expect.stringContaining('the broker cannot be reached')]) // once
  expect(application.trouble).toMatch(/^the broker cannot be reached: ./)
  site.isOut = false
  await site.settled(started)
  expect(application.trouble).toBeUndefined()
  await site.send(entries, 'k', 1)
  await site.idle()
  expect(await sumsOf(site)).toEqual([1])
})

test('closed while it waits for the broker: closed at once, and start says so', async () => {
  const site = await open()
  site.isOut = true
  const { application, started } = site.launch({ topology: summing })
  await site.turn(400)
  const beforeMs = site.clock.nowMs()
  await site.settled(application.close())
  expect(application.state).toBe('closed')
  expect(site.clock.nowMs() - beforeMs).toBeLessThan(100)
  await expect(started).rejects.toMatchObject({ code: 'STREAMS_CLOSED' })
})

test('in the middle, it goes on where it was: nothing lost, nothing twice', async () => {
  const site = await open()
  const { application } = await site.start({ topology: summing })
  let sum = 0
  const expected: number[] = []
  for (let outage = 0; outage < 3; outage++) {
    for (let i = 0; i < 5; i++) {
      await site.send(entries, 'k', 1)
      expected.push((sum += 1))
      if (i === 2) site.isOut = true
      await site.turn(3)
    }
    await site.turn(300) // longer than the session
    site.isOut = false
    await site.idle()
  }
  expect(application.state).toBe('running')
  expect(await sumsOf(site)).toEqual(expected)
  expect(application.query(sumStore).get('k')).toBe(15)
})

test('in the middle of nothing: an idle instance keeps its tasks, or gets them back', async () => {
  const site = await open()
  const { application } = await site.start({ topology: summing })
  await site.idle()
  site.isOut = true
  await site.turn(100, 50)
  site.isOut = false
  await site.turn(100, 50)
  expect(application.metrics()).toMatchObject({ state: 'running', tasks: 1 })
  await site.send(entries, 'k', 1)
  await site.idle()
  expect(await sumsOf(site)).toEqual([1])
})

test('while closing: it ends with the reason; the next life repeats the work', async () => {
  const site = await open()
  const { application, disk, kill } = await site.start({ topology: summing })
  await site.send(entries, 'k', 1)
  await site.idle()
  await site.send(entries, 'k', 10)
  site.isOut = true
  await site.until(() => application.metrics().counters.recordsProcessed === 2)
  const error = await site.settled(
    application.close().then(
      () => undefined,
      (cause: unknown) => cause,
    ),
  )
  expect(error).toMatchObject({ code: 'BROKER_UNAVAILABLE' })
  expect(application.state).toBe('failed')
  kill()
  site.isOut = false
  await site.start({ topology: summing, disk })
  await site.idle()
  expect(await sumsOf(site)).toEqual([1, 11])
})
