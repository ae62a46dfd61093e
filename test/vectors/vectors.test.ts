/**
 * Goal: our operators do what Kafka Streams was seen to do.
 * Method: replays every recorded case of each topology that has one of ours; one test for each.
 * Then all again with a new pipeline, and with a restart from committed state, before each step:
 * state outside of a store, or lost on the way through bytes, would show.
 */

import { describe, expect, test } from 'vitest'
import { families } from './families.ts'
import { replay } from './replay.ts'
import { readCases, recordedTopologies } from './vector-case.ts'

describe('recorded cases of Kafka Streams', () => {
  const recorded = recordedTopologies()

  test('are there', () => {
    expect(recorded.length).toBeGreaterThan(0)
    for (const name of recorded) expect(readCases(name).length).toBeGreaterThan(0)
  })

  test('have a name that ours know', () => {
    const unknown = Object.keys(families).filter((name) => !recorded.includes(name))
    expect(process.env.VECTORS_DIR ? [] : unknown).toEqual([])
  })

  const ours = recorded.filter((known) => Object.hasOwn(families, known))
  for (const name of ours) {
    test(name, { timeout: 60_000 }, () => {
      const { differences, cases, passed } = replay(name, families)
      expect(differences[0]).toBeUndefined()
      expect(passed).toBe(cases)
    })
  }

  for (const interruption of ['rebuild', 'restart'] as const) {
    test(`do not see a ${interruption} before each step`, { timeout: 120_000 }, () => {
      for (const name of ours) {
        const { differences } = replay(name, families, { interruption })
        expect([name, differences[0]]).toEqual([name, undefined])
      }
    })
  }
})
