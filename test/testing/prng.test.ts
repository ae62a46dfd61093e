import { describe, expect, it } from 'vitest'
import { Prng } from '../../src/testing/prng.ts'

const draws = (prng: Prng, count: number): number[] =>
  Array.from({ length: count }, () => prng.next())

describe('prng', () => {
  it('gives the same numbers for the same seed, others for another', () => {
    expect(draws(new Prng(7), 50)).toEqual(draws(new Prng(7), 50))
    expect(draws(new Prng(7), 50)).not.toEqual(draws(new Prng(8), 50))
  })

  it('spreads evenly over [0, 1)', () => {
    const counts = Array.from({ length: 10 }, () => 0)
    for (const number of draws(new Prng(1), 100_000)) counts[Math.floor(number * 10)]! += 1
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500)
  })

  it('stays in bounds', () => {
    const prng = new Prng(3)
    const numbers = Array.from({ length: 1000 }, () => prng.int(3))
    expect(new Set(numbers)).toEqual(new Set([0, 1, 2]))
    expect(['a', 'b']).toContain(prng.pick(['a', 'b']))
    expect(() => prng.pick([])).toThrow(RangeError)
    expect(prng.chance(0)).toBe(false)
    expect(prng.chance(1)).toBe(true)
  })

  it('makes version 4 UUIDs and independent forks', () => {
    expect(new Prng(1).uuid()).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    )
    expect(draws(new Prng(1).fork(), 5)).not.toEqual(draws(new Prng(1), 5))
  })
})
