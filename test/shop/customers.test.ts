/**
 * Goal: a customer's events are all there, once, in the order of event time, and nobody else's.
 *
 * Method: the whole shop under the driver, then the route on a real instance; ids that look like
 * keys, and a cursor that was given out to another customer. Plans with the flow and without.
 */

import { fastify } from 'fastify'
import { describe, expect, it } from 'vitest'
import { RuntimeError } from '../../src/errors/classes.ts'
import type { Plan } from '../../src/topology/graph.ts'
import {
  customerBounds,
  customerKey,
  type CustomerRow,
} from '../../topologies/shop/customers/customer-row.ts'
import { customerStore } from '../../topologies/shop/customers/stores.ts'
import { customerRoutes } from '../../topologies/shop/http/customer-routes.ts'
import type { ShopHost } from '../../topologies/shop/http/shop-access.ts'
import { shopConfig } from '../../topologies/shop/shared/config.ts'
import { customerEvents, orders } from '../../topologies/shop/shared/topics.ts'
import { shopTopology } from '../../topologies/shop/shop.ts'
import { orderOf } from '../http/shop-client.ts'
import { stockedShop } from '../http/stocked-shop.ts'
import { ShopStory } from './shop-story.ts'

const order = (customerId: string, quantity = 1) => ({
  customerId,
  currency: 'EUR',
  paymentMethod: 'card' as const,
  items: [{ productId: 'tea', quantity, priceMinor: 1250 }],
})

const rowsOf = (story: ShopStory, customerId: string): readonly CustomerRow[] =>
  story.driver
    .query(customerStore)
    .partitions()
    .flatMap((reader) => [...reader.range(customerBounds(customerId))])
    .map(([, row]) => row)

describe('the customers flow', () => {
  it('collects what names the customer, by event time', async () => {
    const story = new ShopStory({ partitions: 3 })
    story.stock('tea', 2)
    story.place('o-1', order('ann'))
    await story.pass()
    story.place('o-2', order('bob', 5))
    story.place('o-3', order('ann'))
    await story.pass()
    const events = rowsOf(story, 'ann').map(({ orderId, eventType }) => `${orderId} ${eventType}`)
    expect(events).toEqual([
      'o-1 order.created',
      'o-1 order.confirmed',
      'o-1 order.completed',
      'o-3 order.created',
      'o-3 order.confirmed',
      'o-3 order.completed',
    ])
    expect(rowsOf(story, 'bob')).toMatchObject([
      { eventType: 'order.created', totalMinor: 6250, currency: 'EUR' },
      { eventType: 'order.rejected', refundedMinor: 0 },
    ])
    // the rows are the events of the topic, each once
    const ids = story.driver.values(orders).map(({ eventId }) => eventId)
    const kept = ['ann', 'bob'].flatMap((id) => rowsOf(story, id)).map(({ eventId }) => eventId)
    expect(kept.toSorted()).toEqual(ids.toSorted())
    expect(story.driver.deadLetters()).toEqual([])
  })

  it('keeps customers apart whose ids look like keys', () => {
    const row = { orderId: 'o', eventType: 'order.created', eventId: 'e', version: 1 } as const
    const ids = ['a', 'a|', 'a|0', '1|a', 'a|0000000000001', '', '2|a|', 'é', ':']
    const keys = ids.map((id) => customerKey(id, { ...row, atMs: 1_700_000_000_000 }))
    ids.forEach((id, index) => {
      const { from, to } = customerBounds(id)
      const found = keys.filter((key) => key >= from && key < to)
      expect(found).toEqual([keys[index]])
    })
  })
})

describe('the shop without customers', () => {
  const gateway = () => Promise.reject(new Error('only planned'))
  const planOf = (customers: boolean) => shopTopology(shopConfig({ gateway, customers })).plan

  it('has no trace of them, and the same tasks for all else', () => {
    const [whole, without] = [planOf(true), planOf(false)]
    expect(shopConfig({ gateway }).customers).toBe(true)
    expect(without.stores.has(customerStore.name)).toBe(false)
    expect([...whole.stores.keys()].filter((name) => !without.stores.has(name))).toEqual([
      customerStore.name,
    ])
    expect(whole.internalTopics.filter((name) => !without.internalTopics.includes(name))).toEqual([
      customerEvents.name,
    ])
    const idsOf = (plan: Plan): object =>
      Object.fromEntries(plan.subTopologies.flatMap(({ id, stores }) => stores.map((s) => [s, id])))
    expect(idsOf(whole)).toMatchObject(idsOf(without))
  })

  it('sends nothing to them', () => {
    const story = new ShopStory({ partitions: 3, settings: { customers: false } })
    story.stock('tea', 2)
    story.place('o-1', order('ann'))
    expect(story.driver.values(orders).map(({ eventType }) => eventType)).toContain('order.created')
    expect(story.driver.deadLetters()).toEqual([])
    expect(() => story.driver.query(customerStore).partitions()).toThrow('customer-orders')
  })

  it('answers 404 for them', async () => {
    const server = fastify()
    const reads = async (): Promise<never> => {
      throw new RuntimeError('STREAMS_CONFIG', 'no task has store customer-orders')
    }
    customerRoutes(server, { customerOrders: reads } as Partial<ShopHost> as ShopHost)
    await expect(server.inject('/api/customers/ann/orders')).resolves.toMatchObject({
      statusCode: 404,
    })
  })
})

describe('GET /api/customers/{customerId}/orders', () => {
  const client = stockedShop()
  const { call, post, eventually } = client

  const place = async (customerId: string): Promise<void> => {
    const { status } = await post('/api/orders?wait=10000', orderOf(1, { customerId }))
    expect(status).toBe(200)
  }

  it('tells the events page by page, and says who answered', async () => {
    for (const customerId of ['c/ö', 'c/ö', 'b']) await place(customerId)
    const path = `/api/customers/${encodeURIComponent('c/ö')}/orders`
    const { body, headers } = await eventually(path, (answer) => {
      return (answer.body['events'] as object[]).length === 6
    })
    const events = body['events'] as { eventType: string; timestamp: string; total?: string }[]
    expect(events[0]).toMatchObject({ eventType: 'order.created', total: '2.50' })
    expect(events.map(({ timestamp }) => timestamp)).toEqual(
      events.map(({ timestamp }) => timestamp).toSorted(),
    )
    expect(headers.get('millrace-role')).toBe('active')
    expect(headers.get('millrace-offsets')).toMatch(/^shop-customer-events-repartition-\d@\d+$/)
    const first = await call(`${path}?limit=4`)
    const rest = await call(`${path}?limit=4&cursor=${first.body['cursor']}`)
    expect(rest.body['cursor']).toBeUndefined()
    const pages = [first, rest].flatMap((page) => page.body['events'] as object[])
    expect(pages).toEqual(events)
    const stranger = await call(`/api/customers/b/orders?cursor=${first.body['cursor']}`)
    const strange = (stranger.body['events'] as { orderId: string }[]).map(({ orderId }) => orderId)
    expect(new Set(strange).size).toBeLessThanOrEqual(1)
    for (const event of events)
      expect(strange).not.toContain((event as { orderId?: string }).orderId)
    expect((await call('/api/customers/nobody/orders')).body).toEqual({
      customerId: 'nobody',
      events: [],
    })
    expect((await call(`${path}?limit=0`)).status).toBe(400)
    expect((await call(`${path}?cursor=x`)).status).toBe(400)
  })
})
