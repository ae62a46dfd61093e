import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { Prng } from '../../src/testing/prng.ts'
import { TokenBucket } from '../../topologies/shop/gateway/token-bucket.ts'

const open = (perSec: number, burst: number) => {
  const clock = new ManualClock()
  const bucket = new TokenBucket({ perSec, burst, nowMs: () => clock.monotonicMs() })
  return { clock, bucket }
}

describe('a token bucket', () => {
  it('lets a burst through, then one per interval, in the order they came', () => {
    const { clock, bucket } = open(10, 3)
    const waits = ['a', 'b', 'c', 'd', 'e'].map((name) => bucket.take(name))
    expect(waits).toEqual([0, 0, 0, 100, 200])
    clock.advanceBy(50)
    expect([bucket.take('d'), bucket.take('e'), bucket.take('f')]).toEqual([50, 150, 250])
    clock.advanceBy(50)
    expect([bucket.take('d'), bucket.take('e')]).toEqual([0, 100])
    clock.advanceBy(100)
    expect(bucket.take('e')).toBe(0)
    expect(bucket.take('e')).toBe(200) // a new call of the same name, behind f
  })

  it('fills up again while nobody comes, to the burst and no more', () => {
    const { clock, bucket } = open(10, 3)
    for (const name of ['a', 'b', 'c']) bucket.take(name)
    clock.advanceBy(60_000)
    expect(['d', 'e', 'f', 'g'].map((name) => bucket.take(name))).toEqual([0, 0, 0, 100])
  })

  it('stands still during a pause, and turns keep their distance', () => {
    const { clock, bucket } = open(10, 1)
    expect(['a', 'b', 'c'].map((name) => bucket.take(name))).toEqual([0, 100, 200])
    clock.advanceBy(40)
    bucket.pause(1_000)
    expect([bucket.take('b'), bucket.take('d')]).toEqual([1_060, 1_260])
    clock.advanceBy(500)
    bucket.pause(100) // shorter than the one under way
    bucket.pause(700)
    expect(bucket.take('b')).toBe(760)
    clock.advanceBy(760)
    expect([bucket.take('b'), bucket.take('c'), bucket.take('d')]).toEqual([0, 100, 200])
  })

  it('without a rate has pauses only', () => {
    const { clock, bucket } = open(Number.POSITIVE_INFINITY, 1)
    expect(['a', 'b', 'c'].map((name) => bucket.take(name))).toEqual([0, 0, 0])
    bucket.pause(300)
    expect(bucket.take('d')).toBe(300)
    clock.advanceBy(300)
    expect(['d', 'e'].map((name) => bucket.take(name))).toEqual([0, 0])
  })

  /** Callers come back when told; in no stretch of time more go than burst + rate × time. */
  it.each([1, 2, 3, 4, 5])('never lets more through than its rate, seed %i', (seed) => {
    const prng = new Prng(seed)
    const [perSec, burst] = [50, 5]
    const { clock, bucket } = open(perSec, burst)
    const due = new Map(Array.from({ length: 60 }, (_, i) => [`n${i}`, prng.next() * 500]))
    const goneAtMs: number[] = []
    while (due.size > 0) {
      const [name, atMs] = [...due].reduce((first, each) => (each[1] < first[1] ? each : first))
      clock.advanceBy(Math.max(0, atMs - clock.monotonicMs()))
      if (prng.next() < 0.03) bucket.pause(prng.next() * 400)
      const waitMs = bucket.take(name)
      if (waitMs === 0) goneAtMs.push(clock.monotonicMs())
      if (waitMs === 0) due.delete(name)
      else due.set(name, clock.monotonicMs() + waitMs)
    }
    expect(goneAtMs).toHaveLength(60)
    for (let from = 0; from < 60; from++) {
      for (let to = from; to < 60; to++) {
        const allowed = burst + (perSec * (goneAtMs[to]! - goneAtMs[from]!)) / 1_000
        expect(to - from + 1).toBeLessThanOrEqual(allowed + 1e-6)
      }
    }
  })
})
