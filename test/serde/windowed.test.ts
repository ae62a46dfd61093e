/** Goal: the serdes of windowed keys and of replacements give back what they got. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { json, replacement, utf8, windowed } from '../../src/index.ts'

const timeMs = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })
const text = fc.string({ unit: 'binary' })

/** As bytes come out of a fetch buffer. */
const asView = (encoded: Uint8Array): Uint8Array => {
  const buffer = new Uint8Array(encoded.length + 5).fill(0xee)
  buffer.set(encoded, 2)
  return buffer.subarray(2, 2 + encoded.length)
}

test('windowed keys: key, start and end', () => {
  const serde = windowed(utf8)
  fc.assert(
    fc.property(text, timeMs, timeMs, (key, startMs, endMs) => {
      const window = { key, startMs, endMs }
      expect(serde.decode(asView(serde.encode(window)))).toEqual(window)
    }),
  )
  const bytes = serde.encode({ key: 'ab', startMs: 1, endMs: 258 })
  expect(Buffer.from(bytes).toString('hex')).toBe('6162' + '0000000000000001' + '0000000000000102')
  expect(() => serde.decode(bytes.subarray(3))).toThrow(RangeError)
})

test('replacements: old and new, each or none', () => {
  const serde = replacement(json<string>())
  const value = fc.option(text, { nil: undefined })
  fc.assert(
    fc.property(value, value, (oldValue, newValue) => {
      const replaced = { oldValue, newValue }
      expect(serde.decode(asView(serde.encode(replaced)))).toEqual(replaced)
    }),
  )
})
