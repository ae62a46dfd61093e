/**
 * Goal: the shop's HTTP API on a real instance: orders, stock, stores, and every refusal.
 *
 * Method: one instance on RocksDB and the embedded broker in a temporary directory, asked over a
 * real socket.
 */

import { describe, expect, it } from 'vitest'
import { orderOf as tea } from './shop-client.ts'
import { stockedShop } from './stocked-shop.ts'

const client = stockedShop({ mayLeaveDeadLetters: true })
const { call, post, put, eventually } = client

describe('orders', () => {
  it('accepts an order and completes it', async () => {
    const accepted = await post('/api/orders', tea(2))
    expect(accepted.status).toBe(202)
    const location = accepted.headers.get('location')!
    expect(location).toBe(`/api/orders/${accepted.body['orderId']}`)
    const { body, headers } = await eventually(location, (a) => a.body['status'] === 'completed')
    expect(body).toMatchObject({
      customerId: 'c-1',
      total: '5.00',
      captured: '5.00',
      refunded: '0.00',
      items: [{ productId: 'tea', quantity: 2, price: '2.50', state: 'deducted' }],
      shipment: { status: 'DELIVERED' },
    })
    const etag = headers.get('etag')!
    expect(etag).toMatch(/^"\d+"$/)
    for (const tag of [etag, '*', `"0", W/${etag}`]) {
      const same = await call(location, { headers: { 'if-none-match': tag } })
      expect([same.status, same.body['text'], same.headers.get('etag')]).toEqual([304, '', etag])
    }
    expect((await call(location, { headers: { 'if-none-match': '"0"' } })).status).toBe(200)
    const none = await call('/api/orders/none', { headers: { 'if-none-match': '*' } })
    expect(none.status).toBe(404)
    const story = (await call(`${location}/history`)).body
    expect(story['rebuilt']).toEqual({ verdict: 'same', differences: [] })
    const history = story['events'] as { eventType: string }[]
    expect(history[0]).toMatchObject({ eventType: 'order.created', topic: 'ecom.orders' })
    expect(history.at(-1)).toMatchObject({ eventType: 'saga.completed' })
  })

  it('waits for the outcome when asked to', async () => {
    const { status, body } = await post('/api/orders?wait=10000', tea(1))
    expect([status, body['status']]).toEqual([200, 'completed'])
    const soldOut = await post('/api/orders?wait=10000', tea(100_000))
    expect(soldOut.body).toMatchObject({ status: 'rejected', captured: '0.00' })
  })

  it('makes one order of a retry, and refuses another body under the same key', async () => {
    const headers = { 'idempotency-key': 'retry-1' }
    const first = await post('/api/orders?wait=10000', tea(3), headers)
    const again = await post('/api/orders?wait=10000', tea(3), headers)
    expect(again.body).toEqual(first.body)
    const other = await post('/api/orders', tea(4), headers)
    expect(other.status).toBe(422)
    const foreign = await post('/api/orders', tea(3), { 'idempotency-key': '\u00d7\u009b' })
    expect(foreign.status).toBe(400)
    const long = await post('/api/orders', tea(3), { 'idempotency-key': 'x'.repeat(256) })
    expect(long.status).toBe(400)
  })

  it('cancels what waits for its money, and nothing twice', async () => {
    const { body } = await post('/api/orders', tea(1, { paymentMethod: 'transfer' }))
    const path = `/api/orders/${body['orderId']}`
    await eventually(path, (answer) => answer.body['status'] === 'paying')
    const cancelled = await call(`${path}?reason=changed-mind`, { method: 'DELETE' })
    expect(cancelled.status).toBe(202)
    const { body: row } = await eventually(path, (answer) => answer.body['status'] === 'cancelled')
    expect(row).toMatchObject({ items: [{ state: 'released' }], captured: '0.00' })
    expect((await call(path, { method: 'DELETE' })).status).toBe(409)
  })

  it.each([
    [{}, ['/currency', '/customerId', '/items']],
    [tea(0), ['/items/0/quantity']],
    [tea(1, { surprise: 1 }), ['/surprise']],
    [JSON.stringify(tea(1)).replace('"2.50"', '2.5000000000000001'), ['/items/0/price']],
    ['[]', ['']],
  ])('names what is wrong with %j', async (body, pointers) => {
    const answer = await post('/api/orders', body)
    expect(answer.status).toBe(400)
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/)
    const errors = answer.body['errors'] as { pointer: string }[]
    expect(errors.map(({ pointer }) => pointer).toSorted()).toEqual(pointers)
  })

  it('refuses bodies, orders, parameters and methods it does not know', async () => {
    expect((await post('/api/orders', '{"a":')).status).toBe(400)
    expect((await post('/api/orders', 'a=1', { 'content-type': 'text/csv' })).status).toBe(415)
    expect((await post('/api/orders?wiat=1', tea(1))).status).toBe(400)
    const future = await post('/api/orders', { ...tea(1), placedAt: '3020-01-01T00:00:00Z' })
    expect([future.status, future.body['errors']]).toEqual([
      400,
      [{ pointer: '/placedAt', detail: 'must not lie more than 60 minutes ahead' }],
    ])
    expect((await call('/api/orders/unknown')).status).toBe(404)
    expect((await call('/api/orders/unknown/history')).status).toBe(404)
    expect((await call('/api/orders/unknown', { method: 'DELETE' })).status).toBe(404)
    const wrong = await call('/api/orders/unknown', { method: 'PATCH' })
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'DELETE, GET, HEAD, PUT'])
  })
})

describe('inventory', () => {
  it('adds once per key, and shows what is available', async () => {
    const path = '/api/inventory/coffee'
    expect((await call(path)).status).toBe(404)
    const update = { operation: 'ADD', quantity: 10, reason: 'RESTOCK', safetyStock: 2 }
    for (let i = 0; i < 2; i += 1) {
      const { status, body } = await put(path, update, { 'idempotency-key': 'k' })
      expect([status, body['onHand'], body['available']]).toEqual([200, 10, 8])
    }
    await put(path, { operation: 'SUBTRACT', quantity: 3 }, { 'idempotency-key': 'l' })
    const { body, headers } = await call(path)
    expect(body).toMatchObject({ onHand: 7, held: 0, available: 5, addedTotal: 10, version: 2 })
    expect(headers.get('etag')).toBe('"2"')
    expect((await call(path, { headers: { 'if-none-match': '*' } })).status).toBe(304)
  })

  it('names what is wrong with an update', async () => {
    const answer = await put('/api/inventory/tea', { operation: 'MUL', quantity: -1 })
    expect(answer.status).toBe(400)
    const errors = answer.body['errors'] as { pointer: string }[]
    expect(errors.map(({ pointer }) => pointer).toSorted()).toEqual(['/operation', '/quantity'])
  })
})

describe('the rest', () => {
  it('reads stores by name', async () => {
    const row = await call('/api/stores/products/rows/tea')
    expect(row.body).toMatchObject({ key: 'tea', value: { productId: 'tea' } })
    expect((await call('/api/stores/products/rows/none')).status).toBe(404)
    const unknown = await call('/api/stores/none/rows')
    expect(unknown.status).toBe(404)
    expect(unknown.body['detail']).toContain('no store is named none')
    const { body } = await call('/api/stores/orders/rows?limit=2')
    const keys = (body['rows'] as { key: string }[]).map(({ key }) => key)
    expect(keys).toHaveLength(2)
    expect(keys.toSorted()).toEqual(keys)
    expect((await call('/api/stores/orders/rows?limit=0')).status).toBe(400)
    expect((await call('/api/stores/gateway-calls/rows')).status).toBe(200)
  })

  it('sums up, with all invariants held', async () => {
    const { body } = await eventually('/api/summary', (answer) => answer.body['open'] === 0)
    expect(body['invariants']).toMatchObject({ violations: [] })
    expect(body['orders']).toBeGreaterThan(3)
    const status = await call('/api/status')
    expect(status.body).toMatchObject({ isReady: true, orders: body['orders'] })
  })

  it('tells health and metrics', async () => {
    expect((await call('/health/ready')).status).toBe(200)
    const text = String((await call('/metrics')).body['text'])
    expect(text).toMatch(/^millrace_running 1$/m)
    expect(text).toMatch(/^millrace_records_processed_total [1-9]\d*$/m)
    expect(text).toMatch(/^millrace_shop_total\{counter="status:completed"\} [1-9]/m)
    expect(text).toMatch(/^millrace_records_dropped_total\{reason="Late"\} 0$/m)
  })
})
