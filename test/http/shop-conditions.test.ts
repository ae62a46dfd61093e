/**
 * Goal: requests that depend on what was before: on a version, or on an earlier one with their key.
 *
 * Method: one instance over a real socket. Invariant: no request leaves a dead letter.
 */

import { describe, expect, it } from 'vitest'
import { problemUri } from '../../src/http/problem.ts'
import { problemKinds } from '../../topologies/shop/http/problem-kinds.ts'
import { isProblem, key, replayed } from './expected-answers.ts'
import { orderOf } from './shop-client.ts'
import { stockedShop } from './stocked-shop.ts'

const client = stockedShop()
const { call, post, put, eventually } = client

/** An order that waits for its money. */
const waiting = async (): Promise<string> => {
  const order = orderOf(1, { paymentMethod: 'transfer', notes: 'first' })
  const path = (await post('/api/orders', order)).headers.get('location')!
  await eventually(path, ({ body }) => body['status'] === 'paying')
  return path
}

describe('a key whose first request is not answered yet', () => {
  it('is told so, and another body that the key is taken', async () => {
    const order = orderOf(1, { orderId: 'in-flight', paymentMethod: 'transfer' })
    const first = post('/api/orders?wait=20000', order, key('k-1'))
    const path = '/api/orders/in-flight'
    await eventually(path, ({ body }) => body['status'] === 'paying')
    const second = await post('/api/orders', order, key('k-1'))
    isProblem(second, 'keyInFlight')
    expect(second.headers.get('retry-after')).toBe('1')
    const other = orderOf(2, { orderId: 'in-flight' })
    isProblem(await post('/api/orders', other, key('k-1')), 'keyReused')
    await call(path, { method: 'DELETE' })
    const { status, body, headers } = await first
    expect([status, body['status'], headers.get('idempotency-replayed')]).toEqual([
      200,
      'cancelled',
      null,
    ])
    const again = await post('/api/orders?wait=20000', order, key('k-1'))
    expect([again.status, again.body, replayed(again)]).toEqual([200, body, 'true'])
  })

  it('of an update of stock too, each product for itself', async () => {
    const add = { operation: 'ADD', quantity: 1 }
    const [one, two, other] = await Promise.all([
      put('/api/inventory/pots', add, key('k')),
      put('/api/inventory/pots', add, key('k')),
      put('/api/inventory/cups', add, key('k')),
    ])
    expect([one.status, other.status]).toEqual([200, 200])
    isProblem(two, 'keyInFlight')
    const again = await put('/api/inventory/pots', add, key('k'))
    expect([again.body['onHand'], replayed(again), replayed(one)]).toEqual([1, 'true', null])
  })
})

describe('If-Match', () => {
  const ifMatch = (tag: string): Record<string, string> => ({ 'if-match': tag })

  it('cancels only the version that was seen', async () => {
    const path = await waiting()
    const etag = (await call(path)).headers.get('etag')!
    const cancel = (tag: string) => call(path, { method: 'DELETE', headers: ifMatch(tag) })
    for (const tag of ['"1000"', `W/${etag}`, 'x', '']) {
      isProblem(await cancel(tag), 'versionPassed')
    }
    expect((await cancel(`"1000", ${etag}`)).status).toBe(400)
    expect((await call(path)).headers.get('etag')).toBe(etag)
    const done = await cancel(etag)
    expect([done.status, replayed(done)]).toEqual([202, null])
    await eventually(path, ({ body }) => body['status'] === 'cancelled')
    const again = await cancel(etag) // its answer was lost, say
    expect([again.status, replayed(again)]).toEqual([202, 'true'])
    isProblem(await cancel('"1000"'), 'versionPassed')
    isProblem(await cancel('"1"'), 'orderEnded')
  })

  it('changes only the stock that was seen', async () => {
    const [path, add] = ['/api/inventory/mugs', { operation: 'ADD', quantity: 1 }]
    for (const tag of ['*', '"0"']) isProblem(await put(path, add, ifMatch(tag)), 'versionPassed')
    expect((await call(path)).status).toBe(404)
    const { headers } = await put(path, add)
    const seen = { ...ifMatch(headers.get('etag')!), ...key('mug') }
    expect((await put(path, add, seen)).body['onHand']).toBe(2)
    isProblem(await put(path, add, ifMatch(headers.get('etag')!)), 'versionPassed')
    const again = await put(path, add, seen) // sent again it is the same request, not a new one
    expect([again.status, replayed(again)]).toEqual([200, 'true'])
    expect((await put(path, add, ifMatch('*'))).body['onHand']).toBe(3)
  })
})

describe('changes that race for one version', () => {
  const statuses = (answers: readonly { readonly status: number }[]): readonly number[] =>
    answers.map(({ status }) => status).toSorted()

  it('of stock: one is done, the others are told so, also when they ask again', async () => {
    const path = '/api/inventory/jugs'
    const etag = (await put(path, { operation: 'ADD', quantity: 1 })).headers.get('etag')!
    const ask = (n: number) =>
      put(path, { operation: 'ADD', quantity: n }, { 'if-match': etag, ...key(`race-${n}`) })
    const all = [10, 20, 30, 40]
    const answers = await Promise.all(all.map(ask))
    expect(statuses(answers)).toEqual([200, 412, 412, 412])
    const won = answers.findIndex(({ status }) => status === 200)
    expect((await call(path)).body).toMatchObject({ onHand: 1 + all[won]!, version: 2 })
    const again = await Promise.all(all.map(ask))
    expect(again.map(({ status }) => status)).toEqual(answers.map(({ status }) => status))
    for (const answer of again) if (answer.status === 412) isProblem(answer, 'versionPassed')
    expect((await call(path)).body['version']).toBe(2)
  })

  it('of an order: one is done, and the others raise no version', async () => {
    const path = await waiting()
    const etag = (await call(path)).headers.get('etag')!
    const ask = (notes: string) => put(path, { notes }, { 'if-match': etag, ...key(notes) })
    const all = ['a', 'b', 'c']
    const answers = await Promise.all(all.map(ask))
    expect(statuses(answers)).toEqual([200, 412, 412])
    const won = answers.find(({ status }) => status === 200)!
    const now = await call(path)
    expect([now.body['notes'], now.headers.get('etag')]).toEqual([
      won.body['notes'],
      won.headers.get('etag'),
    ])
    const again = await Promise.all(all.map(ask))
    expect(again.map(({ status }) => status)).toEqual(answers.map(({ status }) => status))
    const next = await put(path, { notes: 'd' }, { 'if-match': now.headers.get('etag')! })
    expect(next.status).toBe(200)
    const { events, rebuilt } = (await call(`${path}/history`)).body as {
      readonly events: readonly { readonly eventType: string }[]
      readonly rebuilt: { readonly verdict: string }
    }
    const told = events.filter(({ eventType }) => eventType === 'order.update-refused')
    expect([told.length, rebuilt.verdict]).toEqual([2, 'same'])
  })

  it('to cancel an order, or to change it: one is done, the others are told so', async () => {
    const path = await waiting()
    const etag = (await call(path)).headers.get('etag')!
    const init = { method: 'DELETE', headers: { 'if-match': etag } }
    const answers = await Promise.all([
      ...['a', 'b', 'c'].map((reason) => call(`${path}?reason=${reason}`, init)),
      put(path, { notes: 'x' }, { 'if-match': etag }),
    ])
    const [done, ...refused] = answers.toSorted((a, b) => a.status - b.status)
    for (const { status } of refused) expect([409, 412]).toContain(status) // 409: it has ended
    const isChanged = done!.status === 200
    if (!isChanged) expect(done!.status).toBe(202)
    const { body } = await eventually(
      path,
      (now) => isChanged || now.body['status'] === 'cancelled',
    )
    expect(body['notes']).toBe(isChanged ? 'x' : 'first')
    expect((await call(`${path}/history`)).body['rebuilt']).toMatchObject({ verdict: 'same' })
  })

  it('take one tag, or any', async () => {
    const [path, add] = ['/api/inventory/jugs', { operation: 'ADD', quantity: 1 }]
    expect((await put(path, add, { 'if-match': '"1", "2"' })).status).toBe(400)
    expect((await put(await waiting(), { notes: 'x' }, { 'if-match': '*' })).status).toBe(202)
  })
})

describe('a change of an order', () => {
  it('is made once per key, as long as the goods are not sent', async () => {
    const path = await waiting()
    const change = { shippingAddress: 'Harbour 1', notes: 'second' }
    const changed = await put(`${path}?wait=10000`, change, key('c-1'))
    expect(changed.body).toMatchObject({ ...change, status: 'paying' })
    expect((await put(path, { notes: 'third' })).status).toBe(202)
    await eventually(path, ({ body }) => body['notes'] === 'third')
    const again = await put(path, change, key('c-1'))
    expect([again.status, again.body['notes'], replayed(again)]).toEqual([200, 'third', 'true'])
    isProblem(await put(path, { notes: 'x' }, key('c-1')), 'keyReused')
    isProblem(await put(path, { notes: 'x' }, { 'if-match': '"1"' }), 'versionPassed')
    await call(path, { method: 'DELETE' })
    await eventually(path, ({ body }) => body['status'] === 'cancelled')
    isProblem(await put(path, { notes: 'x' }), 'orderFrozen')
    const events = (await call(`${path}/history`)).body['events'] as { eventType: string }[]
    expect(events.filter(({ eventType }) => eventType === 'order.updated')).toHaveLength(2)
  })

  it('that comes too late is told, and changes nothing', async () => {
    const order = orderOf(1, { orderId: 'too-late' })
    const placed = post('/api/orders?wait=10000', order)
    const path = '/api/orders/too-late'
    const statuses = new Set<number>()
    for (let done = false; !done;) {
      const { status, body } = await put(`${path}?wait=10000`, { notes: `n-${statuses.size}` })
      statuses.add(status)
      done = body['type'] === problemUri(problemKinds.orderFrozen.name)
      if (!done) expect([200, 404]).toContain(status)
    }
    expect((await placed).body['status']).toBe('completed')
    isProblem(await put('/api/orders/none', { notes: 'x' }), 'noSuchOrder')
  })

  it.each([
    [{}, ['']],
    [{ notes: '', extra: 1 }, ['/extra', '/notes']],
    [{ shippingAddress: 'x'.repeat(1_001) }, ['/shippingAddress']],
    ['[]', ['']],
  ])('names what is wrong with %j', async (body, pointers) => {
    const answer = await put('/api/orders/any', body)
    const errors = answer.body['errors'] as { pointer: string }[]
    expect([answer.status, errors.map(({ pointer }) => pointer).toSorted()]).toEqual([
      400,
      pointers,
    ])
  })
})
