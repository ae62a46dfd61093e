/** The table of slots against a Map, with keys that fall on the same places. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hashOfKey, SlotTable } from '../../state/slot-table.ts'
import { absent, type Slot } from '../../state/slot.ts'

const slotOf = (key: string, hash = hashOfKey(key)): Slot => ({
  key,
  hash,
  dirty: absent,
  committing: absent,
  clean: undefined,
  referenced: false,
  leaves: false,
  bytes: 0,
  ringAt: 0,
  dirtyList: { slots: [] },
})

test('finds what was added and not removed, whatever the hashes', () => {
  const key = fc.constantFrom(...Array.from({ length: 40 }, (_, i) => `k${i}`))
  const step = fc.tuple(fc.constantFrom('add', 'remove'), key)
  // three places of a table of 16, the last one among them: runs go over its end
  const hashes = fc.array(fc.constantFrom(14, 15, 31), { minLength: 40, maxLength: 40 })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), hashes, (steps, hashOf) => {
      const table = new SlotTable()
      const model = new Map<string, Slot>()
      const hash = (of: string): number => hashOf[Number(of.slice(1))]!
      for (const [kind, of] of steps) {
        const known = model.get(of)
        if (kind === 'remove' && known !== undefined) {
          table.remove(known)
          model.delete(of)
        } else if (kind === 'add' && known === undefined) {
          const slot = slotOf(of, hash(of))
          table.add(slot)
          model.set(of, slot)
        }
      }
      expect(table.size).toBe(model.size)
      for (let i = 0; i < 40; i++)
        expect(table.get(`k${i}`, hash(`k${i}`))).toBe(model.get(`k${i}`))
    }),
  )
})

test('finds many at once, those that are missing and those that come twice among them', () => {
  const table = new SlotTable()
  const slots = new Map<string, Slot>()
  for (let i = 0; i < 5_000; i++) {
    const slot = slotOf(`key-${i}`)
    slots.set(slot.key, slot)
    table.add(slot)
  }
  const keys = Array.from({ length: 1_000 }, (_, i) => `key-${(i * 37) % 6_000}`).concat('key-37')
  expect(table.getMany(keys)).toEqual(keys.map((key) => slots.get(key)))
  table.clear()
  expect(table.getMany(keys)).toEqual(keys.map(() => undefined))
})

test('spreads keys that differ in one place', () => {
  const keys = [
    ...Array.from({ length: 4_096 }, (_, i) => `user-${String(i).padStart(8, '0')}`),
    ...Array.from({ length: 4_096 }, (_, i) => `${String(i).padStart(8, '0')}-user`),
    ...Array.from({ length: 4_096 }, (_, i) => String.fromCharCode(i & 0xff, i >> 8)),
  ]
  const perPlace = new Map<number, number>()
  for (const key of keys) {
    const place = hashOfKey(key) % 16_384
    perPlace.set(place, (perPlace.get(place) ?? 0) + 1)
  }
  // at random 0.75 keys a place on average, and 8 or more in none of a million
  expect(Math.max(...perPlace.values())).toBeLessThan(12)
  expect(perPlace.size).toBeGreaterThan(7_500)
})
