/**
 * The shop's waits when the wall clock is set back: they start anew, never early, and end late by
 * no more than themselves.
 *
 * Where times of the wall clock are kept: orders (`deadlineMs`), holds (`dueMs`), shipments
 * (`dueMs`), each with a row in an index. What is only remembered (ended holds, command ids) may be
 * remembered longer. See test/runtime/clock-set-back.test.ts for the places outside of the shop.
 */

import { describe, expect, it } from 'vitest'
import { hours, json, keyValueStore, minutes, seconds, utf8 } from '../../src/index.ts'
import { holdStore } from '../../topologies/shop/inventory/stores.ts'
import { type DueRows, dueRows, type DueTimes } from '../../topologies/shop/shared/due-rows.ts'
import { timeKey } from '../../topologies/shop/shared/time-index.ts'
import { OpenStore } from '../stores/open-store.ts'
import { ShopStory, type StoryOptions } from './shop-story.ts'

type Setting = 'while it runs' | 'between two lives'
const settings: readonly Setting[] = ['while it runs', 'between two lives']

/** Sets the clock back, and lets the punctuators see it. */
const setBack = (story: ShopStory, byMs: number, setting: Setting): void => {
  story.driver.clock.stepWallClock(-byMs)
  if (setting === 'between two lives') story.driver.restart()
  story.driver.advanceWallClock(0)
}

const opened = (method: 'card' | 'transfer', options: StoryOptions = {}): ShopStory => {
  const story = new ShopStory(options)
  story.driver.advanceWallClock(seconds(5)) // every task has fired
  story.stock('tea', 10)
  story.order('o-1', { tea: 2 }, method)
  return story
}

const carrier = { shipAfterMs: seconds(30), deliverAfterMs: seconds(40) }

describe.each(settings)('the clock set back by 50 minutes %s', (setting) => {
  it('delays no shipment beyond its own wait, and none comes early', async () => {
    const story = opened('card', { settings: { carrier } })
    await story.pass(seconds(4))
    expect(story.row('o-1').status).toBe('confirmed')
    setBack(story, minutes(50), setting)
    await story.pass(seconds(24))
    expect(story.eventTypes().shipments).toEqual(['shipment.created'])
    await story.pass(seconds(8))
    expect(story.eventTypes().shipments).toEqual(['shipment.status-updated'])
    setBack(story, minutes(50), setting)
    await story.pass(seconds(32))
    expect(story.row('o-1').status).toBe('confirmed')
    await story.pass(seconds(16))
    expect(story.row('o-1').status).toBe('completed')
    expect(story.driver.deadLetters()).toEqual([])
  })

  it('lets a transfer wait for 15 minutes from then, not less and not 65', async () => {
    const story = opened('transfer')
    await story.pass(minutes(10))
    setBack(story, minutes(50), setting)
    await story.pass(minutes(14))
    expect(story.row('o-1').status).toBe('paying')
    await story.pass(minutes(2))
    await story.pass(minutes(1))
    expect(story.row('o-1')).toMatchObject({ status: 'expired', reason: 'payment-deadline' })
    expect(story.summary().invariants.violations).toEqual([])
  })

  it('ends a hold after its 60 minutes from then', async () => {
    const settings = { deadlines: { paymentMs: hours(48) } }
    const story = opened('transfer', { settings })
    await story.pass(minutes(5))
    setBack(story, minutes(50), setting)
    const holdState = (): string | undefined =>
      [...story.driver.query(holdStore).range()][0]?.[1].state
    await story.pass(minutes(59))
    expect(holdState()).toBe('held')
    await story.pass(minutes(3))
    expect(holdState()).not.toBe('held')
    expect(story.summary(false).invariants.violations).toEqual([])
  })
})

it('a deadline set after the clock was set back is left alone', async () => {
  const story = opened('transfer', { settings: { deadlines: { replyMs: hours(2) } } })
  await story.pass(seconds(4))
  story.driver.clock.stepWallClock(-minutes(50))
  story.order('o-2', { tea: 1 }, 'transfer')
  const { deadlineMs } = story.row('o-2')
  story.driver.advanceWallClock(0)
  await story.pass(minutes(10))
  expect(story.row('o-2')).toMatchObject({ status: 'paying', deadlineMs })
  await story.pass(minutes(6))
  await story.pass(minutes(1))
  expect([story.row('o-1').status, story.row('o-2').status]).toEqual(['expired', 'expired'])
})

describe('the walk over rows that are not due', () => {
  const nowMs = 1_000_000
  const index = keyValueStore('index', { key: utf8, value: json<1>() })
  const times = (atMs: number, latestNowMs = atMs): DueTimes => ({
    dueMs: atMs,
    nowMs: atMs,
    latestNowMs,
  })

  const filled = () => {
    const { opened: rows } = new OpenStore(index)
    for (let i = 1; i <= 5; i++) rows.put(timeKey(nowMs + i * 1_000, `r${i}`), 1)
    return rows
  }

  const walk = (due: DueRows, rows: ReturnType<typeof filled>, at: DueTimes): string =>
    due
      .ahead(rows, at)
      .map((key) => key.slice(-2))
      .join()

  it('is not made as a rule, nor for a step of milliseconds', () => {
    const [due, rows] = [dueRows(2), filled()]
    expect(walk(due, rows, times(nowMs))).toBe('')
    expect(walk(due, rows, times(nowMs - 1_500, nowMs))).toBe('')
  })

  it('is made once, in parts, when the clock is set back', () => {
    const [due, rows] = [dueRows(2), filled()]
    expect(walk(due, rows, times(nowMs + 9_000))).toBe('')
    const parts = [0, 1, 2, 3, 4].map((i) => walk(due, rows, times(nowMs + i, nowMs + 9_000)))
    expect(parts).toEqual(['r1,r2', 'r3,r4', 'r5', '', ''])
    expect(walk(due, rows, times(nowMs - 5_000, nowMs + 9_000))).toBe('r1,r2')
  })

  it('is made by a new pipeline while the clock is behind what the task has seen', () => {
    const rows = filled()
    expect(walk(dueRows(9), rows, times(nowMs, nowMs + 9_000))).toBe('r1,r2,r3,r4,r5')
    expect(walk(dueRows(9), rows, times(nowMs, nowMs))).toBe('')
  })
})
