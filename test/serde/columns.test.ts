/** Goal: a row comes back as it was, also when it was written with fewer columns or with more. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { columns, nullable } from '../../src/index.ts'
import { textDecoderOf } from '../../src/serde/text-decoder.ts'

interface Bin {
  readonly id: string
  readonly units?: number
}

interface Stock {
  readonly sku: string
  readonly onHand?: number
  readonly isLow?: boolean
  readonly bins?: readonly Bin[]
  readonly owner?: { readonly name: string; readonly tags?: readonly string[] }
}

const stock = columns<Stock>('stock/1', {
  sku: 'json',
  onHand: 'json',
  bins: [{ id: 'json', units: 'json' }],
  owner: { name: 'json', tags: 'json' },
  isLow: 'json',
})

const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })
const text = fc.string({ unit: 'binary' })
const row = fc.record(
  {
    sku: text,
    onHand: fc.integer(),
    isLow: fc.boolean(),
    bins: fc.array(fc.record({ id: text, units: fc.nat() }, { requiredKeys: ['id'] })),
    owner: fc.record({ name: text, tags: fc.array(text) }, { requiredKeys: ['name'] }),
  },
  { requiredKeys: ['sku'] },
)

describe('columns', () => {
  it('gives every row back, however it is asked', () => {
    fc.assert(
      fc.property(row, text, (value, around) => {
        const bytes = Buffer.from(stock.encode(value))
        expect(stock.decode(bytes)).toEqual(value)
        expect(Buffer.from(stock.encodeRaw!(value) as string)).toEqual(bytes)
        expect(textDecoderOf(stock)!(bytes.toString())).toEqual(value)
        const before = Buffer.from(around)
        const buffer = Buffer.concat([before, bytes, before])
        expect(stock.decodeSlice!(buffer, before.length, before.length + bytes.length)).toEqual(
          value,
        )
      }),
    )
  })

  it('tells what it keeps of a row: what comes back', () => {
    fc.assert(
      fc.property(row, text, (value, note) => {
        const owner = value.owner && Object.assign({ note }, value.owner)
        const more: Stock = Object.assign({ note }, value, owner && { owner })
        const kept = stock.decode(stock.encode(more))
        expect(stock.keptOf!(more)).toEqual(kept)
        expect(nullable(stock).keptOf!(more)).toEqual(kept)
        expect(nullable(stock).keptOf!(undefined)).toBe(undefined)
      }),
    )
  })

  it('takes a field that is undefined for an absent one', () => {
    fc.assert(
      fc.property(text, optional(fc.integer()), (sku, onHand) => {
        const value = { sku, onHand, isLow: undefined } as unknown as Stock
        expect(stock.decode(stock.encode(value))).toEqual(
          onHand === undefined ? { sku } : { sku, onHand },
        )
      }),
    )
  })

  it('reads rows of a layout with fewer columns, and of one with more', () => {
    const older = columns<Pick<Stock, 'sku' | 'onHand'>>('stock/1', { sku: 'json', onHand: 'json' })
    expect(stock.decode(older.encode({ sku: 'a', onHand: 3 }))).toEqual({ sku: 'a', onHand: 3 })
    const bytes = stock.encode({ sku: 'a', isLow: true })
    expect(String(Buffer.from(bytes))).toBe('["a",null,null,null,true]')
    expect(older.decode(bytes)).toEqual({ sku: 'a' })
  })

  it('refuses null, and bytes that are no row', () => {
    const nothing = { sku: null } as unknown as Stock
    expect(() => stock.encode(nothing)).toThrow('column sku is null')
    expect(() => stock.decode(Buffer.from('{"sku":"a"}'))).toThrow('no JSON array')
    expect(() => stock.decode(Buffer.from('["a"'))).toThrow(SyntaxError)
  })

  it('asks for every field', () => {
    // @ts-expect-error -- isLow is missing
    columns<Pick<Stock, 'sku' | 'isLow'>>('stock/1', { sku: 'json' })
    // @ts-expect-error -- a text has no columns
    columns<Pick<Stock, 'sku'>>('stock/1', { sku: { name: 'json' } })
  })
})
