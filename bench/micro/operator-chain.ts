/**
 * What five stateless nodes cost per record, with every guard of the kernel on.
 *
 * Goal: ≤ 300 ns per record. Method: mapValues, filter, mapValues, filter, mapValues in a task
 * scope, each with a function of its own (user code differs per node: calls are not monomorphic);
 * the gate is opened and shut per record as a task does; a warm-up, then 15 rounds, fastest and
 * median. The same chain as bare closures is the floor.
 */

import {
  filter,
  json,
  mapValues,
  stream,
  to,
  topic,
  topology,
  type TopologyError,
  utf8,
} from '../../src/index.ts'
import { noHeaders, StreamRecord } from '../../src/record.ts'
import { TaskScope, type TaskServices } from '../../src/topology/task-scope.ts'
import { report } from '../report.ts'

type Item = StreamRecord<string, number>
type Push = (record: Item) => void

const numbers = topic('numbers', { key: utf8, value: json<number>() })
const out = topic('out', { key: utf8, value: json<number>() })
const depth = 5
const adders = Array.from(
  { length: depth },
  (_, index) => new Function('value', `return value + ${index}`) as (value: number) => number,
)
const checks = Array.from(
  { length: depth },
  (_, index) =>
    new Function('record', `return record.value >= ${index - depth}`) as (record: Item) => boolean,
)

let staged = 0

const kernel = (): Push => {
  const chain = topology('chain', () => [
    adders
      .reduce(
        ($, add, index) =>
          index % 2 === 0 ? $.pipe(mapValues(add)) : $.pipe(filter(checks[index]!)),
        stream(numbers),
      )
      .pipe(to(out)),
  ])
  const services: TaskServices = {
    plan: chain.plan,
    sub: chain.plan.subTopologies[0]!,
    taskId: '0_0',
    partition: 0,
    open: () => {
      throw new Error('no store here')
    },
    globalRows: () => {
      throw new Error('no global table here')
    },
    stage: () => {
      staged += 1
    },
    streamTimeMs: () => 0,
    nowMs: () => 0,
    latestNowMs: () => 0,
    caughtUpToMs: () => 0,
    report: (fault: TopologyError) => {
      throw fault
    },
    countDropped: () => {},
    requestEffect: () => {},
  }
  const scope = new TaskScope(services)
  scope.build(chain.define)
  const source = scope.source('numbers')!
  const { gate } = scope
  return (record) => {
    gate.phase = 'open'
    source.emit(record)
    gate.phase = 'idle'
  }
}

const closures = (): Push =>
  adders.reduceRight<Push>(
    (next, add, index) =>
      index % 2 === 0
        ? (record) => next(record.withValue(add(record.value)))
        : (record) => {
            if (checks[index]!(record)) next(record)
          },
    () => {
      staged += 1
    },
  )

const roundRecords = 300_000

const round = (push: Push): number => {
  const startMs = performance.now()
  for (let i = 0; i < roundRecords; i++) push(new StreamRecord('key', i, i, noHeaders))
  return ((performance.now() - startMs) / roundRecords) * 1e6
}

const measure = (push: Push): { readonly fastest: number; readonly median: number } => {
  round(push)
  round(push)
  const rounds = Array.from({ length: 15 }, () => round(push)).sort((a, b) => a - b)
  return { fastest: rounds[0]!, median: rounds[7]! }
}

const chain = measure(kernel())
const floor = measure(closures())
if (staged !== 17 * 2 * roundRecords) throw new Error(`${staged} records arrived`)
report({
  name: 'operator-chain',
  figures: {
    nsPerRecord: chain.median,
    nsPerRecordFastest: chain.fastest,
    recordsPerSec: 1e9 / chain.median,
    closuresNsPerRecord: floor.median,
  },
  note: 'five nodes: mapValues, filter, mapValues, filter, mapValues, and a sink',
})
