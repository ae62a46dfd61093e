/**
 * Goal: what a topology does depends on its input alone: not on when it was restarted, not on
 * pipelines kept in memory, not on how many partitions share the keys.
 *
 * Method: each stateful operator gets random records in the test driver, twice: as they are, and
 * with one thing changed that must not matter. There is no expected result: the two runs are
 * compared. A failure prints the seed that repeats it.
 *
 * Invariants. 1. Restarts and rebuilt pipelines: the same outputs in the same order over all keys,
 * the same rows in the same partitions, with late records, deletions and throttled emission.
 * 2. Other partition counts: the same outputs per key in their order, and the same rows wherever
 * they lie. Here nothing may be late: each partition has a stream time of its own, so the same
 * record is late in one and on time in another. For the same reason a record that only moves time
 * does so for its partition alone: where time emits (windows on close, suppress, records left
 * alone by a join), the outputs of a key are compared as a set, after records of the far future
 * went to every partition. Not compared: a bound of keys per partition, a time limit of `suppress`
 * and punctuations (which updates they find depends on who moved the time), and left and outer
 * joins with `lateRecords: 'join'`, which tell of a record behind stream time at once.
 */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { families } from './families.ts'
import type { Family } from './family.ts'
import { disordered, type Output, seenIn, type Step, tellDriver } from './story.ts'

const numRuns = 15

describe('nothing shows of', () => {
  for (const [name, family] of families({ graceMs: 12, emitIntervalMs: 20, retentionMs: 300 })) {
    test(`restarts: ${name}`, () => {
      const positions = fc.uniqueArray(fc.nat(29), { minLength: 1, maxLength: 6 })
      fc.assert(
        fc.property(disordered, positions, (steps, restartsBefore) => {
          const expected = seenIn(family, tellDriver(family, steps))
          const restarted = tellDriver(family, steps, { restartsBefore })
          expect(seenIn(family, restarted)).toEqual(expected)
        }),
        { numRuns },
      )
    })

    test(`rebuilt pipelines: ${name}`, () => {
      fc.assert(
        fc.property(disordered, (steps) => {
          const expected = seenIn(family, tellDriver(family, steps))
          const rebuilt = tellDriver(family, steps, { rebuildBeforeEachRecord: true })
          expect(seenIn(family, rebuilt)).toEqual(expected)
        }),
        { numRuns },
      )
    })
  }
})

describe('partitions do not matter', () => {
  const patient = families({ graceMs: 10_000, emitIntervalMs: 0 })
  for (const [name, family] of patient.filter(
    ([, { dependsOnPartition }]) => dependsOnPartition !== true,
  )) {
    test(name, () => {
      fc.assert(
        fc.property(disordered, fc.integer({ min: 2, max: 5 }), (steps, partitions) => {
          const [one, several] = [1, partitions].map((count) => onPartitions(family, steps, count))
          expect(several).toEqual(one)
        }),
        { numRuns },
      )
    })
  }
})

/** Enough that every one of five partitions gets some. */
const farKeys = Array.from({ length: 40 }, (_, i) => `far-${i}`)
const farMs = 100_000

const onPartitions = (family: Family, steps: readonly Step[], partitions: number) => {
  const driver = tellDriver(family, steps, { partitions })
  const { outputs, stores } = seenIn(family, driver, false)
  for (const key of farKeys) {
    for (const input of family.inputs) driver.pipe(input, key, 1, { timestampMs: farMs })
    for (const input of family.inputs) driver.pipe(input, key, 1, { timestampMs: 2 * farMs })
  }
  const all = [...outputs, ...seenIn(family, driver, false).outputs]
  const ofKeys = all.filter(({ key }) => !key.includes('far-'))
  return { outputs: byKey(ofKeys, family.emitsOnTime === true), stores }
}

const byKey = (outputs: readonly Output[], asSets: boolean) =>
  Object.fromEntries(
    [...Map.groupBy(outputs, ({ topic, key }) => `${topic} ${key}`)]
      .map(([key, ofKey]) => [key, ofKey.map(({ text }) => text)] as const)
      .map(([key, texts]) => [key, asSets ? texts.toSorted() : texts]),
  )
