/**
 * Goal: a versioned store tells what a key's value was at any time of its history.
 * Method: random updates in any order, deletions, undone records, commits and restarts against the
 * plain list of accepted updates; every key is asked for many times after every step. Then that the
 * rows of the past are deleted.
 * Invariants: (1) an update older than the history is refused and changes nothing; (2) within the
 * history the greatest timestamp not after the asked one decides; (3) the latest value never ends.
 */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { json, utf8, versionedStore } from '../../src/index.ts'
import { OpenStore } from './open-store.ts'

const historyRetentionMs = 60
const store = versionedStore('v', { key: utf8, value: json<number>(), historyRetentionMs })

interface Update {
  readonly key: string
  readonly timestampMs: number
  readonly value: number | undefined
  readonly after: 'go on' | 'undo' | 'commit' | 'restart'
}

const update: fc.Arbitrary<Update> = fc.record({
  key: fc.constantFrom('a', 'b', 'aé'),
  timestampMs: fc.integer({ min: 0, max: 240 }),
  value: fc.option(fc.nat(9), { nil: undefined }),
  after: fc.constantFrom('go on', 'go on', 'undo', 'commit', 'restart'),
})

class Oracle {
  observedMs = -Infinity
  readonly #values = new Map<string, Map<number, number | undefined>>()

  put({ key, timestampMs, value }: Update): string {
    if (timestampMs < this.observedMs - historyRetentionMs) return 'expired'
    const values = this.#values.get(key) ?? new Map<number, number | undefined>()
    const isLatest = timestampMs >= Math.max(-Infinity, ...values.keys())
    this.#values.set(key, values.set(timestampMs, value))
    this.observedMs = Math.max(this.observedMs, timestampMs)
    return isLatest ? 'latest' : 'older'
  }

  rowAsOf(key: string, asOfMs: number): object | undefined {
    const times = [...(this.#values.get(key)?.keys() ?? [])].toSorted((a, b) => a - b)
    const found = times.findLast((timeMs) => timeMs <= asOfMs)
    if (found === undefined) return undefined
    if (asOfMs < this.observedMs - historyRetentionMs && found !== times.at(-1)) return undefined
    const value = this.#values.get(key)!.get(found)
    return value === undefined ? undefined : { value, timestampMs: found }
  }
}

test('equals the list of updates', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(update, { maxLength: 40 }), async (updates) => {
      const open = new OpenStore(store)
      const oracle = new Oracle()
      for (const step of updates) {
        const { key, timestampMs, value, after } = step
        if (after === 'undo') {
          open.opened.put(key, value, timestampMs)
          open.undo()
        } else {
          expect(open.opened.put(key, value, timestampMs)).toBe(oracle.put(step))
        }
        if (after === 'commit') await open.commit()
        else if (after === 'restart') await open.restart()
        else open.keep()
        for (const asked of ['a', 'b', 'aé']) {
          expect(open.opened.row(asked)).toEqual(oracle.rowAsOf(asked, Infinity))
          for (let asOfMs = 0; asOfMs <= 240; asOfMs += 11) {
            expect([asOfMs, open.opened.rowAsOf(asked, asOfMs)]).toEqual([
              asOfMs,
              oracle.rowAsOf(asked, asOfMs),
            ])
          }
        }
      }
    }),
    { numRuns: 150 },
  )
})

test('what ended before the history is deleted, deletions too', async () => {
  const open = new OpenStore(store)
  for (let i = 0; i < 200; i++) open.opened.put(`k${i % 20}`, i, i)
  for (let i = 0; i < 20; i++) open.opened.put(`k${i}`, i === 0 ? 0 : undefined, 300 + i)
  await open.commit()
  for (let i = 0; i < 40; i++) open.opened.put('clock', i, 330 + 10 * i)
  await open.commit()
  const rows = [...open.slots.scan({})].map(([slot]) => slot[0])
  expect(Object.groupBy(rows, (kind) => kind ?? '')).toMatchObject({ l: ['l', 'l'], b: ['b'] })
  expect(rows).not.toContain('d')
  expect(rows.filter((kind) => kind === 'h').length).toBeLessThanOrEqual(9)
  expect([...open.reader.range()].map(([key, { value }]) => [key, value])).toEqual([
    ['clock', 39],
    ['k0', 0],
  ])
})

test('a query sees committed versions only, and a limit counts values, not deletions', async () => {
  const open = new OpenStore(store)
  open.opened.put('a', 1, 10)
  open.opened.put('b', undefined, 10)
  open.opened.put('c', 3, 10)
  await open.commit()
  open.opened.put('a', 2, 20)
  open.keep()
  expect(open.reader.get('a')).toBe(1)
  expect(open.reader.rowAsOf('a', 9)).toBeUndefined()
  expect([...open.reader.range({ limit: 2 })].map(([key]) => key)).toEqual(['a', 'c'])
  expect([...open.reader.range({ limit: 0 })]).toEqual([])
})

test.each([0, -1, Number.NaN, Infinity])('a retention of %s is refused', (retentionMs) => {
  const options = { key: utf8, value: utf8, historyRetentionMs: retentionMs }
  expect(() => versionedStore('v', options)).toThrow(RangeError)
})
