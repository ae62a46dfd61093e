/** What changed between two topologies, each difference with its consequence. */

import { expect, test } from 'vitest'
import {
  count,
  describeJson,
  json,
  keyValueStore,
  mapValues,
  process,
  repartitionBy,
  repartitionTopic,
  stream,
  to,
  topology,
  type Topology,
  utf8,
} from '../../src/index.ts'
import { compareTopologies } from '../../src/topology/compare-topologies.ts'
import { differenceText, type TopologyDifference } from '../../src/topology/topology-difference.ts'
import { shapeOf } from '../../src/topology/topology-shape.ts'
import { numbers, out, second } from './shared.ts'

const rows = { key: utf8, value: json<number>() }

const differences = (was: Topology, is: Topology): readonly TopologyDifference[] =>
  compareTopologies(shapeOf(describeJson(was.plan)), shapeOf(describeJson(is.plan)))

const briefly = (was: Topology, is: Topology): readonly string[] =>
  differences(was, is).map(
    ({ what, name, was: old, is: now, consequence }) =>
      `${consequence}: ${what} ${name} ${old || '-'} > ${now || '-'}`,
  )

const counting = (...names: readonly string[]): Topology =>
  topology('counting', () => {
    const numbers$ = stream(numbers)
    return names.map((name) => numbers$.pipe(count(keyValueStore(name, rows))))
  })

const layout = 'key-value/1 key=utf8 value=json'

test('the same topology has none', () => {
  expect(differences(counting('a', 'b'), counting('a', 'b'))).toEqual([])
})

test('of several new stores the most similar one is asked about', () => {
  const [gone] = differences(counting('orders'), counting('totals', 'order', 'sums'))
  expect(gone!.advice).toMatch(/^renamed to order\? keep the name orders/)
})

test('a new store with nothing in common is not, among several', () => {
  const [gone] = differences(counting('orders'), counting('payment-totals', 'clicks'))
  expect(gone!.advice).toMatch(/^keep the name orders/)
})

test('nodes come and go by name; those of a process keep schedules', () => {
  const store = keyValueStore('kept', rows)
  const plain = topology('t', () => [stream(numbers).pipe(to(out))])
  const more = topology('t', () => [
    stream(numbers).pipe(
      mapValues((value) => value + 1),
      process('checks', { store }, { onRecord: ({ value }) => [value] }),
      to(second),
    ),
  ])
  expect(briefly(plain, more)).toEqual([
    `safe: store kept - > ${layout}`,
    `safe: sink ${out.name} key=utf8 value=json > -`,
    `safe: sink ${second.name} - > key=utf8 value=json`,
    'safe: node map-values-1 - > map-values',
    'safe: node checks - > process',
  ])
  const effects = differences(more, plain).map(({ name, effect }) => `${name}: ${effect}`)
  expect(effects).toContain('checks: its punctuation schedules end')
})

test('a repartition topic with other serdes misreads what is on its way', () => {
  const through = (value: typeof rows.value): Topology =>
    topology('t', () => [
      stream(numbers).pipe(
        repartitionBy(repartitionTopic('by-value', { key: utf8, value }), (record) => record.key),
        to(out),
      ),
    ])
  const [changed] = differences(through(rows.value), through({ ...rows.value, format: 'cents' }))
  expect(changed).toMatchObject({
    what: 'repartition topic',
    name: 'by-value-repartition',
    consequence: 'losesState',
  })
})

test('sources that get other numbers are told', () => {
  const one = () => stream(numbers).pipe(to(second))
  const other = () => stream(out).pipe(to(second))
  const [before, after] = [topology('t', () => [one()]), topology('t', () => [other(), one()])]
  expect(briefly(before, after)).toContain(
    `safe: source ${numbers.name} sub-topology 0 > sub-topology 1`,
  )
})

test('a difference is one line that says what to do', () => {
  const [gone, added] = differences(counting('a'), counting('b')).map((one) => differenceText(one))
  expect(gone).toBe(
    `store a is gone (it was ${layout}): its rows are left behind; renamed to b? keep the name a, `
      + 'use a new application id, or start once with --accept-topology-change, which drops the '
      + 'rows for good',
  )
  expect(added).toBe(`store b is new (${layout}): it begins empty`)
})
