/**
 * Goal: payments, refunds and shipments over HTTP: what is answered is what was decided, races,
 * repetitions and restarts included.
 *
 * Method: one instance over a real socket whose provider is a server of its own, so that the money
 * there is the judge. Invariant: no request, refused or not, leaves a dead letter.
 */

import { afterAll, describe, expect, it } from 'vitest'
import { shipmentIdOf } from '../../topologies/shop/shared/ids.ts'
import { ProviderServer } from '../shop/provider-server.ts'
import { isProblem, key, replayed } from './expected-answers.ts'
import { type Answer, orderOf } from './shop-client.ts'
import { stockedShop } from './stocked-shop.ts'

const provider = new ProviderServer()
await provider.open()
afterAll(() => provider.close())
const client = stockedShop({
  flags: { payments: 'http', paymentUrl: provider.url, carrierMode: 'manual' },
})
const { call, post, put, eventually } = client

const statusesOf = (answers: readonly Answer[]): readonly number[] =>
  answers.map(({ status }) => status).toSorted()
const place = (orderId: string, more: object = {}): Promise<Answer> =>
  post('/api/orders', orderOf(2, { orderId, ...more }))
const transfer = { paymentMethod: 'transfer' }
const hasStatus =
  (...statuses: readonly string[]) =>
  ({ body }: Answer): boolean =>
    statuses.includes(String(body['status']))

/** An order by card that is paid for and not shipped yet; its total is 5.00 EUR. */
const confirmed = async (orderId: string): Promise<{ readonly payment: string }> => {
  await place(orderId)
  const { body } = await eventually(`/api/orders/${orderId}`, hasStatus('confirmed'))
  const [payment] = body['payments'] as readonly { readonly paymentId: string }[]
  return { payment: `/api/payments/${payment!.paymentId}` }
}

/** Waits long: the provider may be slow on a busy machine. */
const refundOf = (payment: string, waitMs = 20_000): string => `${payment}/refund?wait=${waitMs}`

describe('a payment for an order that waits for a transfer', { timeout: 30_000 }, () => {
  it('is taken once, can be read at once, and the order goes on', async () => {
    await place('t-1', transfer)
    const paid = await post('/api/payments', { orderId: 't-1' }, key('t-1'))
    expect(paid.status).toBe(202)
    const path = paid.headers.get('location')!
    const seen = await call(path)
    expect([seen.status, seen.body['orderId'], seen.body['amount']]).toEqual([200, 't-1', '5.00'])
    const done = await eventually(path, hasStatus('captured'))
    expect(done.body).toMatchObject({ captured: '5.00', refundable: '5.00', method: 'transfer' })
    await eventually('/api/orders/t-1', hasStatus('confirmed'))
    const again = await post('/api/payments?wait=5000', { orderId: 't-1' }, key('t-1'))
    expect([again.status, again.body, replayed(again)]).toEqual([200, done.body, 'true'])
    expect(replayed(paid)).toBeNull()
    const other = await post('/api/payments', { orderId: 't-1', amount: '1.00' }, key('t-1'))
    expect(other.status).toBe(422)
    expect((await post('/api/payments', { orderId: 't-1' })).status).toBe(409)
  })

  it('that is too little ends the order, and is paid back', async () => {
    await place('t-2', transfer)
    const body = { orderId: 't-2', amount: '4.99', currency: 'EUR' }
    const paid = await post('/api/payments?wait=5000', body)
    expect([paid.status, paid.body['captured']]).toEqual([200, '4.99'])
    const { body: order } = await eventually('/api/orders/t-2', hasStatus('cancelled'))
    expect(order).toMatchObject({ reason: 'short-payment', refunded: '4.99' })
    expect(provider.keptMinor(String(paid.body['paymentId']))).toBe(0)
  })

  it('is refused where none is waited for, or with what cannot be', async () => {
    await confirmed('c-1')
    await place('t-3', transfer)
    const refused: readonly (readonly [object, number])[] = [
      [{ orderId: 'none' }, 404],
      [{ orderId: 'c-1' }, 409],
      [{ orderId: 't-3', currency: 'JPY' }, 422],
      [{ orderId: 't-3', amount: '0' }, 400],
      [{ orderId: 't-3', amount: '0.001' }, 400],
      [{ orderId: 't-3', amount: true }, 400],
      [{ orderId: 't-3', amuont: '1' }, 400],
      [{}, 400],
    ]
    for (const [body, status] of refused) {
      const answer = await post('/api/payments', body)
      expect([body, answer.status]).toEqual([body, status])
      expect(answer.headers.get('content-type')).toMatch('problem+json')
    }
    expect((await call('/api/payments/none')).status).toBe(404)
  })
})

describe('a refund', { timeout: 30_000 }, () => {
  it('is paid back once, and never more than is left', async () => {
    const { payment } = await confirmed('r-1')
    const first = await post(refundOf(payment), { amount: '2.00', reason: 'late' }, key('a'))
    expect(first.status).toBe(200)
    expect(first.body).toMatchObject({ refunded: '2.00', refundable: '3.00' })
    expect(first.body['refunds']).toMatchObject([
      { amount: '2.00', status: 'done', reason: 'late' },
    ])
    const again = await post(refundOf(payment), { amount: '2.00', reason: 'late' }, key('a'))
    expect([again.body, replayed(again), replayed(first)]).toEqual([first.body, 'true', null])
    expect((await post(refundOf(payment), { amount: '1.00' }, key('a'))).status).toBe(422)
    const much = await post(refundOf(payment), { amount: '3.01' })
    expect([much.status, much.body['detail']]).toEqual([
      409,
      expect.stringMatching(/^3\.01 EUR of payment .*: 3\.00 EUR are left\.$/),
    ])
    await eventually('/api/orders/r-1', ({ body }) => body['refunded'] === '2.00')
    const rest = await call(refundOf(payment), { method: 'POST' }) // no body: all that is left
    expect(rest.body['refundable']).toBe('0.00')
    expect((await post(refundOf(payment), {})).status).toBe(409)
    expect((await post('/api/payments/none/refund', {})).status).toBe(404)
  })

  it('that races with others is refused when together they are too much', async () => {
    const { payment } = await confirmed('r-2')
    const answers = await Promise.all(
      ['3.00', '3.00', '3.00'].map((amount) => post(refundOf(payment), { amount })),
    )
    expect(statusesOf(answers)).toEqual([200, 409, 409])
    expect(provider.keptMinor(payment.slice('/api/payments/'.length))).toBe(200)
  })

  it('that nobody has answered yet counts', async () => {
    const { payment } = await confirmed('r-3')
    await provider.close()
    const [waits, second, other] = await Promise.all([
      post(refundOf(payment, 2_000), { amount: '4.00' }, key('b')),
      post(refundOf(payment, 2_000), { amount: '4.00' }, key('b')),
      post(refundOf(payment, 2_000), { amount: '3.00' }, key('b')),
    ])
    expect([waits.status, waits.body['status'], replayed(waits)]).toEqual([202, 'accepted', null])
    isProblem(second, 'keyInFlight')
    isProblem(other, 'keyReused')
    isProblem(await post(refundOf(payment), { amount: '1.01' }), 'refundTooHigh')
    expect((await call(payment)).body).toMatchObject({ refunded: '0.00', refundable: '1.00' })
    await provider.open()
    await eventually(payment, ({ body }) => body['refunded'] === '4.00')
    const known = await post(refundOf(payment), { amount: '4.00' }, key('b'))
    expect([known.status, known.body['refundable']]).toEqual([200, '1.00'])
    const reused = await post(refundOf(payment), { amount: '2.00' }, key('b'))
    isProblem(reused, 'keyReused')
    expect(reused.body['detail']).toMatch(/^Idempotency-Key "b" came/) // as it was given
  })

  it('goes by If-Match, also when two race', async () => {
    const { payment } = await confirmed('r-4')
    const etag = (await call(payment)).headers.get('etag')!
    expect((await call(payment, { headers: { 'if-none-match': etag } })).status).toBe(304)
    const answers = await Promise.all(
      [1, 2].map(() => post(refundOf(payment), { amount: '1.00' }, { 'if-match': etag })),
    )
    expect(statusesOf(answers)).toEqual([200, 412])
    for (const tag of ['"99"', 'W/"2"', 'x']) {
      expect((await post(refundOf(payment), {}, { 'if-match': tag })).status).toBe(412)
    }
    expect((await post(refundOf(payment), {}, { 'if-match': '"1", "2"' })).status).toBe(400)
    const any = await post(refundOf(payment), { amount: '1.00' }, { 'if-match': '*' })
    expect(any.body['refundable']).toBe('3.00')
  })
})

describe('a shipment', { timeout: 30_000 }, () => {
  const pathOf = (orderId: string): string => `/api/shipments/${shipmentIdOf(orderId)}`

  it('is asked for by its order; asking again is the same one', async () => {
    await confirmed('s-1')
    const asked = await Promise.all([1, 2].map(() => post('/api/shipments', { orderId: 's-1' })))
    const path = pathOf('s-1')
    for (const { status, headers, body } of asked) {
      expect([status, headers.get('location'), body['status']]).toEqual([200, path, 'CREATED'])
    }
    await place('s-unpaid', transfer)
    const again = await post('/api/shipments', { orderId: 's-1' }, key('ship'))
    expect([again.status, replayed(again)]).toEqual([200, 'true'])
    isProblem(await post('/api/shipments', { orderId: 's-unpaid' }, key('ship')), 'keyReused')
    const { body, headers } = await call(path)
    expect(body).toEqual(asked[0]!.body)
    expect(headers.get('etag')).toBe('"1"')
    const { body: order } = await call('/api/orders/s-1')
    expect(order['shipment']).toMatchObject({ shipmentId: body['shipmentId'] })
    isProblem(await post('/api/shipments', { orderId: 's-unpaid' }), 'notToShip')
    expect((await post('/api/shipments', { orderId: 'none' })).status).toBe(404)
    expect((await post('/api/shipments', { orderId: 's-1', carrier: 'me' })).status).toBe(400)
    expect((await call('/api/shipments/none')).status).toBe(404)
  })

  it('goes its way by status, in the order there is, and ends its order', async () => {
    await confirmed('s-2')
    const path = `${pathOf('s-2')}/status`
    const move = (status: string, headers?: Record<string, string>): Promise<Answer> =>
      put(path, { status, location: 'Hall 3' }, headers)
    await eventually(pathOf('s-2'), ({ status }) => status === 200)
    const early = await move('DELIVERED')
    expect([early.status, early.body['detail']]).toEqual([
      409,
      expect.stringMatching(/^ILLEGAL_TRANSITION: .* is CREATED, DELIVERED cannot follow\.$/),
    ])
    const shipped = await move('SHIPPED', key('one'))
    expect(shipped.body).toMatchObject({ status: 'SHIPPED', version: 2, location: 'Hall 3' })
    expect((await move('OUT_FOR_DELIVERY')).status).toBe(200)
    expect((await move('DELIVERY_FAILED')).status).toBe(200)
    // the first update again: known, and done once
    const again = await move('SHIPPED', key('one'))
    expect([again.status, again.body['status']]).toEqual([200, 'DELIVERY_FAILED'])
    expect([replayed(again), replayed(shipped)]).toEqual(['true', null])
    expect((await move('DELIVERED', key('one'))).status).toBe(422)
    expect((await move('DELIVERED')).status).toBe(200)
    await eventually('/api/orders/s-2', hasStatus('completed'))
    for (const body of [
      { status: 'CREATED' },
      { status: 'LOST' },
      {},
      { status: 'SHIPPED', at: 1 },
    ]) {
      expect((await put(path, body)).status).toBe(400)
    }
  })

  it('goes by If-Match, also when two race', async () => {
    await confirmed('s-3')
    const path = pathOf('s-3')
    await eventually(path, ({ status }) => status === 200)
    const headers = { 'if-match': '"1"' }
    const answers = await Promise.all(
      [1, 2].map(() => put(`${path}/status?wait=20000`, { status: 'SHIPPED' }, headers)),
    )
    expect(statusesOf(answers)).toEqual([200, 412])
    const right = { 'if-match': (await call(path)).headers.get('etag')! }
    expect((await put(`${path}/status`, { status: 'DELIVERED' }, right)).status).toBe(200)
  })

  it('keeps decisions over a restart, and tells where they are', async () => {
    await confirmed('s-4')
    const path = pathOf('s-4')
    await eventually(path, ({ status }) => status === 200)
    const late = await put(`${path}/status?wait=0`, { status: 'DELIVERED' }, key('two'))
    expect(late.status).toBe(202)
    const decision = late.headers.get('location')!
    expect((await call(decision)).body).toMatchObject({ status: 'refused' })
    expect((await call(`${path}/updates/none`)).status).toBe(404)
    await client.close()
    await client.open()
    expect((await call(decision)).body).toMatchObject({
      status: 'refused',
      refusal: { code: 'ILLEGAL_TRANSITION' },
    })
    const again = await put(`${path}/status?wait=0`, { status: 'DELIVERED' }, key('two'))
    isProblem(again, 'statusRefused')
    expect(replayed(again)).toBe('true')
    expect((await put(`${path}/status`, { status: 'SHIPPED' }, key('two'))).status).toBe(422)
  })
})

it('the money at the provider is what the shop has', async () => {
  const { body } = await call('/api/stores/payments/rows?limit=1000')
  const rows = body['rows'] as readonly {
    readonly value: {
      readonly paymentId: string
      readonly capturedMinor: number
      readonly refunds?: readonly { readonly amountMinor: number; readonly state: string }[]
    }
  }[]
  expect(rows.length).toBeGreaterThan(8)
  for (const { value } of rows) {
    const refundedMinor = (value.refunds ?? [])
      .filter(({ state }) => state === 'done')
      .reduce((sum, { amountMinor }) => sum + amountMinor, 0)
    expect(provider.keptMinor(value.paymentId)).toBe(value.capturedMinor - refundedMinor)
  }
  expect([...provider.moves.values()].every((moves) => moves === 1)).toBe(true)
  const { text } = (await call('/metrics')).body
  expect(text).toMatch(/^millrace_payment_breaker_open 0$/m)
})
