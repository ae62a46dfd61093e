/**
 * Goal: whoever got an answer of the shop knows what became of the request, races and restarts
 * included.
 *
 * Method: one instance over a real socket; requests are sent back to back or at once, and the
 * answers must hold however the stream is ahead or behind. Invariant: no request, refused or not,
 * leaves a dead letter.
 */

import { beforeAll, describe, expect, it } from 'vitest'
import { parseOrderRequest } from '../../topologies/shop/shared/order-request.ts'
import { type Answer, orderOf } from './shop-client.ts'
import { stockedShop } from './stocked-shop.ts'

const client = stockedShop()
const { call, post, put, eventually } = client

const cancel = (path: string): Promise<Answer> => call(path, { method: 'DELETE' })
const statusesOf = (answers: readonly Answer[]): readonly number[] =>
  answers.map(({ status }) => status).toSorted()

describe('an order that was just accepted', () => {
  it('can be looked at and cancelled at once', async () => {
    for (let round = 0; round < 10; round += 1) {
      const order = orderOf(1, { paymentMethod: 'transfer', orderId: `at-once-${round}` })
      const { status, headers } = await post('/api/orders', order)
      const path = headers.get('location')!
      const cancelled = await cancel(path)
      const seen = await call(path)
      const story = await call(`${path}/history`)
      const statuses = [status, cancelled.status, seen.status, story.status]
      expect(statuses).toEqual([202, 202, 200, 200])
      await eventually(path, ({ body }) => body['status'] === 'cancelled')
    }
  })

  it('is not made up: unknown ones are 404', async () => {
    for (const path of ['/api/orders/no-such', '/api/orders/no-such/history']) {
      expect((await call(path)).status).toBe(404)
    }
    expect((await cancel('/api/orders/no-such')).status).toBe(404)
  })
})

describe('an order that is in the log only, when the shop starts', () => {
  const ids = Array.from({ length: 300 }, (_, index) => `logged-${index}`)
  const last = `/api/orders/${ids.at(-1)}`

  beforeAll(async () => {
    await client.close()
    await client.whileClosed(async (shop) => {
      const parsed = parseOrderRequest(orderOf(1, { paymentMethod: 'transfer' }))
      if (!parsed.ok) throw new Error('bad order')
      await Promise.all(ids.map((orderId) => shop.placeOrder(orderId, parsed.value)))
    })
    await client.open()
  }, 30_000)

  it('is waited for and cancelled; another body under its id is refused', async () => {
    const second = `/api/orders/${ids.at(-2)}`
    const other = post('/api/orders', orderOf(2, { orderId: ids.at(-3) }))
    const [seen, cancelled] = await Promise.all([call(last), cancel(second)])
    expect([seen.status, cancelled.status]).toEqual([200, 202])
    await eventually(second, ({ body }) => body['status'] === 'cancelled')
    const types = ({ body }: Answer): readonly string[] =>
      (body['events'] as { eventType: string }[]).map(({ eventType }) => eventType)
    if ((await other).status === 409) return // the stream was quicker: told at once
    const path = `/api/orders/${ids.at(-3)}/history`
    await eventually(path, (answer) => types(answer).includes('order.create-refused'))
  })
})

describe('requests that race for one order id', () => {
  it('make one order, and the others are told', async () => {
    for (let round = 0; round < 5; round += 1) {
      const bodies = [1, 2, 1, 3].map((quantity) =>
        orderOf(quantity, { orderId: `race-${round}`, paymentMethod: 'transfer' }),
      )
      const answers = await Promise.all(bodies.map((body) => post('/api/orders', body)))
      const [first, second, third, fourth] = answers.map(({ status }) => status)
      expect(first).toBe(third)
      const winners = [first, second, fourth].filter((status) => status === 202)
      expect([winners.length, statusesOf(answers).at(-1)]).toEqual([1, 409])
    }
  })

  it('are refused after a restart too, also when they do not wait', async () => {
    const order = orderOf(1, { orderId: 'before-restart', paymentMethod: 'transfer' })
    expect((await post('/api/orders', order)).status).toBe(202)
    await client.close()
    await client.open()
    const path = '/api/orders/before-restart'
    expect((await call(path)).status).toBe(200)
    const other = { ...order, notes: 'another' }
    expect((await post('/api/orders', other)).status).toBe(409)
    expect((await post('/api/orders', order)).status).toBe(202)
    expect((await cancel(path)).status).toBe(202)
  }, 30_000)
})

describe('Idempotency-Key', () => {
  const key = (name: string): Record<string, string> => ({ 'idempotency-key': name })

  it('is one body, with an order id in it or not', async () => {
    const withId = orderOf(1, { orderId: 'keyed-1' })
    expect((await post('/api/orders', withId, key('k-1'))).status).toBe(202)
    expect((await post('/api/orders', withId, key('k-1'))).status).toBe(202)
    const others = [
      orderOf(2, { orderId: 'keyed-1' }),
      orderOf(1, { orderId: 'keyed-2' }),
      orderOf(1),
    ]
    for (const other of others) {
      expect((await post('/api/orders', other, key('k-1'))).status).toBe(422)
    }
    expect((await call('/api/orders/keyed-2')).status).toBe(404)
  })

  it('keeps the rule of the order id beside its own', async () => {
    expect((await post('/api/orders', orderOf(1, { orderId: 'keyed-3' }), key('k-3'))).status).toBe(
      202,
    )
    const other = await post('/api/orders', orderOf(2, { orderId: 'keyed-3' }), key('k-4'))
    expect(other.status).toBe(409)
  })

  it('that made an order by itself makes no other one, over a restart too', async () => {
    const { body } = await post('/api/orders', orderOf(1), key('k-5'))
    await client.close()
    await client.open()
    const other = orderOf(1, { orderId: 'keyed-5' })
    expect((await post('/api/orders', other, key('k-5'))).status).toBe(422)
    const again = await post('/api/orders', orderOf(1), key('k-5'))
    expect(again.body['orderId']).toBe(body['orderId'])
  }, 30_000)
})

describe('an update of stock', () => {
  const path = '/api/inventory/pots'
  const take = { operation: 'SUBTRACT', quantity: 11 }

  it('is answered with the decision, the same again with the same', async () => {
    expect((await put('/api/inventory/none', { ...take, quantity: 1 })).status).toBe(409)
    expect((await call('/api/inventory/none')).status).toBe(404)
    const added = await put(path, { operation: 'ADD', quantity: 10 })
    expect([added.status, added.body['onHand']]).toEqual([200, 10])
    const headers = { 'idempotency-key': 'take' }
    const refused = await put(path, take, headers)
    expect(refused.status).toBe(409)
    expect(refused.body['detail']).toBe('STOCK_BELOW_ZERO: 11 of pots, of which 10 are on hand.')
    await put(path, { operation: 'ADD', quantity: 10 })
    expect((await put(path, take, headers)).body).toEqual(refused.body)
    expect((await put(path, { ...take, quantity: 5 }, headers)).status).toBe(422)
    expect((await call(path)).body).toMatchObject({ onHand: 20, version: 2 })
  })

  it('says where the decision will be if it is not waited for', async () => {
    const { status, headers, body } = await put(`${path}?wait=0`, { ...take, quantity: 1000 })
    expect([status, body['status']]).toEqual([202, 'accepted'])
    const place = headers.get('location')!
    const decided = await eventually(place, (answer) => answer.status === 200)
    expect(decided.body).toMatchObject({
      updateId: body['updateId'],
      status: 'refused',
      refusal: { code: 'STOCK_BELOW_ZERO' },
    })
    expect((await call(`${path}/updates/none`)).status).toBe(404)
  })

  it('takes no more than is there when many race', async () => {
    const race = '/api/inventory/race'
    await put(race, { operation: 'ADD', quantity: 3 })
    const answers = await Promise.all(
      [1, 2, 3, 4, 5].map(() => put(race, { operation: 'SUBTRACT', quantity: 1 })),
    )
    expect(statusesOf(answers)).toEqual([200, 200, 200, 409, 409])
    const headers = { 'idempotency-key': 'one' }
    const bodies = [4, 5].map((quantity) => ({ operation: 'ADD', quantity }))
    const both = await Promise.all(bodies.map((body) => put(race, body, headers)))
    expect(statusesOf(both)).toEqual([200, 422])
    const won = bodies[both.findIndex(({ status }) => status === 200)]!
    expect((await call(race)).body['onHand']).toBe(won.quantity)
  })

  it('adds no more than can be counted', async () => {
    const much = { operation: 'ADD', quantity: 1_000_000_000_000 }
    expect((await put('/api/inventory/sand', much)).status).toBe(200)
    const more = await put('/api/inventory/sand', { operation: 'ADD', quantity: 1 })
    expect([more.status, more.body['detail']]).toEqual([
      409,
      expect.stringMatching(/^STOCK_TOO_LARGE/),
    ])
  })
})
