/**
 * Goal: the figures are what anybody would count in the raw topics, each fact once, in its window.
 *
 * Method: fast-check draws stories (orders, transfers, cancellations, everything sent twice, a
 * provider that declines and forgets, restarts, hours); plain code that shares nothing with the
 * analytics counts the topics again. Windows, lateness and the join at their edges by hand.
 */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { days, minutes, seconds } from '../../src/index.ts'
import type { Plan } from '../../src/topology/graph.ts'
import type { FigureRow } from '../../topologies/shop/analytics/figure-row.ts'
import {
  type FigureSubject,
  lateIn,
  readFigures,
  totalsOf,
  windowsOf,
} from '../../topologies/shop/analytics/read-figures.ts'
import {
  analyticsStores,
  type Granularity,
  lowStock,
} from '../../topologies/shop/analytics/stores.ts'
import { productStore } from '../../topologies/shop/inventory/stores.ts'
import type { PaymentMethod } from '../../topologies/shop/shared/commands.ts'
import { shopConfig } from '../../topologies/shop/shared/config.ts'
import { processPaymentCommand } from '../../topologies/shop/shared/customer-commands.ts'
import { paymentCommands } from '../../topologies/shop/shared/topics.ts'
import { shopTopology } from '../../topologies/shop/shop.ts'
import { AnalyticsStory, type StoryStep } from './analytics-story.ts'
import { expectFigures, naiveFigures } from './expect-figures.ts'
import { operatorJoin } from './operator-join.ts'

const nths = fc.nat(1 << 16)
const products = fc.nat(2)
const steps: fc.Arbitrary<StoryStep> = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.record({
      kind: fc.constant('order' as const),
      method: fc.constantFrom<PaymentMethod>('card', 'card', 'transfer'),
      currency: fc.constantFrom('EUR', 'JPY'),
      product: products,
      quantity: fc.integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom('pay' as const, 'cancel' as const, 'refund' as const),
      nth: nths,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('again' as const), nth: nths }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('stock' as const),
      product: products,
      quantity: fc.integer({ min: 1, max: 30 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('wait' as const),
      ms: fc.constantFrom(0, 900, seconds(40), minutes(5), minutes(14), minutes(50)),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
)

const troubles = { declineRate: 0.3, shortRate: 0.2, timeoutRate: 0.2, unknownRate: 0.1 }
const subjects: readonly FigureSubject[] = ['orders', 'payments', 'shipping', 'stock']
const always = { fromMs: 0, toMs: Date.UTC(2100, 0) }

const expectAll = async (story: AnalyticsStory): Promise<void> => {
  for (const subject of subjects) {
    for (const granularity of ['minute', 'hour'] as const) {
      const figures = await readFigures(story.reads, subject, { ...always, granularity })
      expectFigures(figures, naiveFigures(story.raw, subject, granularity))
    }
  }
}

describe('the figures', () => {
  it('are those of the raw topics, whatever happens and however often', async () => {
    const arbitrary = fc.tuple(fc.nat(1_000), fc.array(steps, { minLength: 8, maxLength: 40 }))
    await fc.assert(
      fc.asyncProperty(arbitrary, async ([seed, story]) => {
        const shop = new AnalyticsStory({ gateway: { seed, ...troubles } })
        for (const product of [0, 1, 2]) shop.stock(`p${product}`, 5)
        shop.stock('tea', 100)
        for (const step of story) await shop.step(step)
        await shop.end()
        await expectAll(shop)
        shop.driver.restart()
        await expectAll(shop)
        expectLowStock(shop)
        await expectJoin(shop)
      }),
      { numRuns: 8, interruptAfterTimeLimit: 40_000 }, // ends looking for a smaller story,
    )
  }, 60_000)
})

const expectLowStock = ({ driver }: AnalyticsStory): void => {
  const low = [...driver.query(productStore).range()].filter(([, { isLow }]) => isLow)
  const listed = [...driver.query(lowStock).range()]
  expect(listed.map(([key, { onHand, held }]) => [key, onHand, held]).toSorted()).toEqual(
    low.map(([key, { onHand, held }]) => [key, onHand, held]).toSorted(),
  )
}

/** By the operator over the raw topics: who is paid in time, after how long, and who is not. */
const expectJoin = async (story: AnalyticsStory): Promise<void> => {
  const figures = await readFigures(story.reads, 'orders', { ...always, granularity: 'hour' })
  const told = totalsOf(windowsOf(figures, 'delay')).map(({ parts, row: { sums, durations } }) => ({
    label: `${parts['method']}|${parts['currency']}`,
    unpaid: (sums['awaited'] ?? 0) - (sums['paid'] ?? 0),
    paid: sums['paid'] ?? 0,
    sumMs: durations?.['delay']?.sumMs ?? 0,
  }))
  const joined = operatorJoin(story.raw, story.nowMs)
  const wanted = [...new Set(joined.map(({ label }) => label))].toSorted().map((label) => {
    const own = joined.filter((each) => each.label === label)
    const delays = own.flatMap(({ delayMs }) => (delayMs === undefined ? [] : [delayMs]))
    const sumMs = delays.reduce((sum, ms) => sum + ms, 0)
    return { label, unpaid: own.length - delays.length, paid: delays.length, sumMs }
  })
  expect(told).toEqual(wanted)
}

/** All rows of a subject by minute: `<ms since the start> <label>` and the row. */
const byMinute = async (story: AnalyticsStory, subject: FigureSubject, granularity = 'minute') => {
  const range = { ...always, granularity: granularity as Granularity }
  const { windows } = await readFigures(story.reads, subject, range)
  const rows = windows.map(({ startMs, key, row }) => [`${startMs - startOfAll} ${key}`, row])
  return Object.fromEntries(rows) as Record<string, FigureRow>
}

const startOfAll = Date.UTC(2026, 0, 1)

/** One partition, so one stream time. */
const opened = (): AnalyticsStory => {
  const story = new AnalyticsStory({ partitions: 1 })
  story.stock('tea', 100)
  return story
}

describe('windows', () => {
  it('begin with their first millisecond and end before their last', async () => {
    const story = opened()
    story.driver.clock.advanceBy(minutes(1) - 1)
    story.order('o-1', { tea: 1 }, 'transfer')
    story.driver.clock.advanceBy(1)
    story.order('o-2', { tea: 2 }, 'transfer')
    story.driver.clock.advanceBy(minutes(59))
    story.order('o-3', { tea: 4 }, 'transfer')
    expect(await byMinute(story, 'orders')).toMatchObject({
      '0 order|EUR': { sums: { created: 1, units: 1, orderedMinor: 1_250 } },
      '60000 order|EUR': { sums: { created: 1, units: 2 } },
      '3600000 order|EUR': { sums: { created: 1, units: 4 } },
    })
    const byHour = await byMinute(story, 'orders', 'hour')
    expect(byHour['0 order|EUR']?.sums).toMatchObject({ created: 2, units: 3 })
    expect(byHour['3600000 order|EUR']?.sums).toMatchObject({ created: 1, units: 4 })
  })

  it('of minutes are forgotten after two days, of hours not yet', async () => {
    const story = opened()
    story.order('o-1', { tea: 1 }, 'transfer')
    story.driver.jumpWallClock(days(2) - minutes(2))
    story.order('o-2', { tea: 1 }, 'transfer')
    expect(await byMinute(story, 'orders')).toHaveProperty(['0 order|EUR'])
    story.driver.jumpWallClock(minutes(4))
    story.order('o-3', { tea: 1 }, 'transfer')
    expect(await byMinute(story, 'orders')).not.toHaveProperty(['0 order|EUR'])
    expect(await byMinute(story, 'orders', 'hour')).toHaveProperty(['0 order|EUR'])
  })

  it('count what is too old for them, where it came in', async () => {
    const story = opened()
    story.driver.jumpWallClock(days(4))
    story.order('o-1', { tea: 1 }, 'transfer')
    story.driver.clock.stepWallClock(-days(3))
    story.order('o-2', { tea: 1 }, 'transfer')
    const figures = await readFigures(story.reads, 'orders', { ...always, granularity: 'minute' })
    // two facts: that it was created, and that it waits for its money
    expect([windowsOf(figures, 'order').length, lateIn(figures)]).toEqual([1, 2])
    expect(await byMinute(story, 'orders')).toHaveProperty([`${days(4)} late`])
    expect(await byMinute(story, 'orders', 'hour')).toHaveProperty([`${days(1)} order|EUR`])
  })
})

describe('payment delays', () => {
  const delayOf = async (waitMs: number): Promise<FigureRow | undefined> => {
    const story = opened()
    story.order('o-0', { tea: 1 }, 'transfer')
    story.driver.clock.advanceBy(waitMs)
    const data = { orderId: 'o-0', customerId: 'ann', amountMinor: 1_250, currency: 'EUR' } as const
    const origin = { commandId: 'pay', nowMs: story.nowMs, source: 'test' }
    const pay = processPaymentCommand({ ...data, paymentId: 'p', method: 'transfer' }, origin)
    story.driver.pipe(paymentCommands, 'o-0', pay)
    await story.driver.settleEffects()
    await story.end()
    return (await byMinute(story, 'orders'))['0 delay|transfer|EUR']
  }

  it('end with the window of 15 minutes, to the millisecond', async () => {
    const withinMs = minutes(15)
    expect(await delayOf(withinMs)).toMatchObject({
      sums: { awaited: 1, paid: 1 },
      durations: { delay: { count: 1, minMs: withinMs, maxMs: withinMs } },
    })
    expect(await delayOf(withinMs + 1)).toEqual({ sums: { awaited: 1, paidLate: 1 } })
  })
})

describe('the shop without analytics', () => {
  const gateway = () => Promise.reject(new Error('only planned'))
  const planOf = (analytics: boolean) => shopTopology(shopConfig({ gateway, analytics })).plan

  it('has no trace of them, and the same tasks, sources and topics', () => {
    const [whole, without] = [planOf(true), planOf(false)]
    const added = [...whole.stores.keys()].filter((name) => !without.stores.has(name))
    expect(added.toSorted()).toEqual(analyticsStores.map(({ name }) => name).toSorted())
    const shapeOf = (plan: Plan): object =>
      plan.subTopologies.map(({ id, sourceTopics }) => ({ id, sourceTopics }))
    expect(shapeOf(whole)).toEqual(shapeOf(without))
    expect(whole.internalTopics).toEqual(without.internalTopics)
  })
})
