/**
 * Goal: a repartition topic that `to` writes and `stream` reads is the application's own, so a
 * record may go back to an earlier step. Method: a countdown that sends each number round until it
 * is 0, in the driver; the plan's topics and partition counts; what is refused.
 */

import { expect, test } from 'vitest'
import {
  branch,
  json,
  keyValueStore,
  process,
  repartitionBy,
  repartitionTopic,
  stream,
  to,
  topology,
  utf8,
} from '../../src/index.ts'
import { internalTopics, partitionCounts } from '../../src/runtime/internal-topics.ts'
import { TopologyDriver } from '../../src/testing/index.ts'
import { codeOf, numbers, others, out } from '../topology/shared.ts'

const rounds = repartitionTopic('rounds', { key: utf8, value: json<number>() })
const turns = keyValueStore('turns', { key: utf8, value: json<number>() })

/** Counts down by one per round; the number of rounds of each key comes out. */
const countdown = topology('countdown', () => {
  const { again, done } = branch(
    stream(rounds).pipe(
      process(
        'turn',
        { turns },
        {
          onRecord({ key, value }, stores) {
            stores.turns.put(key, (stores.turns.get(key) ?? 0) + 1)
            return [value - 1]
          },
        },
      ),
    ),
    { again: ({ value }) => value > 0, done: () => true },
  )
  return [
    stream(numbers).pipe(to(rounds)),
    again.pipe(to(rounds, ({ key }) => `${key}'`)),
    done.pipe(to(out)),
  ]
})

test('records go round through the topic, each time under the key it is written with', () => {
  const driver = new TopologyDriver(countdown, { partitions: 3 })
  driver.pipe(numbers, 'a', 3)
  driver.pipe(numbers, 'b', 1)
  expect(driver.read(out).map(({ key, value }) => [key, value])).toEqual([
    [`a''`, 0],
    ['b', 0],
  ])
  const counted = ['a', `a'`, `a''`, 'b'].map((key) => driver.query(turns).get(key))
  expect(counted).toEqual([1, 1, 1, 1])
})

test('the topic is internal, and gets as many partitions as what feeds the loop', () => {
  const { plan } = countdown
  expect(plan.internalTopics).toEqual(['rounds'])
  const counts = partitionCounts(plan, (name) => (name === 'numbers' ? 5 : undefined))
  const made = internalTopics({ applicationId: 'app', plan, deadLetterTopic: 'dead' }, counts)
  expect(made.map(({ name, partitions }) => [name, partitions])).toEqual([
    ['app-rounds-repartition', 5],
    ['app-turns-changelog', 5],
  ])
})

test('several branches may write the topic that repartitionBy reads', () => {
  const both = topology('both', () => [
    stream(numbers).pipe(
      repartitionBy(rounds, ({ key }) => key),
      to(out),
    ),
    stream(others).pipe(to(rounds)),
  ])
  const driver = new TopologyDriver(both)
  driver.pipe(numbers, 'k', 1)
  driver.pipe(others, 'k', 2)
  expect(driver.values(out)).toEqual([1, 2])
})

test.each<[string, () => unknown]>([
  ['written and never read', () => topology('t', () => [stream(numbers).pipe(to(rounds))])],
  ['read and never written', () => topology('t', () => [stream(rounds).pipe(to(out))])],
])('refused: a repartition topic that is %s', (_, build) => {
  expect(codeOf(build)).toBe('STREAMS_TOPOLOGY_INVALID')
})
