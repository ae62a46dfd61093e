/** Goal: the soak's verdict finds growth under noise, and no growth in noise. */

import { describe, expect, it } from 'vitest'
import { trendOf } from '../../bench/macro/soak-verdict.ts'
import { Prng } from '../../src/index.ts'

const minutes = 30
const sampleSeconds = 5
const count = (minutes * 60) / sampleSeconds

/** A saw between `base` and `base + saw`, growing by so much per sample. */
const series = (base: number, { saw = 0, growth = 0 }): readonly number[] => {
  const prng = new Prng(7)
  return Array.from({ length: count }, (_, i) => base + saw * prng.next() + growth * i)
}

const verdict = (values: readonly number[], slack = 0) =>
  trendOf({ name: 'bytes', slack, values }, sampleSeconds)

describe('the verdict of a soak', () => {
  it('is bounded for what rises and falls', () => {
    expect(verdict(series(1_000, { saw: 400 })).isBounded).toBe(true)
    expect(verdict(series(0, {})).isBounded).toBe(true)
    expect(verdict(series(1_000, { growth: -1 })).isBounded).toBe(true)
  })

  it('is unbounded for what grows by a fifth under such a saw', () => {
    const values = series(1_000, { saw: 400, growth: 250 / count })
    const { isBounded, perHour } = verdict(values)
    expect(isBounded).toBe(false)
    expect(perHour).toBeGreaterThan(400)
    expect(perHour).toBeLessThan(600)
  })

  it('forgives the slack and not more', () => {
    const values = [...Array.from({ length: 20 }, () => 0), ...Array.from({ length: 20 }, () => 4)]
    expect(verdict(values, 4).isBounded).toBe(true)
    expect(verdict(values, 3.9).isBounded).toBe(false)
  })

  it('has the medians of the first and last quarter, and the slope per hour', () => {
    const values = Array.from({ length: 40 }, (_, i) => i)
    expect(verdict(values)).toMatchObject({ first: 4.5, last: 34.5, perHour: 720 })
  })

  it('refuses to judge a moment', () => {
    expect(() => verdict([1, 2, 3])).toThrow(RangeError)
  })
})
