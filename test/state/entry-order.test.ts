/** The order of writing: all entries, those of one key as they came, about sorted. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { visitEntries, visitToWrite, type BatchVisitor } from '../../state/batch-entries.ts'
import { WriteBatch } from '../../state/write-batch.ts'

type Entry = readonly [key: string, value: string | undefined]
type Visit = (packed: Buffer, visitor: BatchVisitor) => void

const none = new Uint8Array()

const packedOf = (entries: readonly Entry[]): Buffer => {
  const batch = new WriteBatch()
  for (const [key, value] of entries) {
    if (value === undefined) batch.delete(none, Buffer.from(key, 'latin1'))
    else batch.put(none, Buffer.from(key, 'latin1'), Buffer.from(value))
  }
  return batch.finish()
}

const visited = (packed: Buffer, visit: Visit): Entry[] => {
  const entries: Entry[] = []
  visit(packed, {
    put: (key, value) => entries.push([key.toString('latin1'), value.toString()]),
    delete: (key) => entries.push([key.toString('latin1'), undefined]),
    expect: () => expect.unreachable(),
  })
  return entries
}

const lastOfEach = (entries: readonly Entry[]): Map<string, string | undefined> => new Map(entries)

/** Few letters: keys that begin alike, end early, or are the same. */
const key = fc.array(fc.constantFrom('a', 'b', '\0', '\xff', 'prefix'), { maxLength: 9 })
const entry = fc.tuple(
  key.map((parts) => parts.join('')),
  fc.option(fc.string({ minLength: 40, maxLength: 120 }), { nil: undefined }),
)

test('visits every entry once, and of each key the last one last', () => {
  fc.assert(
    fc.property(fc.array(entry, { minLength: 700, maxLength: 900 }), (entries) => {
      const packed = packedOf([...entries, ['big', 'x'.repeat(32_768)]]) // enough to be sorted
      const all = visited(packed, visitEntries)
      const sorted = visited(packed, visitToWrite)
      expect(sorted.length).toBe(all.length)
      expect(lastOfEach(sorted)).toEqual(lastOfEach(all))
      const ofKeys = new Map<string, (string | undefined)[]>()
      for (const [of, value] of all) ofKeys.set(of, [...(ofKeys.get(of) ?? []), value])
      for (const [of, value] of sorted) expect(ofKeys.get(of)!.shift()).toBe(value)
    }),
    { numRuns: 20 },
  )
})

test('brings the keys of all stores into their order', () => {
  const entries: Entry[] = []
  for (let i = 0; i < 9_000; i++) {
    const id = String((i * 7_919) % 9_000).padStart(8, '0')
    entries.push([`\x01\x030_${i % 3}\x06counts${id}`, 'v'])
  }
  const keys = visited(packedOf(entries), visitToWrite).map(([of]) => of)
  expect(keys).toEqual(keys.toSorted())
})

test('leaves a small batch in the order in which it was filled', () => {
  const entries: Entry[] = [['b', '1'], ['a', '2'], ['b', undefined]] // prettier-ignore
  expect(visited(packedOf(entries), visitToWrite)).toEqual(entries)
})

test.each([visitEntries, visitToWrite])('refuses bytes of something else', (visit) => {
  const packed = packedOf([['a', 'x'.repeat(40_000)]])
  expect(() => visited(packed.subarray(0, packed.length - 1), visit)).toThrow('is cut off')
  packed[0] = 9
  expect(() => visited(packed, visit)).toThrow('unknown kind 9')
})
