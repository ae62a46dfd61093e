/** What happens to a topology in one run, and what is seen of it. */

import fc from 'fast-check'
import type { StreamRecord } from '../../src/index.ts'
import type { PartitionRead } from '../../src/queries/partition-read.ts'
import { readRows } from '../../src/queries/read-rows.ts'
import { rowShapeOf } from '../../src/queries/row-shape.ts'
import { timestampMsMax } from '../../src/record.ts'
import type { StoreQuery } from '../../src/runtime/queries.ts'
import type { Store } from '../../src/stores/store.ts'
import { TopologyDriver } from '../../src/testing/index.ts'
import type { Family, Value } from './family.ts'

export interface Step {
  /** Index among the inputs of the family, modulo their number. */
  readonly input: number
  readonly key: string
  readonly value: Value
  readonly timestampMs: number
  /** Of the wall clock, before the record. */
  readonly advanceMs: number
}

/** `é` is two bytes, and before it in no other order than that of bytes. */
export const keys = ['a', 'b', 'é', 'd'] as const

const step = (timestampMs: fc.Arbitrary<number>): fc.Arbitrary<Step> =>
  fc.record({
    input: fc.nat(1),
    key: fc.constantFrom(...keys),
    value: fc.oneof(
      { arbitrary: fc.nat(20), weight: 5 },
      { arbitrary: fc.constant(undefined), weight: 1 },
    ),
    timestampMs,
    advanceMs: fc.constantFrom(0, 0, 0, 15),
  })

/** Times go up and down within 120 ms. */
export const disordered = fc.array(step(fc.nat(120)), { minLength: 1, maxLength: 30 })

/** Each record a little later than the one before, whichever topic it is of. */
export const inOrder = fc
  .array(fc.tuple(step(fc.constant(0)), fc.integer({ min: 1, max: 12 })), {
    minLength: 1,
    maxLength: 30,
  })
  .map((steps) => {
    let timestampMs = 0
    return steps.map(([each, gapMs]): Step => ({ ...each, timestampMs: (timestampMs += gapMs) }))
  })

export interface Seen {
  /** `topic key value time`, in the order of writing. */
  readonly outputs: readonly Output[]
  /** By store: each row as text, in its store's order. */
  readonly stores: Readonly<Record<string, readonly string[]>>
}

export interface Output {
  readonly topic: string
  readonly key: string
  readonly text: string
}

export const outputOf = (
  topic: string,
  { key, value, timestampMs }: StreamRecord<unknown, unknown>,
): Output => ({
  topic,
  key: JSON.stringify(key),
  text: `${JSON.stringify(value)} at ${timestampMs}`,
})

/** Every row of every store; with their partitions, or whichever they lie in. */
export const rowsSeen = (
  { topology }: Family,
  query: (store: Store) => StoreQuery<unknown>,
  withPartitions: boolean,
): Seen['stores'] =>
  Object.fromEntries(
    [...topology.plan.stores.values()].map((store) => {
      const rows = query(store)
        .byPartition()
        .flatMap(({ partition, reader }) =>
          readRows({ store, reader, partition }, wholeOf(store)).map(({ order: _order, ...row }) =>
            JSON.stringify(withPartitions ? { partition, ...row } : row),
          ),
        )
      return [store.name, withPartitions ? rows : rows.toSorted()]
    }),
  )

const wholeOf = (store: Store): PartitionRead =>
  rowShapeOf(store) === 'windows'
    ? { kind: 'windows', fromMs: 0, toMs: timestampMsMax, limit: 10_000 }
    : { kind: 'range', limit: 10_000 }

export interface Variation {
  readonly partitions?: number
  readonly rebuildBeforeEachRecord?: boolean
  /** Before the steps of these numbers. */
  readonly restartsBefore?: readonly number[]
}

/** Told in the test driver. */
export const tellDriver = (
  family: Family,
  steps: readonly Step[],
  variation: Variation = {},
): TopologyDriver => {
  const { partitions = 1, rebuildBeforeEachRecord = false, restartsBefore = [] } = variation
  const driver = new TopologyDriver(family.topology, { partitions, rebuildBeforeEachRecord })
  for (const [at, { input, key, value, timestampMs, advanceMs }] of steps.entries()) {
    if (restartsBefore.includes(at)) driver.restart()
    if (advanceMs > 0) driver.advanceWallClock(advanceMs)
    const topic = family.inputs[input % family.inputs.length]!
    driver.pipe(topic, key, value as number, { timestampMs })
  }
  return driver
}

export const seenIn = (family: Family, driver: TopologyDriver, withPartitions = true): Seen => ({
  outputs: driver.readAll(family.outputs).map(({ topic, record }) => outputOf(topic.name, record)),
  stores: rowsSeen(family, (store) => driver.query(store), withPartitions),
})
