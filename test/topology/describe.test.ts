/** Goal: text, JSON and diagram of a plan, as reviews, the API and READMEs see them. */

import { expect, test } from 'vitest'
import {
  aggregate,
  describe,
  describeJson,
  filter,
  json,
  keyValueStore,
  mermaid,
  process,
  repartitionBy,
  repartitionTopic,
  stream,
  to,
  topic,
  topology,
  utf8,
} from '../../src/index.ts'
import { awaitingPayment, orderPayment } from '../operators/order-payment.ts'
import { numbers, out, second } from './shared.ts'

test('describe() has the shape of Kafka Streams', () => {
  expect(awaitingPayment.name).toBe('awaiting-payment')
  expect(describe(orderPayment.plan)).toBe(`\
Topology: order-payment
  Sub-topology: 0
    Source: payments (topics: [payments])
      --> awaiting-payment
    Source: orders (topics: [orders])
      --> filter-1
    Processor: filter-1 (stores: [])
      --> awaiting-payment
      <-- orders
    Processor: awaiting-payment (stores: [awaiting-payment])
      --> of-kind-1, of-kind-2, to-settlements
      <-- filter-1, payments
    Processor: of-kind-1 (stores: [])
      --> settled-totals
      <-- awaiting-payment
    Processor: settled-totals (stores: [settled-totals])
      --> none
      <-- of-kind-1
    Processor: of-kind-2 (stores: [])
      --> map-values-1
      <-- awaiting-payment
    Processor: map-values-1 (stores: [])
      --> to-cancellations
      <-- of-kind-2
    Sink: to-settlements (topic: settlements)
      <-- awaiting-payment
    Sink: to-cancellations (topic: cancellations)
      <-- map-values-1
`)
})

const through = repartitionTopic('through', { key: utf8, value: json<number>() })
const totals = keyValueStore('totals.all', { key: utf8, value: json<number>() })

/** Three sub-topologies: a repartition topic and the external topic `out` connect them. */
const connected = topology('connected', () => [
  stream(numbers).pipe(
    repartitionBy(through, ({ value }) => `${value}`),
    aggregate(
      totals,
      () => 0,
      (a, b) => a + b,
    ),
    to(out),
  ),
  stream(out).pipe(
    filter(() => true),
    to(second),
  ),
])

test('the diagram draws each topic once, so that it connects who writes and who reads it', () => {
  expect(mermaid(connected.plan)).toBe(`\
flowchart LR
  topic_numbers([numbers])
  topic_through([through-repartition])
  topic_out([out])
  topic_second([second])
  subgraph sub1 [Sub-topology 1]
    n3[totals.all]
    store_totals_2e_all[(totals.all)]
  end
  subgraph sub2 [Sub-topology 2]
    n6[filter-1]
  end
  topic_numbers ==> topic_through
  topic_through ==> n3
  n3 --> topic_out
  topic_out --> n6
  n6 --> topic_second
  n3 -.- store_totals_2e_all
`)
})

test('identifiers of the diagram never collide, and odd names are quoted', () => {
  const names = ['a.b', 'a_b', 'a--b', 'a (b)', 'a"b']
  const { plan } = topology('odd', () =>
    names.map((name) => stream(topic(name, { key: utf8, value: json<number>() }))),
  )
  const lines = mermaid(plan).split('\n').slice(1, -1)
  expect(new Set(lines.map((line) => line.split('(')[0])).size).toBe(names.length)
  expect(lines[3]).toBe('  topic_a_20__28_b_29_(["a (b)"])')
  expect(lines[4]).toContain('["a#quot;b"]')
})

test('two sinks of one topic are one arrow', () => {
  const { plan } = topology('t', () => {
    const numbers$ = stream(numbers).pipe(process('p', {}, { onRecord: () => [1] }))
    return [numbers$.pipe(to(out)), numbers$.pipe(to(out))]
  })
  expect(mermaid(plan).match(/--> topic_out/g)).toHaveLength(1)
})

test('the JSON holds names only and survives a round trip', () => {
  const plan = describeJson(connected.plan)
  expect(JSON.parse(JSON.stringify(plan))).toEqual(plan)
  expect(plan).toMatchObject({
    name: 'connected',
    subTopologies: [
      {
        id: 0,
        stores: [],
        nodes: [
          {
            name: 'numbers',
            role: 'source',
            topic: 'numbers',
            formats: { key: 'utf8', value: 'json' },
          },
          {
            name: 'to-through-repartition',
            kind: 'repartition',
            role: 'sink',
            internalTopic: true,
            topic: 'through-repartition',
          },
        ],
      },
      {
        id: 1,
        stores: [
          {
            name: 'totals.all',
            kind: 'key-value',
            layout: 'key-value/1 key=utf8 value=json',
          },
        ],
      },
      { id: 2 },
    ],
  })
})

test('a plan is the same every time', () => {
  const again = topology('connected', connected.define)
  expect([describe(again.plan), mermaid(again.plan), describeJson(again.plan)]).toEqual([
    describe(connected.plan),
    mermaid(connected.plan),
    describeJson(connected.plan),
  ])
})
