/** Goal: each operator by its visible effect, with its edge cases. */

import { expect, test } from 'vitest'
import {
  aggregate,
  filter,
  joinTable,
  json,
  keyValueStore,
  mapValues,
  merge,
  nullable,
  peek,
  process,
  repartitionBy,
  repartitionTopic,
  stream,
  table,
  tableStore,
  to,
  topic,
  topology,
  utf8,
} from '../../src/index.ts'
import { checkCopartitions } from '../../src/topology/sub-topology.ts'
import { TopologyRunner } from '../topology/run-topology.ts'
import { codeOf, numbers, others, out, runnerOf, second } from '../topology/shared.ts'

interface Order {
  readonly customer: string
  readonly cents: number
}

const orders = topic('orders', { key: utf8, value: json<Order>() })
const byCustomer = repartitionTopic('by-customer', { key: utf8, value: json<Order>() })
const perCustomer = keyValueStore('per-customer', { key: utf8, value: json<number>() })

const spending = topology('spending', () => [
  stream(orders).pipe(
    repartitionBy(byCustomer, ({ value }) => value.customer),
    aggregate(
      perCustomer,
      () => 0,
      (sum, { cents }) => sum + cents,
    ),
    to(out),
  ),
])

test('repartitionBy splits the topology and rekeys', () => {
  const { subTopologies, internalTopics } = spending.plan
  expect(subTopologies.map(({ nodes }) => nodes.map(({ name }) => name))).toEqual([
    ['orders', 'to-by-customer-repartition'],
    ['by-customer-repartition', 'per-customer', 'to-out'],
  ])
  expect(subTopologies.map(({ sourceTopics, sinkTopics }) => [sourceTopics, sinkTopics])).toEqual([
    [['orders'], ['by-customer']],
    [['by-customer'], ['out']],
  ])
  expect(internalTopics).toEqual(['by-customer'])
  const runner = new TopologyRunner(spending)
  runner.pipe(orders, 'o1', { customer: 'ann', cents: 5 }, 7)
  runner.pipe(orders, 'o2', { customer: 'ann', cents: 7 }, 8)
  expect(runner.read(out)).toMatchObject([
    { key: 'ann', value: 5, timestampMs: 7 },
    { key: 'ann', value: 12, timestampMs: 8 },
  ])
})

test('aggregate drops and counts records without a key, and survives a restart', async () => {
  const runner = new TopologyRunner(
    topology('t', () => [
      stream(numbers).pipe(
        aggregate(
          perCustomer,
          () => 0,
          (a, b) => a + b,
        ),
        to(out),
      ),
    ]),
  )
  runner.pipe(numbers, undefined, 1)
  expect(runner.dropped).toEqual(['per-customer nullKey'])
  runner.pipe(numbers, 'k', 2)
  await runner.restart()
  runner.pipe(numbers, 'k', 3)
  expect(runner.values(out)).toEqual([2, 5])
})

test('aggregate keeps null as a value of its own', () => {
  const nulls = keyValueStore('nulls', { key: utf8, value: json<number | null>() })
  const seen: (number | null)[] = []
  const runner = new TopologyRunner(
    topology('t', () => [
      stream(numbers).pipe(
        aggregate(
          nulls,
          (): number | null => 0,
          (stored) => {
            seen.push(stored)
            return null
          },
        ),
      ),
    ]),
  )
  for (let i = 0; i < 2; i++) runner.pipe(numbers, 'k', 1)
  expect(seen).toEqual([0, null])
})

const names = topic('names', { key: utf8, value: json<string>() })
const nameTable = tableStore('name-table', { key: utf8, value: json<string>() })
const greetings = topic('greetings', { key: utf8, value: json<string>() })

const greet = topology('greet', () => {
  const nameOf = table(names, nameTable)
  return [
    stream(numbers).pipe(
      joinTable(nameOf, (n, name) => `${name} ${n}`),
      to(greetings),
    ),
  ]
})

test('joinTable looks up the latest value; null deletes; only the stream side triggers', () => {
  expect(greet.plan.subTopologies).toHaveLength(1)
  const runner = new TopologyRunner(greet)
  runner.pipe(numbers, 'k', 1)
  runner.pipe(names, 'k', 'Ann')
  runner.pipe(numbers, 'k', 2)
  runner.pipe(names, 'k', 'Bob')
  runner.pipe(numbers, 'k', 3)
  runner.pipe(names, 'k', undefined)
  runner.pipe(numbers, 'k', 4)
  expect(runner.values(greetings)).toEqual(['Ann 2', 'Bob 3'])
})

test('table and joinTable drop and count records without a key', () => {
  const runner = new TopologyRunner(greet)
  runner.pipe(names, undefined, 'Ann')
  runner.pipe(numbers, undefined, 1)
  expect(runner.dropped).toEqual(['name-table nullKey', 'join-table-1 nullKey'])
})

test('a table source accepts null, a stream only with a nullable serde', () => {
  const maybe = topic('maybe', { key: utf8, value: nullable(json<number>()) })
  const { plan } = topology('t', () => {
    table(names, nameTable)
    return [stream(numbers), stream(maybe)]
  })
  const accepting = plan.nodes.filter(({ acceptsNull }) => acceptsNull).map(({ name }) => name)
  expect(accepting).toEqual(['names', 'maybe'])
})

test('topics that meet in a store must have the same partition count', () => {
  const [sub] = greet.plan.subTopologies
  expect(sub?.copartitionGroups).toEqual([['names', 'numbers']])
  expect(() => checkCopartitions(sub!, (name) => (name === 'names' ? 3 : 4))).toThrow(
    'names has 3, numbers has 4 partitions',
  )
  expect(codeOf(() => checkCopartitions(sub!, () => 3))).toBe('nothing was thrown')
})

test('topics that meet in a merge without a store need not', () => {
  const { plan } = topology('t', () => [merge(stream(numbers), stream(others)).pipe(to(out))])
  expect(plan.subTopologies[0]?.copartitionGroups).toEqual([])
  const merged = topology('t', () => [
    merge(stream(numbers), stream(others)).pipe(
      aggregate(
        perCustomer,
        () => 0,
        (a) => a,
      ),
    ),
  ])
  expect(merged.plan.subTopologies[0]?.copartitionGroups).toEqual([['numbers', 'others']])
})

test('a topic written here and read here is no edge: its records go through the broker', () => {
  const { plan } = topology('t', () => [
    stream(numbers).pipe(to(out)),
    stream(out).pipe(to(second)),
  ])
  expect(plan.subTopologies.map(({ sourceTopics }) => sourceTopics)).toEqual([['numbers'], ['out']])
})

test('nodes that share a store are one sub-topology', () => {
  const { plan } = topology('t', () =>
    [numbers, others].map((input) =>
      stream(input).pipe(
        process(`p-${input.name}`, { perCustomer }, { onRecord: () => [1] }),
        to(out),
      ),
    ),
  )
  expect(plan.subTopologies).toHaveLength(1)
  expect(plan.subTopologies[0]?.copartitionGroups).toEqual([['numbers', 'others']])
  expect(plan.nodes.filter(({ role }) => role === 'sink').map(({ name }) => name)).toEqual([
    'to-out',
    'to-out-2',
  ])
})

test('to writes under another key where it is told to; timestamp and value stay', () => {
  const runner = new TopologyRunner(
    topology('t', () => [
      stream(orders).pipe(to(byCustomerOut, ({ key, value }) => `${value.customer}/${key}`)),
    ]),
  )
  runner.pipe(orders, 'o1', { customer: 'ann', cents: 5 }, 3)
  expect(runner.read(byCustomerOut)).toMatchObject([
    { key: 'ann/o1', value: { customer: 'ann', cents: 5 }, timestampMs: 3 },
  ])
})

const byCustomerOut = topic('by-customer-out', { key: utf8, value: json<Order>() })

test('an output that its serde refuses fails the record', () => {
  const runner = runnerOf(($) => $.pipe(mapValues(() => (() => 1) as unknown as number)))
  expect(runner.pipe(numbers, 'k', 1)).toMatchObject({ node: 'to-out' })
  expect(runner.values(out)).toEqual([])
})

test('filter drops, peek sees what passes and its throw fails the record', () => {
  const seen: number[] = []
  const runner = runnerOf(($) =>
    $.pipe(
      filter(({ value }) => value > 1),
      peek(({ value }) => {
        if (value === 3) throw new Error('no')
        seen.push(value)
      }),
    ),
  )
  expect([1, 2, 3, 4].map((value) => runner.pipe(numbers, 'k', value)?.node)).toEqual([
    undefined,
    undefined,
    'peek-1',
    undefined,
  ])
  expect([seen, runner.values(out)]).toEqual([
    [2, 4],
    [2, 4],
  ])
})

test('an aggregate carries the time of the record, in a table store the highest', () => {
  const rows = tableStore('timed', { key: utf8, value: json<number>() })
  const add = (a: number, b: number): number => a + b
  for (const [store, times] of [
    [perCustomer, [9, 5]],
    [rows, [9, 9]],
  ] as const) {
    const runner = runnerOf((numbers$) => numbers$.pipe(aggregate(store, () => 0, add)))
    runner.pipe(numbers, 'k', 1, 9)
    runner.pipe(numbers, 'k', 2, 5)
    expect(runner.read(out).map(({ timestampMs }) => timestampMs)).toEqual(times)
  }
})
