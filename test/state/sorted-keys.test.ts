import fc from 'fast-check'
import { expect, it } from 'vitest'
import { SortedKeys } from '../../state/sorted-keys.ts'

/**
 * Goal: slices are those of a set sorted anew each time. Method: random insertions, deletions and
 * slices; numbers of keys around the chunk size, so that chunks split, empty and are rebuilt.
 */
it('slices as a set that is sorted each time', () => {
  const key = fc.nat(3000).map((n) => `k${n}`)
  const bound = fc.option(key, { nil: undefined })
  const step = fc.oneof(
    fc.record({ add: fc.array(key, { maxLength: 2000, size: 'max' }) }),
    fc.record({ add: fc.array(key, { maxLength: 20 }) }),
    fc.record({ remove: fc.array(key, { maxLength: 1500, size: 'max' }) }),
    fc.record({ gte: bound, lt: bound, reverse: fc.boolean(), max: fc.constantFrom(0, 1, 5, 1e9) }),
  )
  const slices = fc.array(step, { minLength: 2, maxLength: 30 })
  fc.assert(
    fc.property(slices, (steps) => {
      const set = new Set<string>()
      const sorted = new SortedKeys((each) => set.has(each))
      for (const one of steps) {
        if ('add' in one) for (const each of one.add) sorted.touch((set.add(each), each))
        else if ('remove' in one) {
          for (const each of one.remove) sorted.touch((set.delete(each), each))
        } else {
          const { gte = '', lt, reverse, max } = one
          const expected = [...set].sort().filter((each) => each >= gte && !(lt! <= each))
          if (reverse) expected.reverse()
          expect(sorted.slice(one)).toEqual(expected.slice(0, max))
        }
      }
      expect(sorted.slice({ max: Infinity })).toEqual([...set].sort())
    }),
    { numRuns: 150 },
  )
})

it('does not remember keys that come and go unread', () => {
  const set = new Set<string>()
  const sorted = new SortedKeys((key) => set.has(key))
  for (let i = 0; i < 300_000; i++) {
    set.add(`k${i}`)
    sorted.touch(`k${i}`)
    set.delete(`k${i}`)
    sorted.touch(`k${i}`)
  }
  set.add('last')
  sorted.touch('last')
  expect(sorted.slice({ max: 10 })).toEqual(['last'])
})
