/** Goal: the examples for people who come from Kafka Streams or RxJS do what the guides say. */

import { describe, expect, test } from 'vitest'
import { amounts, forgetful, remembering, sums } from '../../docs/examples/hidden-state.ts'
import { orders, outcomes, paidOrExpired, payments } from '../../docs/examples/paid-or-expired.ts'
import { alarmCounts, alarms, readings, thermometer } from '../../docs/examples/rxjs-steps.ts'
import { minutes } from '../../src/index.ts'
import { TopologyDriver } from '../../src/testing/index.ts'

test('an order is paid or expired, never both', () => {
  const driver = new TopologyDriver(paidOrExpired)
  const at = (minute: number) => ({ timestampMs: minutes(minute) })
  driver.pipe(orders, 'o1', 5, at(0))
  driver.pipe(orders, 'o2', 5, at(0))
  driver.pipe(payments, 'o1', 5, at(15))
  driver.restart()
  driver.pipe(orders, 'o3', 5, at(17))
  driver.pipe(payments, 'o2', 5, at(15)) // too late
  const seen = driver.read(outcomes).map(({ key, value }) => [key, value])
  expect(seen).toEqual([
    ['o1', 'paid'],
    ['o2', 'expired'],
  ])
})

describe('plain RxJS', () => {
  test('steps run once before two sinks', () => {
    const driver = new TopologyDriver(thermometer, { partitions: 2 })
    driver.pipe(readings, 'oven', { celsius: 120 })
    driver.pipe(readings, 'desk', { celsius: 21 })
    driver.restart()
    expect(driver.values(alarms)).toEqual(['120 °C'])
    expect(driver.query(alarmCounts).get('oven')).toBe(1)
    expect(driver.query(alarmCounts).get('desk')).toBeUndefined()
  })

  test.each([
    [forgetful, [5, 12], [5, 7]],
    [remembering, [5, 12], [5, 12]],
  ])('hidden state shows when the pipeline is rebuilt', (topology, once, rebuilt) => {
    const seen = [false, true].map((rebuildBeforeEachRecord) => {
      const driver = new TopologyDriver(topology, { rebuildBeforeEachRecord })
      for (const amount of [5, 7]) driver.pipe(amounts, 'a', amount)
      return driver.values(sums)
    })
    expect(seen).toEqual([once, rebuilt])
  })
})
