/**
 * Goal: read ahead, the index of unmatched rows says what the slots say. Method: random records
 * that add, take away and look, some of them undone, with commits in between; more rows than a
 * page; each look against a scan.
 */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { joinStore, json, utf8 } from '../../src/index.ts'
import { UnmatchedIndex } from '../../src/stores/unmatched-index.ts'
import { orderedMs } from '../../state/key-layout.ts'
import { OpenStore } from './open-store.ts'

const store = joinStore('j', {
  key: utf8,
  left: json<number>(),
  right: json<number>(),
  withinMs: 1_000,
  graceMs: 0,
})

const slotOf = (timeMs: number): string => `u${orderedMs(timeMs)}1k`

const timeMs = fc.integer({ min: 0, max: 700 })
const step = fc.oneof(
  fc.record({ kind: fc.constant('add' as const), timeMs }),
  fc.record({ kind: fc.constant('remove' as const), timeMs }),
  fc.record({
    kind: fc.constant('look' as const),
    timeMs,
    count: fc.integer({ min: 1, max: 400 }),
  }),
)
const records = fc.array(
  fc.record({
    steps: fc.array(step, { minLength: 1, maxLength: 5 }),
    end: fc.constantFrom('keep' as const, 'keep' as const, 'undo' as const, 'commit' as const),
  }),
  { maxLength: 30 },
)

test('a look finds the rows that are there, whatever was undone since', async () => {
  await fc.assert(
    fc.asyncProperty(records, async (all) => {
      const open = new OpenStore(store)
      const index = new UnmatchedIndex(open.slots)
      for (let ms = 0; ms < 1_400; ms += 2) open.slots.putNew(slotOf(ms), true)
      await open.commit()
      for (const { steps, end } of all) {
        for (const one of steps) {
          const slot = slotOf(one.timeMs)
          if (one.kind === 'remove') open.slots.delete(slot)
          else if (one.kind === 'look') {
            const found = index.from(one.timeMs).take(one.count).toArray()
            const gte = `u${orderedMs(one.timeMs)}`
            expect(found).toEqual([...open.slots.keys({ gte, lt: 'v', limit: one.count })])
          } else if (open.slots.get(slot) === undefined) {
            open.slots.putNew(slot, true)
            index.added(slot)
          }
        }
        await open[end]()
      }
    }),
    { numRuns: 60 },
  )
})
