/**
 * Goal: read ahead, the index of unmatched rows says which rows wait. Method: random records that
 * add, match and look, some of them undone, with commits in between, some sealed and applied only
 * later, some dropped; more rows than a page; each look against a plain set.
 */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { joinStore, json, utf8 } from '../../src/index.ts'
import { msOfMark } from '../../src/stores/join-marks.ts'
import type { JoinSides } from '../../src/stores/join-rows.ts'
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

const keyOf = (timeMs: number): string => `k${timeMs}`
const placeOf = (timeMs: number): string =>
  `r${orderedMs(Math.floor(timeMs / 1_000) * 1_000)}${keyOf(timeMs)}`
const sidesOf = (timestampMs: number, matched: boolean): JoinSides<number, number> => ({
  left: [{ timestampMs, value: 1, matched }],
  right: [],
})

const timeMs = fc.integer({ min: 0, max: 700 })
const step = fc.oneof(
  fc.record({ kind: fc.constant('add' as const), timeMs }),
  fc.record({ kind: fc.constant('match' as const), timeMs }),
  fc.record({
    kind: fc.constant('look' as const),
    timeMs,
    count: fc.integer({ min: 1, max: 400 }),
  }),
)
const records = fc.array(
  fc.record({
    steps: fc.array(step, { minLength: 1, maxLength: 5 }),
    end: fc.constantFrom('keep', 'keep', 'undo', 'seal', 'apply', 'drop'),
  }),
  { maxLength: 40 },
)

/** Rows that wait: as stored, in the generation that is sealed, and in the one being processed. */
class Waiting {
  #stored = new Set<number>()
  #sealed: ReadonlySet<number> | undefined
  #kept = new Set<number>()
  now = new Set<number>()

  keep(): void {
    this.#kept = new Set(this.now)
  }

  undo(): void {
    this.now = new Set(this.#kept)
  }

  seal(): void {
    this.#sealed = new Set(this.now)
  }

  applied(): void {
    this.#stored = new Set(this.#sealed)
    this.#sealed = undefined
  }

  drop(): void {
    this.now = new Set(this.#stored)
    this.#sealed = undefined
    this.keep()
  }

  from(lowestMs: number, count: number): readonly number[] {
    const found = [...this.now].filter((ms) => ms >= lowestMs).sort((a, b) => a - b)
    return found.slice(0, count)
  }
}

class Subject {
  readonly #open = new OpenStore(store)
  readonly #waiting = new Waiting()
  readonly #index: UnmatchedIndex
  #finish: (() => Promise<void>) | undefined

  constructor() {
    const { slots } = this.#open
    this.#index = new UnmatchedIndex(slots, {
      isWaiting(mark) {
        const sides = slots.get(placeOf(msOfMark(mark))) as JoinSides<number, number> | undefined
        return sides?.left[0]?.matched === false
      },
      prefetch: (marks) => slots.prefetch(marks.map((mark) => placeOf(msOfMark(mark)))),
    })
  }

  add(ms: number): void {
    this.#open.slots.put(placeOf(ms), sidesOf(ms, false))
    this.#index.added(ms, 'left', keyOf(ms))
    this.#waiting.now.add(ms)
  }

  match(ms: number): void {
    this.#open.slots.put(placeOf(ms), sidesOf(ms, true))
    this.#waiting.now.delete(ms)
  }

  look(lowestMs: number, count: number): void {
    const found = this.#index.from(lowestMs).take(count).toArray()
    expect(found.map(msOfMark)).toEqual(this.#waiting.from(lowestMs, count))
  }

  async end(how: 'keep' | 'undo' | 'seal' | 'apply' | 'drop'): Promise<void> {
    const { slots } = this.#open
    if (how === 'undo') {
      this.#open.undo()
      return this.#waiting.undo()
    }
    this.#open.keep()
    this.#waiting.keep()
    if (how === 'keep') return
    if (how === 'drop') {
      slots.drop()
      this.#finish = undefined
      return this.#waiting.drop()
    }
    if (this.#finish !== undefined) await this.#apply()
    this.#waiting.seal()
    this.#finish = this.#open.sealed()
    if (how === 'apply') await this.#apply()
  }

  async #apply(): Promise<void> {
    await this.#finish?.()
    this.#finish = undefined
    this.#waiting.applied()
  }
}

test('a look finds the rows that wait, whatever was undone, sealed or dropped since', async () => {
  await fc.assert(
    fc.asyncProperty(records, async (all) => {
      const subject = new Subject()
      for (let ms = 0; ms < 1_400; ms += 2) subject.add(ms)
      await subject.end('apply')
      for (const { steps, end } of all) {
        for (const one of steps) {
          if (one.kind === 'look') subject.look(one.timeMs, one.count)
          else if (one.kind === 'add') subject.add(one.timeMs)
          else subject.match(one.timeMs)
        }
        await subject.end(end)
      }
    }),
    { numRuns: 60 },
  )
})
