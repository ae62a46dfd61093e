import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { musicCatalogue } from '../../topologies/shop/load/catalogue.ts'
import { parseCdnowLine } from '../../topologies/shop/load/cdnow.ts'
import { jsonLineParser } from '../../topologies/shop/load/json-lines.ts'
import { orderGenerator } from '../../topologies/shop/load/order-generator.ts'
import { parseOrderRequest } from '../../topologies/shop/shared/order-request.ts'

const nowMs = Date.parse('2026-01-01T12:00:00Z')
const sample = new URL('../../topologies/shop/load/data/cdnow-sample.txt', import.meta.url)

describe('the CDNOW file', () => {
  const lines = readFileSync(sample, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '')

  it('makes the orders, units and cents that its columns add up to', () => {
    const ids = new Set<string>()
    let units = 0
    let amountMinor = 0
    lines.forEach((line, index) => {
      const parsed = parseCdnowLine(line, index + 1, nowMs)
      if (!parsed.ok) throw new Error(`${line}: ${parsed.reason}`)
      ids.add(parsed.orderId)
      for (const { quantity, priceMinor } of parsed.order.items) {
        units += quantity
        amountMinor += quantity * priceMinor
      }
    })
    expect([ids.size, units, amountMinor]).toEqual([6919, 16479, 24409194])
  })

  it('splits an amount that does not divide by its units', () => {
    expect(parseCdnowLine(' 00021 0002 19970101  3   63.34', 5, nowMs)).toMatchObject({
      ok: true,
      order: {
        customerId: 'cdnow-00021',
        currency: 'USD',
        placedAt: '1997-01-01T00:00:00.000Z',
        items: [
          { productId: 'cd-21', quantity: 2, priceMinor: 2111 },
          { productId: 'cd-21', quantity: 1, priceMinor: 2112 },
        ],
      },
    })
  })

  it('gives the same line another id on another line only', () => {
    const idOf = (lineNumber: number): string => {
      const parsed = parseCdnowLine(lines[0]!, lineNumber, nowMs)
      return parsed.ok ? parsed.orderId : ''
    }
    expect(idOf(1)).toBe(idOf(1))
    expect(idOf(1)).not.toBe(idOf(2))
  })

  it.each([
    ['', /is not/],
    ['00004 0001 19970101 2', /is not/],
    ['00004 0001 19970230 2 29.33', /no date/],
    ['00004 0001 30200101 2 29.33', /30200101 must not lie more than 60 minutes ahead/],
    ['00004 0001 19970101 0 29.33', /units/],
    ['00004 0001 19970101 1000001 29.33', /units must be 1 to 1000000/],
    ['00004 0001 19970101 2 10000000000.01', /too many/],
    ['00004 0001 19970101 2 29.335', /not exact/],
    ['00004 0001 19970101 2 -1', /is not/],
  ])('refuses %j', (line, reason) => {
    const parsed = parseCdnowLine(line, 1, nowMs)
    expect(parsed.ok ? '' : parsed.reason).toMatch(reason)
  })
})

describe('JSON lines', () => {
  const parse = jsonLineParser('orders.jsonl', nowMs)
  const body = {
    customerId: 'c',
    currency: 'EUR',
    items: [{ productId: 'tea', quantity: 1, price: 4.5 }],
  }

  it('keep a given order id and derive the others from file, number and text', () => {
    const idOf = (text: string, lineNumber: number, from = parse): string => {
      const parsed = from(text, lineNumber)
      return parsed.ok ? parsed.orderId : parsed.reason
    }
    const text = JSON.stringify(body)
    expect(idOf(JSON.stringify({ ...body, orderId: 'mine' }), 1)).toBe('mine')
    expect(idOf(text, 1)).toBe(idOf(`${text}\r`, 1))
    const others = [
      idOf(text, 1),
      idOf(text, 2),
      idOf(text, 1, jsonLineParser('other.jsonl', nowMs)),
    ]
    expect(new Set(others).size).toBe(3)
  })

  it.each([
    ['{', /JSON/],
    ['[]', /^must be a JSON object/],
    [JSON.stringify({ ...body, placedAt: '3020-01-01' }), /\/placedAt must not lie more than 60/],
    [JSON.stringify({ ...body, curency: 'EUR' }), /\/curency is not a known field/],
    [
      '{"customerId":"c","currency":"EUR","items":[{"productId":"t","quantity":1,'
        + '"price":4.500000000000000001}]}',
      /\/items\/0\/price .*not exact/,
    ],
  ])('refuse %s', (text, reason) => {
    const parsed = parse(text, 3)
    expect(parsed.ok ? '' : parsed.reason).toMatch(reason)
  })
})

describe('the order generator', () => {
  it('makes the same orders of a seed for ever', () => {
    const hash = createHash('sha256')
    for (const seed of [1, 7, 4_294_967_295]) {
      const generator = orderGenerator(seed, musicCatalogue)
      for (let n = 0; n < 2000; n++) hash.update(JSON.stringify(generator.next()))
    }
    expect(hash.digest('hex')).toBe(
      '8a9644c4062ce5d0f0b4b8e84136b828b37191a0f1ce7ae81f803c9099d4d159',
    )
  })

  it('repeats itself for a seed, and makes valid orders of every sort', () => {
    const of = (seed: number) => {
      const generator = orderGenerator(seed, musicCatalogue)
      return Array.from({ length: 1000 }, () => generator.next())
    }
    expect(of(1)).toEqual(of(1))
    expect(of(1)).not.toEqual(of(2))
    const orders = of(3)
    expect(orders.filter((order) => !parseOrderRequest(order).ok)).toEqual([])
    const unserved = orders.filter(({ items }) =>
      items.some(({ productId }) => productId === 'record-sold-out'),
    ).length
    const transfers = orders.filter(({ paymentMethod }) => paymentMethod === 'transfer').length
    expect([unserved > 10 && unserved < 60, transfers > 5 && transfers < 50]).toEqual([true, true])
  })
})
