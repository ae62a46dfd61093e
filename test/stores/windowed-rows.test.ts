/**
 * Goal: the rows of all kinds of windows keep what was put, in the order of time and key.
 * Method: random puts, deletions, undone records, commits and restarts against a plain list; after
 * each step a range of time is read from both.
 */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { json, session, sliding, tumbling, utf8, windowedStore } from '../../src/index.ts'
import type { SessionRows } from '../../src/stores/session-rows.ts'
import type { SlidingRows } from '../../src/stores/sliding-rows.ts'
import type { TimeWindowRows } from '../../src/stores/time-window-rows.ts'
import type { WindowedRows } from '../../src/stores/windowed-rows.ts'
import { OpenStore } from './open-store.ts'

interface Row {
  readonly key: string
  readonly startMs: number
  readonly endMs: number
  readonly value: number
  /** What ranges go by. */
  readonly timeMs: number
}

interface Kind {
  readonly open: () => OpenStore<WindowedRows<string, number>, unknown>
  put(rows: WindowedRows<string, number>, row: Row, isDeletion: boolean): void
  rowOf(key: string, timeMs: number, value: number): Row
}

const serdes = { key: utf8, value: json<number>() }
const tumblings = windowedStore('w', { ...serdes, windows: tumbling({ sizeMs: 10, graceMs: 54 }) })
const slidings = windowedStore('w', { ...serdes, windows: sliding({ withinMs: 7, graceMs: 50 }) })
const sessions = windowedStore('w', { ...serdes, windows: session({ gapMs: 7, graceMs: 57 }) })

const kinds: Readonly<Record<string, Kind>> = {
  time: {
    open: () => new OpenStore(tumblings),
    put: (rows, { key, startMs, value }, isDeletion) =>
      (rows as TimeWindowRows<string, number>).put(
        key,
        startMs,
        isDeletion ? undefined : value,
        startMs + 1,
      ),
    rowOf: (key, timeMs, value) => {
      const startMs = Math.floor(timeMs / 10) * 10
      return { key, startMs, endMs: startMs + 10, value, timeMs: startMs }
    },
  },
  sliding: {
    open: () => new OpenStore(slidings),
    put: (rows, { key, startMs, value }, isDeletion) =>
      (rows as SlidingRows<string, number>).put(
        key,
        startMs,
        isDeletion ? undefined : value,
        startMs + 1,
      ),
    rowOf: (key, timeMs, value) => ({
      key,
      startMs: timeMs,
      endMs: timeMs + 7,
      value,
      timeMs,
    }),
  },
  session: {
    open: () => new OpenStore(sessions),
    put: (rows, { key, startMs, endMs, value }, isDeletion) => {
      const faces = rows as SessionRows<string, number>
      const old = faces
        .sessions(key)
        .filter((one) => one.startMs === startMs && one.endMs === endMs)
      faces.replace(key, old, isDeletion ? undefined : { startMs, endMs, value })
    },
    rowOf: (key, timeMs, value) => ({
      key,
      startMs: Math.max(0, timeMs - 3),
      endMs: timeMs,
      value,
      timeMs,
    }),
  },
}

type Step =
  | { kind: 'put' | 'delete' | 'undone'; key: string; timeMs: number; value: number }
  | { kind: 'deleteBelow'; timeMs: number }
  | { kind: 'commit' | 'restart' }

const timeMs = fc.integer({ min: 0, max: 300 })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    arbitrary: fc.record({
      kind: fc.constantFrom('put' as const, 'put', 'put', 'delete', 'undone'),
      key: fc.constantFrom('a', 'aa', 'é', '🛒'),
      timeMs,
      value: fc.nat(9),
    }),
    weight: 6,
  },
  fc.record({ kind: fc.constant('deleteBelow' as const), timeMs }),
  fc.record({ kind: fc.constantFrom('commit' as const, 'restart') }),
)

const isSame = (a: Row, b: Row): boolean =>
  a.key === b.key && a.startMs === b.startMs && a.endMs === b.endMs

const inOrder = (a: Row, b: Row): number =>
  a.timeMs - b.timeMs
  || a.startMs - b.startMs
  || Buffer.compare(Buffer.from(a.key), Buffer.from(b.key))

describe('rows of windows equal a list', () => {
  for (const [name, kind] of Object.entries(kinds)) {
    test(name, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 50 }), timeMs, async (steps, fromMs) => {
          const open = kind.open()
          let rows: readonly Row[] = []
          let keptFromMs = 0
          for (const action of steps) {
            if (!('timeMs' in action)) {
              await (action.kind === 'commit' ? open.commit() : open.restart())
            } else if (action.kind === 'deleteBelow') {
              open.opened.deleteBelow(action.timeMs)
              open.keep()
              keptFromMs = Math.max(keptFromMs, action.timeMs)
            } else {
              const row = kind.rowOf(action.key, action.timeMs, action.value)
              if (row.timeMs < keptFromMs) continue // an aggregation refuses it as late
              kind.put(open.opened, row, action.kind === 'delete')
              if (action.kind === 'undone') {
                open.undo()
                continue
              }
              open.keep()
              rows = rows.filter((old) => !isSame(old, row))
              if (action.kind === 'put') rows = [...rows, row]
            }
            const from = Math.max(fromMs, keptFromMs) // deletion is lazy: rows below may be there
            const got = [...open.opened.between(from, 299)].map(([window, { value }]) => ({
              ...window,
              value,
            }))
            const expected = rows
              .filter((row) => row.timeMs >= from && row.timeMs <= 299)
              .toSorted(inOrder)
              .map(({ key, startMs, endMs, value }) => ({ key, startMs, endMs, value }))
            expect(got).toEqual(expected)
          }
        }),
        { numRuns: 150 },
      )
    })
  }
})
