/**
 * Goal: hostile and careless requests get a problem document that says what is wrong, and every id
 * the shop accepts can be asked for.
 */

import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { RemoteShop } from '../../src/cli/remote-shop.ts'
import { type Answer, orderOf } from './shop-client.ts'
import { stockedShop } from './stocked-shop.ts'

const client = stockedShop({ mayLeaveDeadLetters: true })
const { call, post, put } = client

const expectProblem = ({ status, headers, body }: Answer, expected: number): void => {
  expect(headers.get('content-type')).toMatch(/^application\/problem\+json/)
  expect([status, body['status'], typeof body['title'], typeof body['detail']]).toEqual([
    expected,
    expected,
    'string',
    'string',
  ])
}

describe('every id that is accepted', () => {
  it.each([
    ['of 255 letters', 'x'.repeat(255)],
    ['of 255 units in three bytes each', '€'.repeat(255)],
    ['of 127 pairs', '🫖'.repeat(127)],
    ['with slashes', 'a/b//c/'],
    ['of slashes', '/'.repeat(255)],
    ['of percent signs', '%'.repeat(255)],
    ['with escapes in it', '100%25%2F?x=1#y'],
    ['with dots', '...'],
    ['with blanks and quotes', ' a "b" \'c\' '],
    ['with control characters', 'a\r\nb\0c'],
    ['that looks like a path', '../../health/live'],
  ])('%s can be asked for', async (_what, orderId) => {
    const placed = await post('/api/orders?wait=10000', orderOf(1, { orderId }))
    expect([placed.status, placed.body['orderId']]).toEqual([200, orderId])
    const path = placed.headers.get('location')!
    expect((await call(path)).body).toEqual(placed.body)
    const history = await call(`${path}/history`)
    expect(history.body['order']).toMatchObject({ orderId, status: 'completed' })
    const shop = new RemoteShop(client.instance.address)
    expect(await shop.order(orderId)).toMatchObject({ orderId })
    expect((await shop.history(orderId))?.order).toMatchObject({ orderId })
    const stock = `/api/inventory/${encodeURIComponent(orderId)}`
    const added = await put(stock, { operation: 'ADD', quantity: 1 })
    expect([added.status, added.body['productId']]).toEqual([200, orderId])
    await shop.cancelOrder(orderId, { reason: 'sent back' })
  })

  it.each(['x'.repeat(256), '€'.repeat(256), 'x'.repeat(300), 'x'.repeat(3000)])(
    'is at most 255 long, everywhere: %#',
    async (orderId) => {
      expectProblem(await post('/api/orders', orderOf(1, { orderId })), 400)
      const expected = orderId.length > 1000 ? 414 : 400
      for (const place of ['orders', 'inventory']) {
        const path = `/api/${place}/${encodeURIComponent(orderId)}`
        expectProblem(await call(path), expected)
      }
      const path = `/api/orders/${encodeURIComponent(orderId)}`
      expectProblem(await call(`${path}/history`), expected)
      expectProblem(await call(path, { method: 'DELETE' }), expected)
    },
  )
})

describe('bodies', () => {
  const text = (body: object): string => JSON.stringify(body)
  const utf8 = (body: string): Uint8Array => new TextEncoder().encode(body)
  const [before, after] = text(orderOf(1, { notes: '|' })).split('|') as [string, string]

  it.each<[string, number, string | Uint8Array, Record<string, string>]>([
    ['not UTF-8', 400, Buffer.concat([utf8(before), Buffer.from([0xff]), utf8(after)]), {}],
    ['half of a character', 400, Buffer.concat([utf8(before), Buffer.from([0xe2, 0x82])]), {}],
    ['half of a surrogate pair', 400, `${before}\\ud800${after}`, {}],
    ['no JSON', 400, '{"a"', {}],
    ['empty', 400, '', {}],
    ['very deep', 400, '['.repeat(500_000), {}],
    ['UTF-16', 415, text(orderOf(1)), { 'content-type': 'application/json; charset=utf-16' }],
    ['Latin 1', 415, text(orderOf(1)), { 'content-type': 'application/json;charset="latin1"' }],
    ['compressed', 415, text(orderOf(1)), { 'content-encoding': 'gzip' }],
    ['of another type', 415, 'a=1', { 'content-type': 'text/csv' }],
    ['of no type', 415, text(orderOf(1)), { 'content-type': '' }],
    ['too large', 413, `"${'x'.repeat(1_100_000)}"`, {}],
  ])('that are %s are refused with %i', async (_what, status, body, headers) => {
    expectProblem(await post('/api/orders', body, headers), status)
    expectProblem(await put('/api/inventory/tea', body, headers), status)
  })

  it('may say that they are UTF-8, and begin with its mark', async () => {
    const headers = { 'content-type': 'application/json; charset=UTF-8' }
    expect((await post('/api/orders', `\ufeff${text(orderOf(1))}`, headers)).status).toBe(202)
  })

  it('may be missing from a DELETE that names a type', async () => {
    const headers = { 'content-type': 'application/json' }
    const answer = await call('/api/orders/never', { method: 'DELETE', headers })
    expectProblem(answer, 404)
  })

  it('name the field that was meant', async () => {
    const { body } = await put('/api/inventory/tea', { operation: 'ADD', quantty: 1 })
    expect(body['errors']).toContainEqual({
      pointer: '/quantty',
      detail: 'is not a known field; the nearest is quantity',
    })
  })
})

describe('requests', () => {
  it.each([
    ['GET', '/api/inventory/%ff', 400],
    ['GET', '/api/orders/%E0%A4%A', 400],
    ['DELETE', '/api/orders/%zz', 400],
    ['GET', '/api/nothing', 404],
    ['GET', '/', 404],
    ['PATCH', '/api/orders/o-1', 405],
    ['POST', '/api/inventory/tea', 405],
    ['GET', '/api/stores/products/rows?limit=1.5', 400],
    ['GET', '/api/stores/products/rows?limit=1&limit=2', 400],
    ['DELETE', '/api/orders/o-1?raeson=x', 400],
    ['GET', '/api/orders/none', 404],
  ])('%s %s is a problem of %i', async (method, path, status) => {
    expectProblem(await call(path, { method }), status)
  })

  it.each(['1.5', '-1', '', '1e3', '0x10', ' 5', '+5', 'true', '30001', '5&wait=6'])(
    'wait=%s is refused, for orders and stock',
    async (wait) => {
      const answer = await post(`/api/orders?wait=${wait}`, orderOf(1))
      expectProblem(answer, 400)
      expect(answer.body['errors']).toMatchObject([{ pointer: '?wait' }])
      const update = { operation: 'ADD', quantity: 1 }
      expectProblem(await put(`/api/inventory/tea?wait=${wait}`, update), 400)
    },
  )

  it('name the parameter that was meant', async () => {
    const { body } = await post('/api/orders?wiat=1', orderOf(1))
    expect(body['errors']).toEqual([
      { pointer: '?wiat', detail: 'is not known here; the nearest is wait' },
    ])
  })

  it.each(['', 'x'.repeat(256)])('Idempotency-Key %# is refused', async (key) => {
    const headers = { 'idempotency-key': key }
    expectProblem(await post('/api/orders', orderOf(1), headers), 400)
    expectProblem(await put('/api/inventory/tea', { operation: 'ADD', quantity: 1 }, headers), 400)
  })

  it.each([
    ['what is no HTTP', 'NONSENSE\r\n\r\n', 400],
    ['headers without end', `GET / HTTP/1.1\r\nx: ${'y'.repeat(70_000)}\r\n\r\n`, 431],
  ])('%s gets a problem too', async (_what, bytes, status) => {
    const { port, hostname } = new URL(client.instance.address)
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), hostname, () => socket.write(bytes))
      let got = ''
      socket.setEncoding('utf8').on('data', (chunk: string) => void (got += chunk))
      socket.on('close', () => resolve(got)).on('error', reject)
    })
    const [head, body] = answer.split('\r\n\r\n') as [string, string]
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(head).toContain('application/problem+json')
    expect(JSON.parse(body)).toMatchObject({ status, detail: expect.any(String) as string })
  })
})
