/**
 * Goal: windowed counts equal what the whole input says, whatever order it came in.
 * Method: random records of a few keys, out of order within the grace; all windows are counted
 * again from scratch by their definition and compared with the store, once in one partition and
 * once in three, with restarts in between.
 */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  count,
  hopping,
  json,
  session,
  sliding,
  stream,
  topology,
  tumbling,
  utf8,
  windowedStore,
  type WindowedStore,
  type Windows,
} from '../../src/index.ts'
import { TopologyDriver } from '../../src/testing/index.ts'
import { numbers } from '../topology/shared.ts'

interface Item {
  readonly key: string
  readonly timestampMs: number
}

const spanMs = 400
/** Nothing is late: the whole input fits into the grace. */
const graceMs = 1_000

const items = fc.array(
  fc.record({
    key: fc.constantFrom('a', 'aa', 'é'),
    // from 100 on: below their width sliding windows are another thing
    timestampMs: fc.integer({ min: 100, max: 100 + spanMs }),
  }),
  { maxLength: 60 },
)

const kinds: Readonly<Record<string, readonly [Windows, (times: readonly number[]) => string[]]>> =
  {
    tumbling: [tumbling({ sizeMs: 30, graceMs }), (times) => timeWindows(times, 30, 30)],
    hopping: [
      hopping({ sizeMs: 50, advanceMs: 20, graceMs }),
      (times) => timeWindows(times, 50, 20),
    ],
    sliding: [sliding({ withinMs: 25, graceMs }), (times) => slidingWindows(times, 25)],
    session: [session({ gapMs: 15, graceMs }), (times) => sessions(times, 15)],
  }

/** `start-end=count`, by definition. */
const timeWindows = (times: readonly number[], sizeMs: number, advanceMs: number): string[] => {
  const found: string[] = []
  for (let start = 0; start <= 100 + spanMs; start += advanceMs) {
    const inside = times.filter((time) => time >= start && time < start + sizeMs)
    if (inside.length > 0) found.push(`${start}-${start + sizeMs}=${inside.length}`)
  }
  return found
}

/** One window per set of records that some span of the width holds and no other start shows. */
const slidingWindows = (times: readonly number[], widthMs: number): string[] => {
  const starts = new Set(times.flatMap((time) => [time - widthMs, time + 1]))
  const found: string[] = []
  for (const start of [...starts].toSorted((a, b) => a - b)) {
    const inside = times.filter((time) => time >= start && time <= start + widthMs)
    if (inside.length > 0) found.push(`${start}-${start + widthMs}=${inside.length}`)
  }
  return found
}

const sessions = (times: readonly number[], gapMs: number): string[] => {
  const found: number[][] = []
  for (const time of times.toSorted((a, b) => a - b)) {
    const last = found.at(-1)
    if (last !== undefined && time - last.at(-1)! <= gapMs) last.push(time)
    else found.push([time])
  }
  return found.map((one) => `${one[0]}-${one.at(-1)}=${one.length}`)
}

const counted = (
  store: WindowedStore<string, number>,
  input: readonly Item[],
  { partitions, restartEvery }: { partitions: number; restartEvery: number },
): Readonly<Record<string, readonly string[]>> => {
  const driver = new TopologyDriver(
    topology('t', () => [stream(numbers).pipe(count(store as never))]),
    { partitions },
  )
  for (const [i, { key, timestampMs }] of input.entries()) {
    if (i % restartEvery === restartEvery - 1) driver.restart()
    driver.pipe(numbers, key, 1, { timestampMs })
  }
  const byKey: Record<string, string[]> = {}
  for (const reader of driver.query(store).partitions()) {
    for (const [{ key, startMs, endMs }, { value }] of reader.all(0, 10_000)) {
      byKey[key] = [...(byKey[key] ?? []), `${startMs}-${endMs}=${value}`]
    }
  }
  return byKey
}

describe('counts of windows equal those of the whole input', () => {
  for (const [kind, [windows, reference]] of Object.entries(kinds)) {
    test(kind, () => {
      const store = windowedStore('w', { key: utf8, value: json<number>(), windows })
      fc.assert(
        fc.property(items, (input) => {
          const times = Map.groupBy(input, ({ key }) => key)
          const expected = Object.fromEntries(
            [...times].map(([key, ofKey]) => [
              key,
              reference(ofKey.map(({ timestampMs }) => timestampMs)),
            ]),
          )
          const one = counted(store, input, { partitions: 1, restartEvery: 7 })
          const three = counted(store, input, { partitions: 3, restartEvery: 1_000 })
          expect(one).toEqual(expected)
          expect(three).toEqual(expected)
        }),
        { numRuns: 60 },
      )
    })
  }
})
