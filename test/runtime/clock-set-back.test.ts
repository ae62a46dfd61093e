/**
 * Goal: a wall clock that was set back, between two lives or within one, strands nothing, and lets
 * no deadline fire before its answer was seen.
 *
 * Wall-clock times that are kept and compared with the clock later, and what each does here:
 * - timestamps of records: only those from outside are checked (below);
 * - punctuation schedules in the offset metadata: start anew (below; test/task/schedules.test.ts);
 * - stream time: never goes back; what is older counts as late, as on any log;
 * - `appliedAtMs` of a store's position: one from the future is not trusted
 *   (test/state/position.test.ts);
 * - due times in the shop's rows: orders' deadlines, holds, shipments (test/shop/clock-set-back);
 *   command ids are remembered for longer;
 * - the outbox keeps no times; retries, idle waits and backoffs are on the monotonic clock (below);
 * - retention of the embedded broker's log, and of transactional ids: records and ids stay longer.
 */

import { describe, expect, test } from 'vitest'
import { MemoryDisk } from '../../state/memory/memory-disk.ts'
import {
  json,
  keyValueStore,
  process,
  repartitionBy,
  repartitionTopic,
  stream,
  to,
  topic,
  topology,
  utf8,
} from '../../src/index.ts'
import type { Clock } from '../../src/clock.ts'
import { hold } from './hold.ts'
import { Site } from './fixture.ts'

const text = json<string>()
const ticks = topic('ticks', { key: utf8, value: text })
const middle = topic('middle', { key: utf8, value: text })
const seen = topic('seen', { key: utf8, value: text })
const again = repartitionTopic('again', { key: utf8, value: text })
const lastKey = keyValueStore('last-key', { key: utf8, value: text })
const startMs = 10_000_000_000
const hourMs = 3_600_000

/** The site's clock, and a wall that is off by `aheadMs`. */
class WrongClock implements Clock {
  aheadMs: number
  readonly #clock: Clock

  constructor(clock: Clock, aheadMs: number) {
    this.#clock = clock
    this.aheadMs = aheadMs
  }

  nowMs(): number {
    return this.#clock.nowMs() + this.aheadMs
  }

  monotonicMs(): number {
    return this.#clock.monotonicMs()
  }

  setTimer(delayMs: number, callback: () => void): () => void {
    return this.#clock.setTimer(delayMs, callback)
  }
}

const openSite = async (): Promise<Site> => {
  const site = await Site.open({}, new MemoryDisk(), startMs)
  await site.createTopics([ticks, middle, seen])
  return site
}

/** ticks ─► middle ─► again (a repartition topic) ─► seen. */
const relay = topology('relay', () => [
  stream(ticks).pipe(to(middle)),
  stream(middle).pipe(
    repartitionBy(again, ({ key }) => key),
    to(seen),
  ),
])

describe('records from before the clock was set back by two hours', () => {
  const aheadMs = 2 * hourMs
  const wasAhead = { timestampMs: startMs + aheadMs }

  test('pass if they are our own: no clock of this instance needs to know them', async () => {
    const site = await openSite()
    const { application } = await site.start({ topology: relay })
    await site.send(middle, 'k', 'own', wasAhead)
    await site.send(ticks, 'k', 'from outside', wasAhead)
    await site.idle()
    expect(await site.values(seen)).toEqual(['own'])
    expect(application.metrics().counters.deadLetters).toBe(1)
  })

  test('pass if the clock was ahead in an earlier life, those from outside too', async () => {
    const site = await openSite()
    const clock = new WrongClock(site.clock, aheadMs)
    const first = await site.start({ topology: relay, clock })
    await site.send(ticks, 'k', 'one', { timestampMs: clock.nowMs() })
    await site.idle()
    first.kill()
    await site.send(ticks, 'k', 'two', { timestampMs: clock.nowMs() })
    const { application } = await site.start({ topology: relay, disk: first.disk })
    await site.idle()
    expect(await site.values(seen)).toEqual(['one', 'two'])
    expect(application.metrics().counters.deadLetters).toBe(0)
    await site.send(ticks, 'k', 'too far', { timestampMs: clock.nowMs() + hourMs + 1_000 })
    await site.idle()
    expect(application.metrics().counters.deadLetters).toBe(1)
  })
})

const everyMs = 10_000

/** Tells its firings. */
const ticking = topology('ticking', () => [
  stream(ticks).pipe(
    process(
      'tick',
      { lastKey },
      {
        onRecord: (): readonly string[] => [],
        punctuators: {
          wall: { everyMs, on: 'wallClock', run: (timeMs) => [['k', `wall ${timeMs}`]] },
        },
      },
    ),
    to(seen),
  ),
])

describe('a punctuation on wall-clock time', () => {
  const aheadMs = 3_000_000

  test('starts anew, one interval from the restart', async () => {
    const site = await openSite()
    const first = await site.start({
      topology: ticking,
      clock: new WrongClock(site.clock, aheadMs),
    })
    await site.until(() => site.clock.nowMs() >= startMs + 12_000)
    expect(await site.values(seen)).toHaveLength(1)
    first.kill()
    const restartMs = site.clock.nowMs()
    await site.start({ topology: ticking, disk: first.disk })
    await site.until(() => site.clock.nowMs() >= restartMs + everyMs - 100)
    expect(await site.values(seen)).toHaveLength(1) // not early
    await site.until(() => site.clock.nowMs() >= restartMs + everyMs + 1_000)
    expect(await site.values(seen)).toHaveLength(2)
    await site.until(() => site.clock.nowMs() >= restartMs + 2 * everyMs + 1_000)
    expect(await site.values(seen)).toHaveLength(3)
  })

  test('goes on when the clock is set back while it runs', async () => {
    const site = await openSite()
    const clock = new WrongClock(site.clock, aheadMs)
    await site.start({ topology: ticking, clock })
    await site.until(() => site.clock.nowMs() >= startMs + 12_000)
    clock.aheadMs = 0
    await site.until(() => site.clock.nowMs() >= startMs + 12_000 + everyMs - 100)
    expect(await site.values(seen)).toHaveLength(1)
    await site.until(() => site.clock.nowMs() >= startMs + 12_000 + everyMs + 1_000)
    expect(await site.values(seen)).toHaveLength(2)
  })
})

test('a retry comes after its backoff, though the clock is set back meanwhile', async () => {
  const site = await openSite()
  const clock = new WrongClock(site.clock, hourMs)
  let attempts = 0
  const failing = topology('failing', () => [
    stream(ticks).pipe(
      process(
        'fail',
        {},
        {
          onRecord({ value }): readonly string[] {
            attempts += 1
            if (attempts === 1) throw new Error('not now')
            return [value]
          },
        },
      ),
      to(seen),
    ),
  ])
  await site.start({ topology: failing, clock, config: { onProcessingError: 'retry' } })
  await site.send(ticks, 'k', 'x')
  await site.until(() => attempts === 1)
  clock.aheadMs = 0
  await site.until(() => site.clock.nowMs() >= startMs + 3_000)
  expect(await site.values(seen)).toEqual(['x'])
})

describe('a deadline of the business, the clock set back while the instance runs', () => {
  const deadlineMs = startMs + 20_000

  /** A question expires at the deadline unless it was answered. */
  const asking = topology('asking', () => [
    stream(ticks).pipe(
      process(
        'ask',
        { waiting: lastKey },
        {
          onRecord({ key, value }, { waiting }): readonly string[] {
            if (value === 'question') {
              waiting.put(key, value)
              return []
            }
            const isWaiting = waiting.get(key) !== undefined
            waiting.delete(key)
            return [isWaiting ? 'answered' : 'too late']
          },
          punctuators: {
            expire: {
              everyMs: 100,
              on: 'wallClock',
              *run(timeMs, { waiting }, context) {
                if (Math.min(timeMs, context.caughtUpToMs()) < deadlineMs) return
                for (const [key] of waiting.range()) {
                  waiting.delete(key)
                  yield [key, 'expired'] as const
                }
              },
            },
          },
        },
      ),
      to(seen),
    ),
  ])

  test('is not proven by what was seen before the clock was set back', async () => {
    const site = await openSite()
    const clock = new WrongClock(site.clock, hourMs) // long past the deadline
    await site.start({ topology: asking, clock })
    await site.turn(100)
    clock.aheadMs = 0
    await site.send(ticks, 'k', 'question')
    await site.turn(300) // back for a second and a half
    const fetching = hold()
    site.faults.control('fetch', fetching.wait)
    await site.until(() => fetching.isReached)
    await site.send(ticks, 'k', 'answer')
    await site.until(() => clock.nowMs() > deadlineMs + 3_000, 20)
    expect(await site.values(seen)).toEqual([])
    fetching.release()
    await site.turn(400)
    expect(await site.values(seen)).toEqual(['answered'])
  })

  test('fires in its time if there is no answer', async () => {
    const site = await openSite()
    const clock = new WrongClock(site.clock, 10_000)
    await site.start({ topology: asking, clock })
    await site.send(ticks, 'k', 'question')
    await site.idle()
    clock.aheadMs = 0
    await site.until(() => clock.nowMs() > deadlineMs - 100, 20)
    expect(await site.values(seen)).toEqual([])
    await site.until(() => clock.nowMs() > deadlineMs + 1_500, 20)
    expect(await site.values(seen)).toEqual(['expired'])
  })
})
