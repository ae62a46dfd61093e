import { describe, expect, it } from 'vitest'
import {
  createOrderCommand,
  parseOrderRequest,
} from '../../topologies/shop/shared/order-request.ts'
import { parseStockRequest } from '../../topologies/shop/shared/stock-request.ts'

const item = { productId: 'tea', quantity: 2, price: '4.50' }
const body = { customerId: 'ann', currency: 'EUR', items: [item] }

describe('parseOrderRequest', () => {
  it('turns prices into minor units and fills in the payment method', () => {
    expect(parseOrderRequest({ ...body, totalAmount: 9, notes: 'ring twice' })).toEqual({
      ok: true,
      value: {
        customerId: 'ann',
        currency: 'EUR',
        paymentMethod: 'card',
        notes: 'ring twice',
        items: [{ productId: 'tea', quantity: 2, priceMinor: 450 }],
      },
    })
  })

  it.each<[unknown, readonly string[]]>([
    [null, ['']],
    [[], ['']],
    [{}, ['/customerId', '/currency', '/items']],
    [{ ...body, customerId: '' }, ['/customerId']],
    [{ ...body, customerId: '\ud800' }, ['/customerId']],
    [{ ...body, orderId: 'x'.repeat(256) }, ['/orderId']],
    [{ ...body, currency: 'euro' }, ['/currency']],
    [{ ...body, items: [] }, ['/items']],
    [{ ...body, items: Array.from({ length: 501 }, () => item) }, ['/items']],
    [{ ...body, items: [item, 7] }, ['/items/1']],
    [{ ...body, items: [{ ...item, quantity: 0 }] }, ['/items/0/quantity']],
    [{ ...body, items: [{ ...item, quantity: 1.5 }] }, ['/items/0/quantity']],
    [{ ...body, items: [{ ...item, price: -1 }] }, ['/items/0/price']],
    [{ ...body, items: [{ ...item, price: 0.001 }] }, ['/items/0/price']],
    [{ ...body, items: [{ ...item, price: true }] }, ['/items/0/price']],
    [{ ...body, items: [{ ...item, prize: 1 }] }, ['/items/0/prize']],
    [{ ...body, items: [{ ...item, quantity: 2 ** 53 }] }, ['/items/0/quantity']],
    [{ ...body, items: [{ ...item, quantity: 1_000_001 }] }, ['/items/0/quantity']],
    [{ ...body, items: [{ ...item, quantity: 1_000_000, price: '10000.01' }] }, ['/items']],
    [{ ...body, items: Array.from({ length: 500 }, () => ({ ...item, price: 1e13 })) }, ['/items']],
    [{ ...body, orderId: '.' }, ['/orderId']],
    [{ ...body, orderId: '..' }, ['/orderId']],
    [{ ...body, notes: 'a\udc00' }, ['/notes']],
    [{ ...body, paymentMethod: 'cash' }, ['/paymentMethod']],
    [{ ...body, placedAt: 'yesterday' }, ['/placedAt']],
    [{ ...body, placedAt: '2026-13-01' }, ['/placedAt']],
    [{ ...body, placedAt: '2026-02-30' }, ['/placedAt']],
    [{ ...body, placedAt: '2026-02-29T12:00:00Z' }, ['/placedAt']],
    [{ ...body, placedAt: '2026-04-31T12:00:00+02:00' }, ['/placedAt']],
    [{ ...body, placedAt: '2026-01-01T24:00:00Z' }, ['/placedAt']],
    [{ ...body, placedAt: '2026-01-01T12:00:00' }, ['/placedAt']],
    [{ ...body, totalAmount: '9.01' }, ['/totalAmount']],
    [{ ...body, 'a/b~c': 1 }, ['/a~1b~0c']],
  ])('finds what is wrong with %#', (bad, pointers) => {
    const parsed = parseOrderRequest(bad)
    expect(parsed.ok ? [] : parsed.problems.map(({ pointer }) => pointer)).toEqual(pointers)
  })

  it.each([
    { placedAt: '2024-02-29' },
    { placedAt: '2025-12-31T23:59:59.999-11:30' },
    { orderId: 'x'.repeat(255) },
    { orderId: '...' },
    { items: [{ ...item, quantity: 1_000_000, price: '10000.00' }] },
  ])('takes what is at its bound: %#', (good) => {
    expect(parseOrderRequest({ ...body, ...good })).toMatchObject({ ok: true })
  })

  it.each([
    [{ customer: 'ann' }, 'is not a known field; the nearest is customerId'],
    [{ Notes: 'x' }, 'is not a known field; the nearest is notes'],
    [{ items: [{ ...item, quantitty: 3 }] }, 'is not a known field; the nearest is quantity'],
    [{ items: [{ ...item, quantity: 2 ** 53 }] }, 'must be a whole number from 1 to 1000000'],
    [{ notes: '\ud800' }, 'is no Unicode text: half of a surrogate pair is in it'],
    [{ notes: 'x'.repeat(1001) }, 'must be a text of 1 to 1000 characters'],
    [
      { items: [{ ...item, quantity: 1_000_000, price: '10000.01' }] },
      'cost more than 10000000000.00 EUR, the most one order may',
    ],
  ])('says what is wrong with %j', (bad, detail) => {
    const parsed = parseOrderRequest({ ...body, ...bad })
    expect(parsed.ok ? [] : parsed.problems.map((problem) => problem.detail)).toEqual([detail])
  })

  it('takes the past, and the future as far as clocks differ', () => {
    const nowMs = Date.parse('2026-01-01T12:00:00Z')
    const isOk = (placedAt: string): boolean => parseOrderRequest({ ...body, placedAt }, nowMs).ok
    expect(isOk('0001-01-01')).toBe(true)
    expect(isOk('2026-01-01T13:00:00Z')).toBe(true)
    expect(isOk('2026-01-01T13:00:00.001Z')).toBe(false)
    expect(parseOrderRequest({ ...body, placedAt: '3020-01-01' }, nowMs)).toEqual({
      ok: false,
      problems: [{ pointer: '/placedAt', detail: 'must not lie more than 60 minutes ahead' }],
    })
  })

  it('makes the same command for the same id', () => {
    const parsed = parseOrderRequest({ ...body, orderId: 'o-1' })
    if (!parsed.ok) throw new Error('bad body')
    const [first, again] = [1, 2].map((nowMs) =>
      createOrderCommand(parsed.value, { orderId: 'o-1', nowMs, source: 'http' }),
    )
    expect(first!.commandId).toBe(again!.commandId)
    expect(first!.data).toEqual(again!.data)
    expect(first!.data.orderId).toBe('o-1')
  })
})

describe('parseStockRequest', () => {
  it('accepts either name of the quantity and defaults the reason', () => {
    const value = { operation: 'ADD', quantity: 5, reason: 'RESTOCK' }
    expect(parseStockRequest({ operation: 'ADD', quantity: 5 })).toEqual({ ok: true, value })
    expect(parseStockRequest({ operation: 'ADD', quantityChange: 5 })).toEqual({ ok: true, value })
  })

  it.each<[unknown, readonly string[]]>([
    ['x', ['']],
    [{}, ['/operation', '/quantity']],
    [{ operation: 'ADD', quantity: -1 }, ['/quantity']],
    [{ operation: 'ADD', quantity: 1, reason: 'GIFT' }, ['/reason']],
    [{ operation: 'ADD', quantity: 1, force: 1 }, ['/force']],
    [{ operation: 'ADD', quantity: 1, safetyStock: 0.5 }, ['/safetyStock']],
    [{ operation: 'ADD', quantity: 1, amount: 2 }, ['/amount']],
    [{ operation: 'ADD', quantity: 1, quantityChange: 1 }, ['/quantityChange']],
    [{ operation: 'ADD', quantity: null, quantityChange: 1 }, ['/quantityChange']],
    [{ operation: 'ADD', quantityChange: -1 }, ['/quantityChange']],
    [{ operation: 'ADD', quantity: 1_000_000_000_001 }, ['/quantity']],
    [{ operation: 'ADD', quantity: 1, safetyStock: 2 ** 53 }, ['/safetyStock']],
  ])('finds what is wrong with %j', (bad, pointers) => {
    const parsed = parseStockRequest(bad)
    expect(parsed.ok ? [] : parsed.problems.map(({ pointer }) => pointer)).toEqual(pointers)
  })
})
