/**
 * Goal: the cached ISO text is what Date says, whatever was asked before.
 * Method: random sequences of times, near and far, compared with Date.
 */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isoTime } from '../../topologies/shop/shared/iso-time.ts'

const time = fc.oneof(
  fc.integer({ min: -8.64e15, max: 8.64e15 }),
  fc.integer({ min: 1_795_000_000_000, max: 1_795_000_002_000 }),
  fc.double({ min: -3_000, max: 3_000, noNaN: true }),
)

test('isoTime equals Date.toISOString', () => {
  fc.assert(
    fc.property(fc.array(time, { minLength: 1, maxLength: 20 }), (times) => {
      for (const timeMs of times) expect(isoTime(timeMs)).toBe(new Date(timeMs).toISOString())
    }),
    { numRuns: 2_000 },
  )
})

test('isoTime refuses what a Date cannot hold', () => {
  expect(() => isoTime(8.64e15 + 2_000)).toThrow(RangeError)
})
