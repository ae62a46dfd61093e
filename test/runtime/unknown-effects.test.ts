/** External calls without an answer: reported once as unknown, asked again until it is known. */

import { expect, test } from 'vitest'
import { charges, Gateway, openSite, receipts } from './gateway.ts'

const options = { attemptsMax: 3, timeoutMs: 1_000, backoffMs: 100, backoffMaxMs: 5_000 } as const

test('is reported once, asked again for ever, and the answer comes when it comes', async () => {
  const gateway = new Gateway(options)
  const {
    site,
    instance: { application },
  } = await openSite(gateway)
  await site.send(charges, 'k', 5)
  await site.send(charges, 'k', 6)
  for (let round = 1; round <= 3; round++) {
    for (let attempt = 1; attempt <= 3; attempt++) {
      const calls = (round - 1) * 3 + attempt
      await site.until(() => gateway.calls.length === calls)
      gateway.calls.at(-1)!.fail()
    }
    await site.turn(40)
    expect(await site.values(receipts)).toEqual(['5 unknown: no line'])
  }
  await site.until(() => gateway.calls.length === 10)
  expect(new Set(gateway.requests)).toEqual(new Set([5])) // what is behind it waits
  expect(new Set(gateway.calls.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1)
  gateway.calls.at(-1)!.answer('paid')
  await site.until(() => gateway.calls.length === 11)
  gateway.calls.at(-1)!.answer('paid')
  await site.idle()
  expect((await site.values(receipts)).map((line) => line.replace(/after \d+/, ''))).toEqual([
    '5 unknown: no line',
    '5 paid ',
    '6 paid ',
  ])
  expect(application.metrics().counters.effectsUnknown).toBe(1)
})

test('is not reported again after a restart', async () => {
  const gateway = new Gateway({ ...options, attemptsMax: 1 })
  const { site, instance } = await openSite(gateway)
  await site.send(charges, 'k', 5)
  await site.until(() => gateway.calls.length === 1)
  gateway.calls[0]!.fail()
  await site.turn(40)
  expect(await site.values(receipts)).toEqual(['5 unknown: no line'])
  instance.kill()
  await site.start({ topology: gateway.topology, disk: instance.disk })
  await site.until(() => gateway.calls.length === 2)
  gateway.calls[1]!.fail()
  await site.until(() => gateway.calls.length === 3)
  gateway.calls[2]!.answer('paid')
  await site.idle()
  expect((await site.values(receipts)).map((line) => line.replace(/after \d+/, ''))).toEqual([
    '5 unknown: no line',
    '5 paid ',
  ])
})

test('a call that never answers is ended by its time-out, with doubling pauses', async () => {
  const gateway = new Gateway(options)
  const { site } = await openSite(gateway)
  await site.send(charges, 'k', 5)
  const startedAtMs: number[] = []
  for (let attempt = 1; attempt <= 4; attempt++) {
    await site.until(() => gateway.calls.length === attempt)
    startedAtMs.push(site.clock.nowMs())
  }
  expect(gateway.calls[0]!.signal.aborted).toBe(true)
  const pausesMs = startedAtMs.slice(1).map((timeMs, i) => timeMs - startedAtMs[i]!)
  expect(pausesMs.map((ms) => Math.floor(ms / 50) * 50)).toEqual([1_100, 1_200, 6_000])
  expect(await site.values(receipts)).toEqual(['5 unknown: no answer within 1000 ms'])
})

test('a call that was put off comes back at its time, is no attempt and makes room', async () => {
  const gateway = new Gateway({ ...options, attemptsMax: 2, maxInFlight: 1 })
  const { site, instance } = await openSite(gateway)
  await site.send(charges, 'k', 5)
  for (let round = 1; round <= 5; round++) {
    await site.until(() => gateway.calls.length === round)
    const startedAtMs = site.clock.nowMs()
    expect(gateway.calls.at(-1)!.attempt).toBe(1)
    gateway.calls.at(-1)!.postpone(7_000)
    if (round === 5) await site.send(charges, 'other', 6)
    await site.until(() => gateway.calls.length === round + 1)
    if (round < 5) expect(site.clock.nowMs() - startedAtMs).toBeGreaterThanOrEqual(7_000)
  }
  expect(gateway.requests.at(-1)).toBe(6)
  gateway.calls.at(-1)!.answer('paid')
  await site.until(() => gateway.calls.length === 7)
  gateway.calls.at(-1)!.answer('paid')
  await site.idle()
  expect(await site.values(receipts)).toEqual(['6 paid after 1', '5 paid after 1'])
  const { effectsPostponed, effectRetries, effectsUnknown } =
    instance.application.metrics().counters
  expect([effectsPostponed, effectRetries, effectsUnknown]).toEqual([5, 0, 0])
})

test('pauses differ by request with jitter, and are never shorter', async () => {
  const gateway = new Gateway({ ...options, backoffMs: 1_000, backoffJitter: 0.5 })
  const { site } = await openSite(gateway)
  const keys = ['a', 'b', 'c', 'd', 'e', 'f']
  for (const key of keys) await site.send(charges, key, 5)
  await site.until(() => gateway.calls.length === keys.length)
  const failedAtMs = site.clock.nowMs()
  for (const call of gateway.calls) call.fail()
  const pausesMs: number[] = []
  for (let calls = keys.length + 1; calls <= keys.length * 2; calls++) {
    await site.until(() => gateway.calls.length >= calls)
    pausesMs.push(site.clock.nowMs() - failedAtMs)
  }
  expect(Math.min(...pausesMs)).toBeGreaterThanOrEqual(1_000)
  expect(Math.max(...pausesMs)).toBeLessThan(1_600)
  expect(new Set(pausesMs).size).toBeGreaterThan(2)
})
