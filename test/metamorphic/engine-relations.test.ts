/**
 * Goal: whatever the size of transactions and fetches, whenever the process ends, and on whichever
 * engine: the result is that of the test driver, which takes one record after the other.
 *
 * Method: random records through real applications on the embedded broker, each in two lives, the
 * first of which may be killed in the middle of its work.
 *
 * Invariants. Per key the same outputs in their order, and the same rows in the same partitions.
 * 1. With two inputs the records come in the order of their times, since that is the order in which
 * a task takes what waits in two topics; with one input they are late as well. 2. Behind an
 * internal topic the last value per key is compared, a deletion being as good as none: the driver
 * finishes each record's hops before it takes the next, the runtime has many on their way.
 * 3. Processors on the wall clock are left out: it stands still in the driver.
 */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { families } from './families.ts'
import type { Family } from './family.ts'
import { engines, type Life, tellRuntime } from './on-runtime.ts'
import { disordered, inOrder, type Output, type Seen, seenIn, tellDriver } from './story.ts'

/** An engine on disk takes a second to open twice. */
const runsOf = (engine: string): number => (engine === 'memory' ? 3 : 1)

const lives = (engine: string): fc.Arbitrary<Life> =>
  fc.record({
    engine: fc.constant(engine),
    partitions: fc.integer({ min: 1, max: 2 }),
    commitRecordsMax: fc.constantFrom(1, 3, 10_000),
    fetchPartitionBytes: fc.constantFrom(1_024, 1_048_576),
    firstSteps: fc.nat(30),
    firstEnd: fc.constantFrom('close', 'kill'),
  })

const known = families({ graceMs: 12, emitIntervalMs: 0 })

describe.each(Object.keys(engines))('on %s', (engine) => {
  for (const [name, family] of known.filter(([, { usesWallClock }]) => usesWallClock !== true)) {
    test(name, { timeout: 60_000 }, async () => {
      const steps = family.inputs.length > 1 ? inOrder : disordered
      const property = fc.asyncProperty(steps, lives(engine), async (told, life) => {
        const driver = tellDriver(family, told, { partitions: life.partitions })
        const seen = await tellRuntime(family, told, life)
        expect(compared(family, seen)).toEqual(compared(family, seenIn(family, driver)))
      })
      await fc.assert(property, { numRuns: runsOf(engine), endOnFailure: true })
    })
  }
})

const compared = ({ hops = false }: Family, { outputs, stores }: Seen) => ({
  // the times of rows behind a hop tell which of two inputs came first
  stores: hops ? withoutTimes(stores) : stores,
  outputs: Object.fromEntries(
    [...Map.groupBy(outputs, ({ topic, key }) => `${topic} ${key}`)]
      .map(([key, ofKey]) => [key, hops ? lastValue(ofKey) : ofKey.map(({ text }) => text)])
      .filter(([, ofKey]) => ofKey !== undefined),
  ),
})

const lastValue = (ofKey: readonly Output[]): string | undefined => {
  const value = ofKey.at(-1)!.text.split(' at ')[0]
  return value === 'undefined' ? undefined : value
}

const withoutTimes = (stores: Seen['stores']) =>
  Object.entries(stores).map(([name, rows]) => [
    name,
    rows.map((row) => ({ ...(JSON.parse(row) as object), time: undefined })),
  ])
