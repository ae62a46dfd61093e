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
    [{ ...body, items: [{ ...item, quantity: 2 ** 50, price: '99999999' }] }, ['/items']],
    [{ ...body, paymentMethod: 'cash' }, ['/paymentMethod']],
    [{ ...body, placedAt: 'yesterday' }, ['/placedAt']],
    [{ ...body, placedAt: '2026-13-01' }, ['/placedAt']],
    [{ ...body, totalAmount: '9.01' }, ['/totalAmount']],
    [{ ...body, 'a/b~c': 1 }, ['/a~1b~0c']],
  ])('finds what is wrong with %#', (bad, pointers) => {
    const parsed = parseOrderRequest(bad)
    expect(parsed.ok ? [] : parsed.problems.map(({ pointer }) => pointer)).toEqual(pointers)
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
  ])('finds what is wrong with %j', (bad, pointers) => {
    const parsed = parseStockRequest(bad)
    expect(parsed.ok ? [] : parsed.problems.map(({ pointer }) => pointer)).toEqual(pointers)
  })
})
