/**
 * Goal: a window store holds values per key and window start, and forgets whole windows.
 * Method: random writes, expiries, commits and restarts against a plain map; then the bounds of
 * expiry one by one.
 */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { json, utf8, windowStore } from '../../src/index.ts'
import { OpenStore } from './open-store.ts'

const retentionMs = 128
const stepMs = 2 // a 64th
const store = windowStore('w', { key: utf8, value: json<number>(), retentionMs })

type Step =
  | { kind: 'put' | 'delete'; key: string; startMs: number; value: number }
  | { kind: 'expire'; byMs: number }
  | { kind: 'read'; key: string; fromMs: number; toMs: number }
  | { kind: 'commit' | 'restart' }

const key = fc.constantFrom('a', 'b', 'aé')
const startMs = fc.integer({ min: 0, max: 60 }).map((count) => count * 10)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    arbitrary: fc.record({
      kind: fc.constantFrom('put' as const, 'put', 'put', 'delete'),
      key,
      startMs,
      value: fc.nat(9),
    }),
    weight: 4,
  },
  fc.record({ kind: fc.constant('expire' as const), byMs: fc.nat(90) }),
  fc.record({ kind: fc.constant('read' as const), key, fromMs: startMs, toMs: startMs }),
  fc.record({ kind: fc.constantFrom('commit' as const, 'restart') }),
)

test('equals a map of maps', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const open = new OpenStore(store)
      const rows = new Map<string, number>()
      let streamTimeMs = 0
      let closedMs = 0
      const select = (fromMs: number, toMs: number): [string, number, number][] =>
        [...rows]
          .map(([id, value]): [string, number, number] => [
            id.split('@')[0]!,
            Number(id.split('@')[1]),
            value,
          ])
          .filter(([, start]) => start >= Math.max(fromMs, closedMs) && start < toMs)
          .sort(
            ([a, startA], [b, startB]) =>
              startA - startB || Buffer.compare(Buffer.from(a), Buffer.from(b)),
          )
      for (const action of steps) {
        if (action.kind === 'put') {
          const isOpen = action.startMs >= closedMs
          expect(open.opened.put(action.key, action.startMs, action.value)).toBe(isOpen)
          if (isOpen) rows.set(`${action.key}@${action.startMs}`, action.value)
        } else if (action.kind === 'delete') {
          open.opened.delete(action.key, action.startMs)
          rows.delete(`${action.key}@${action.startMs}`)
        } else if (action.kind === 'expire') {
          streamTimeMs += action.byMs
          open.opened.expire(streamTimeMs)
          const dueMs = Math.floor((streamTimeMs - retentionMs) / stepMs) * stepMs
          closedMs = Math.max(closedMs, dueMs)
        } else if (action.kind === 'read') {
          const { key, fromMs, toMs } = action
          const found = select(fromMs, toMs)
          expect([...open.opened.all(fromMs, toMs)]).toEqual(found)
          expect([...open.opened.fetch(key, fromMs, toMs)]).toEqual(
            found.filter(([k]) => k === key).map(([, start, value]) => [start, value]),
          )
        } else {
          await open[action.kind]()
          expect([...open.reader.all(0, Infinity)]).toEqual(select(0, Infinity))
        }
      }
      for (const [k, start, value] of select(0, Infinity)) {
        expect(open.opened.get(k, start)).toBe(value)
      }
    }),
    { numRuns: 200 },
  )
})

test('a window is closed one step after its retention, never before', () => {
  const { opened } = new OpenStore(store)
  opened.put('k', 100, 1)
  expect([opened.expire(100 + retentionMs), opened.get('k', 100)]).toEqual([0, 1])
  expect([opened.expire(100 + retentionMs + stepMs), opened.get('k', 100)]).toEqual([1, undefined])
  expect(opened.put('k', 100, 2)).toBe(false)
  expect(opened.put('k', 102, 2)).toBe(true)
})

test('a window that starts before all others is found by expiry too', () => {
  const { opened } = new OpenStore(store)
  opened.put('k', 100, 1)
  opened.put('k', 20, 1)
  expect([opened.expire(160), opened.expire(1_000)]).toEqual([1, 1])
})

test('a deleted window leaves nothing but the bounds', async () => {
  const open = new OpenStore(store)
  open.opened.put('k', 100, 1)
  await open.commit()
  open.opened.delete('k', 100)
  open.opened.delete('k', 100)
  await open.commit()
  expect([...open.slots.cleanScan({})].map(([slot]) => slot)).toEqual(['b'])
})

test('closed rows of one key vanish from fetch before they are deleted', () => {
  const { opened } = new OpenStore(store)
  for (let i = 0; i < 1_500; i++) opened.put('k', i, i)
  expect(opened.expire(10_000)).toBe(1_000)
  expect([...opened.fetch('k', 0, 2_000)]).toEqual([])
  expect(opened.get('k', 1_400)).toBeUndefined()
})

test('closed rows vanish at once, are deleted in portions, and leave nothing behind', async () => {
  const open = new OpenStore(store)
  for (let i = 0; i < 2_200; i++) open.opened.put(`k${i}`, i % 7, i)
  await open.commit()
  const deleted = [1, 2, 3, 4].map(() => {
    const count = open.opened.expire(10_000)
    expect([...open.opened.all(0, Infinity)]).toEqual([])
    return count
  })
  expect(deleted).toEqual([1_000, 1_000, 200, 0])
  await open.commit()
  expect([...open.slots.cleanScan({})].map(([slot]) => slot)).toEqual(['b'])
})

test('an update writes its row only: the index is written once per window', async () => {
  const open = new OpenStore(store)
  open.opened.put('k', 0, 1)
  expect(await open.commit()).toHaveLength(3) // row, index, bounds
  open.opened.put('k', 0, 2)
  expect(await open.commit()).toHaveLength(1)
})

test('readers see committed windows only', async () => {
  const open = new OpenStore(store)
  open.opened.put('k', 0, 1)
  expect(open.reader.get('k', 0)).toBeUndefined()
  await open.commit()
  open.opened.put('k', 0, 2)
  expect([open.reader.get('k', 0), open.opened.get('k', 0)]).toEqual([1, 2])
})

test('a retention below 1 ms is refused', () => {
  const options = { key: utf8, value: json<number>(), retentionMs: 0 }
  expect(() => windowStore('w', options)).toThrow('retentionMs must be at least 1')
})
