/**
 * Goal: every serde gives back what it got, and refuses what it cannot represent.
 * Method: property tests over each serde's whole domain; bytes are also read through a view with an
 * offset, as they come out of a fetch buffer.
 */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bytes, int64, json, nullable, type Serde, utf8, windowed } from '../../src/index.ts'
import { textDecoderOf } from '../../src/serde/text-decoder.ts'

/** The encoded bytes as a view in the middle of a larger buffer. */
const asView = (encoded: Uint8Array): Uint8Array => {
  const buffer = new Uint8Array(encoded.length + 7).fill(0xee)
  buffer.set(encoded, 3)
  return buffer.subarray(3, 3 + encoded.length)
}

const roundTrips = <T>(serde: Serde<T>, values: fc.Arbitrary<T>): void =>
  fc.assert(
    fc.property(values, (value) => {
      expect(serde.decode(asView(serde.encode(value)))).toStrictEqual(value)
    }),
  )

const wellFormed = fc.string({ unit: 'binary' })

test('utf8 round trip', () => roundTrips(utf8, wellFormed))
test('utf8 keeps a byte order mark', () => roundTrips(utf8, fc.constant('\ufeffx')))
test('int64 round trip', () =>
  roundTrips(int64, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })))
test('bytes round trip', () => roundTrips(bytes, fc.uint8Array()))
test('json round trip', () =>
  roundTrips<unknown>(
    json(),
    fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown),
  )) // -0 has no JSON

test.each<[string, Serde<unknown>, fc.Arbitrary<unknown>]>([
  ['utf8', utf8 as Serde<unknown>, wellFormed],
  ['int64', int64 as Serde<unknown>, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })],
  ['bytes', bytes as Serde<unknown>, fc.uint8Array({ maxLength: 9_000 })],
  ['json', json(), fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown)],
  ['nullable', nullable(bytes) as Serde<unknown>, fc.uint8Array()],
  [
    'windowed',
    windowed(bytes) as Serde<unknown>,
    fc.record({ key: fc.uint8Array(), startMs: fc.nat(), endMs: fc.nat() }),
  ],
])('%s copies: its bytes may be used again once they are decoded', (_, serde, values) => {
  expect(serde.copies).toBe(true)
  fc.assert(
    fc.property(values, (value) => {
      const encoded = Buffer.from(asView(serde.encode(value)))
      const decoded = serde.decode(encoded)
      const sliced = serde.decodeSlice?.(encoded, 0, encoded.length) ?? decoded
      encoded.fill(0xee)
      expect([decoded, sliced]).toEqual([value, value])
    }),
  )
})

test('a serde that may hand out views says nothing of copies, nor what is made of it', () => {
  const views: Serde<Uint8Array> = { format: 'views', encode: (value) => value, decode: (b) => b }
  expect([nullable(views).copies, windowed(views).copies]).toEqual([false, false])
})

test.each<[string, Serde<unknown>, fc.Arbitrary<unknown>]>([
  ['utf8', utf8 as Serde<unknown>, wellFormed],
  ['json', json(), fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown)],
  ['nullable', nullable(utf8) as Serde<unknown>, wellFormed],
])('%s decodes text as it does its UTF-8', (_, serde, values) => {
  fc.assert(
    fc.property(values, (value) => {
      const text = Buffer.from(serde.encode(value)).toString()
      expect(textDecoderOf(serde)!(text)).toEqual(value)
    }),
  )
})

test('a serde that replaces decode has no decoder of text, one that replaces the name has', () => {
  const numbers = json<number>()
  expect(textDecoderOf({ ...numbers, decode: () => 1 })).toBeUndefined()
  expect(textDecoderOf(nullable({ ...numbers, decode: () => 1 }))).toBeUndefined()
  expect(textDecoderOf({ ...numbers, format: 'cents' })!('7')).toBe(7)
})

test('utf8 takes and refuses what the strict decoder does, anywhere in a buffer', () => {
  const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  const attempt = (decode: () => string): string | undefined => {
    try {
      return decode()
    } catch {
      return undefined
    }
  }
  // pieces of text, of U+FFFD and of what is left of longer characters
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 4 }),
    wellFormed.map((text) => Buffer.from(text)),
    fc.constant(Buffer.from('\ufffd')),
    fc.constant(Buffer.from([0xed, 0xa0, 0x80])),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 5 }), fc.nat(9), (pieces, before) => {
      const encoded = Buffer.concat(pieces)
      const expected = attempt(() => strict.decode(encoded))
      const around = Buffer.concat([Buffer.alloc(before, 0xff), encoded, Buffer.alloc(3, 0xff)])
      const end = before + encoded.length
      expect(attempt(() => utf8.decode(encoded))).toBe(expected)
      expect(attempt(() => utf8.decodeSlice!(around, before, end))).toBe(expected)
    }),
  )
})

test.each<[string, Serde<unknown>]>([
  ['utf8', utf8 as Serde<unknown>],
  ['bytes', bytes as Serde<unknown>],
])('what %s says that it keeps decodes, and is written again as it was', (_, serde) => {
  const encoded = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.string({ maxLength: 200 }).map((text) => Buffer.from(text)),
    fc.string({ unit: 'grapheme', maxLength: 20 }).map((text) => Buffer.from(text)),
  )
  let kept = 0
  fc.assert(
    fc.property(encoded, fc.nat(5), (content, before) => {
      const around = Buffer.concat([Buffer.alloc(before, 0xff), content, Buffer.alloc(2, 0xff)])
      if (!serde.keepsBytes!(around, before, before + content.length)) return
      kept += 1
      expect(Buffer.from(serde.encode(serde.decode(content)))).toEqual(Buffer.from(content))
    }),
  )
  expect(kept).toBeGreaterThan(10)
})

test('utf8 writes what Buffer writes, for short and long text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (text) => {
      expect(Buffer.from(utf8.encode(text))).toEqual(Buffer.from(text, 'utf8'))
      expect(utf8.decode(Buffer.from(text, 'utf8'))).toBe(text)
    }),
  )
})

test.each([
  ['a stray continuation byte', [0x80]],
  ['a cut sequence', [0x41, 0xe2, 0x82]],
  ['an overlong form', [0xc0, 0xaf]],
  ['a surrogate', [0xed, 0xa0, 0x80]],
  ['a bad byte after 40 good ones', [...Array<number>(40).fill(0x61), 0xff]],
])('utf8 refuses %s', (_, encoded) => {
  expect(() => utf8.decode(Uint8Array.from(encoded))).toThrow(TypeError)
  expect(() => json().decode(Uint8Array.from([0x22, ...encoded, 0x22]))).toThrow(TypeError)
})

test.each<[string, () => unknown]>([
  ['utf8 of a lone surrogate', () => utf8.encode('a\ud800')],
  ['utf8 of a number', () => utf8.encode(1 as never)],
  ['int64 of a number', () => int64.encode(1 as never)],
  ['int64 above its range', () => int64.encode(2n ** 63n)],
  ['int64 below its range', () => int64.encode(-(2n ** 63n) - 1n)],
  ['int64 of 7 bytes', () => int64.decode(new Uint8Array(7))],
  ['int64 of 9 bytes', () => int64.decode(new Uint8Array(9))],
  ['bytes of text', () => bytes.encode('x' as never)],
  ['json of undefined', () => json<unknown>().encode(undefined)],
  ['json of a function', () => json<unknown>().encode(() => 1)],
  ['json of a bigint', () => json<unknown>().encode(1n)],
  ['json of no text', () => json().decode(new Uint8Array())],
  ['json of half a text', () => json().decode(Buffer.from('{"a":'))],
  ['nullable of undefined', () => nullable(json<number>()).encode(undefined)],
])('refused: %s', (_, use) => expect(use).toThrow())

test('int64 is Kafka’s long: big-endian, two’s complement', () => {
  expect([...int64.encode(-2n)]).toEqual([255, 255, 255, 255, 255, 255, 255, 254])
  expect([...int64.encode(258n)]).toEqual([0, 0, 0, 0, 0, 0, 1, 2])
})

test('bytes are copied both ways', () => {
  const buffer = Uint8Array.of(1, 2)
  const [encoded, decoded] = [bytes.encode(buffer), bytes.decode(buffer)]
  buffer[0] = 9
  expect([[...encoded], [...decoded]]).toEqual([
    [1, 2],
    [1, 2],
  ])
})

test('nullable says so and writes the bytes of the inner serde', () => {
  const maybe = nullable(json<number>())
  expect([maybe.acceptsNull, maybe.format]).toEqual([true, 'json'])
  expect(maybe.encode(5)).toEqual(json<number>().encode(5))
  expect(maybe.decode(Buffer.from('5'))).toBe(5)
})
