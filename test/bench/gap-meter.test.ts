/** Goal: gaps are counted whole, to the partition and the stretch they are in. */

import { expect, test } from 'vitest'
import { GapMeter } from '../../bench/load/gap-meter.ts'

test('the longest gap of each partition, open ones and those over a border too', () => {
  const meter = new GapMeter(2, 1_000)
  for (const ms of [1_010, 1_020, 1_050, 1_060]) meter.seen(0, ms)
  expect(meter.take(1_070)).toEqual([30, 70])
  meter.seen(1, 1_080)
  meter.seen(0, 1_090)
  meter.seen(1, 1_091)
  expect(meter.take(1_092)).toEqual([30, 80])
  expect(meter.take(1_094)).toEqual([4, 3])
})
