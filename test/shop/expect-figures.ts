/** Compares figures as the analytics tell them with what the raw topics say. */

import { expect } from 'vitest'
import { type DurationSketch, quantileMs } from '../../topologies/shop/analytics/duration-sketch.ts'
import type { Figures } from '../../topologies/shop/analytics/read-figures.ts'
import {
  naiveDelays,
  type NaiveFigure,
  type NaiveFigures,
  naiveOrders,
  naivePayments,
  naiveQuantile,
  naiveShipping,
  naiveStock,
  type RawTopics,
} from './naive-figures.ts'
import type { FigureSubject } from '../../topologies/shop/analytics/read-figures.ts'
import type { Granularity } from '../../topologies/shop/analytics/stores.ts'

const windowMsOf: Readonly<Record<Granularity, number>> = { minute: 60_000, hour: 3_600_000 }
const shares = [0, 0.5, 0.95, 0.99, 1]
const errorMax = 0.045

export const naiveFigures = (
  raw: RawTopics,
  subject: FigureSubject,
  granularity: Granularity,
): NaiveFigures => {
  const windowMs = windowMsOf[granularity]
  if (subject === 'payments') return naivePayments(raw, windowMs)
  if (subject === 'shipping') return naiveShipping(raw, windowMs)
  if (subject === 'stock') return naiveStock(raw, windowMs)
  return { ...naiveOrders(raw, windowMs), ...naiveDelays(raw, windowMs) }
}

/** The same windows, sums and counts; quantiles within their error. */
export const expectFigures = ({ windows }: Figures, naive: NaiveFigures): void => {
  const told = Object.fromEntries(
    windows.map(({ startMs, key, row }) => [`${startMs} ${key}`, row]),
  )
  const exact = Object.fromEntries(
    Object.entries(told).map(([name, { sums, durations = {} }]) => [
      name,
      { sums, durations: mapped(durations, exactOf) },
    ]),
  )
  const wanted = Object.fromEntries(
    Object.entries(naive).map(([name, { sums, durationsMs }]) => [
      name,
      { sums, durations: mapped(durationsMs, naiveExactOf) },
    ]),
  )
  expect(exact).toEqual(wanted)
  for (const [name, figure] of Object.entries(naive)) expectQuantiles(told[name]!.durations, figure)
}

const mapped = <T, U>(
  named: Readonly<Record<string, T>>,
  map: (value: T) => U,
): Record<string, U> =>
  Object.fromEntries(Object.entries(named).map(([name, value]) => [name, map(value)]))

const exactOf = ({ count, sumMs, minMs, maxMs }: DurationSketch): object => ({
  count,
  sumMs,
  minMs,
  maxMs,
})

const naiveExactOf = (durationsMs: readonly number[]): object => ({
  count: durationsMs.length,
  sumMs: durationsMs.reduce((sum, ms) => sum + ms, 0),
  minMs: Math.min(...durationsMs),
  maxMs: Math.max(...durationsMs),
})

const expectQuantiles = (
  sketches: Readonly<Record<string, DurationSketch>> = {},
  { durationsMs }: NaiveFigure,
): void => {
  for (const [name, list] of Object.entries(durationsMs)) {
    for (const share of shares) {
      const [told, wanted] = [quantileMs(sketches[name]!, share), naiveQuantile(list, share)]
      // half a ms: what is told is rounded
      expect(Math.abs(told - wanted)).toBeLessThanOrEqual(wanted * errorMax + 0.5)
    }
  }
}
