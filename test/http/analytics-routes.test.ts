/**
 * Goal: `/api/analytics/…` tells what the raw topics say, after a restart too, and refuses what it
 * cannot be asked.
 *
 * Method: one instance on RocksDB and the embedded broker in a temporary directory, asked over a
 * real socket; the topics are read from its broker and counted again by plain code.
 */

import { fastify } from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RuntimeError } from '../../src/errors/classes.ts'
import { analyticsRoutes } from '../../topologies/shop/http/analytics-routes.ts'
import type { ShopHost } from '../../topologies/shop/http/shop-access.ts'
import { inventory, orders, payments, shipments } from '../../topologies/shop/shared/topics.ts'
import { type NaiveFigures, naiveOrders, naivePayments } from '../shop/naive-figures.ts'
import { naiveDelays, naiveShipping, naiveStock, type RawTopics } from '../shop/naive-figures.ts'
import { readTopic } from '../simulation/topics.ts'
import { orderOf, ShopClient } from './shop-client.ts'

const client = new ShopClient()
const { call, post, put, eventually } = client
const hourMs = 3_600_000

type Row = Record<string, unknown>
interface Shown {
  readonly windows: readonly Row[]
  readonly totals: readonly Row[]
  readonly sources: readonly Row[]
}

const shownAt = async (path: string): Promise<Row & Shown> =>
  (await call(path)).body as unknown as Row & Shown

/** So many orders are known, and nothing moves but one that waits for its transfer. */
const settled = (orders: number): Promise<unknown> =>
  eventually('/api/summary', ({ body }) => {
    const { openByStatus } = body as { openByStatus: Row }
    return body['orders'] === orders && openByStatus['paying'] === 1 && body['open'] === 1
  })

beforeAll(async () => {
  await client.open()
  await put('/api/inventory/tea', { operation: 'ADD', quantity: 20 })
  await put('/api/inventory/rum', { operation: 'ADD', quantity: 500 })
  const orders = [
    orderOf(2),
    orderOf(3),
    orderOf(1, { currency: 'JPY', items: [{ productId: 'rum', quantity: 1, price: '900' }] }),
    orderOf(90), // more than there is
  ]
  for (const order of orders) await post('/api/orders', order)
  await post('/api/orders', orderOf(8, { paymentMethod: 'transfer' }))
  await settled(5)
}, 30_000)

afterAll(async () => {
  await client.close()
  client.remove()
})

const rawTopics = async (): Promise<RawTopics> => {
  const { broker } = client.instance
  return {
    orders: await readTopic(broker, orders),
    payments: await readTopic(broker, payments),
    inventory: await readTopic(broker, inventory),
    shipments: await readTopic(broker, shipments),
  }
}

/** Every window that is told has the sums of the raw topics, and there is no other. */
const expectSums = (
  windows: readonly Row[],
  naive: NaiveFigures,
  labelOf: (row: Row) => string,
): void => {
  const labels = windows.map((row) => `${Date.parse(String(row['start']))} ${labelOf(row)}`)
  expect(labels.toSorted()).toEqual(Object.keys(naive).toSorted())
  windows.forEach((row, index) => {
    const flat = { ...row, ...(row['statuses'] as Row | undefined) }
    expect(flat).toMatchObject(naive[labels[index]!]!.sums)
  })
}

const expectRaw = async (): Promise<void> => {
  const raw = await rawTopics()
  const of = (subject: string): Promise<Row & Shown> =>
    shownAt(`/api/analytics/${subject}?granularity=hour`)
  const paid = await of('payments')
  const delays = paid['delays'] as Row & Shown
  expectSums(
    (await of('orders')).windows,
    naiveOrders(raw, hourMs),
    ({ currency }) => `order|${currency}`,
  )
  expectSums(
    paid.windows,
    naivePayments(raw, hourMs),
    ({ method, currency }) => `payment|${method}|${currency}`,
  )
  expectSums(
    delays.windows,
    naiveDelays(raw, hourMs),
    ({ method, currency }) => `delay|${method}|${currency}`,
  )
  expectSums(
    (await of('shipping')).windows,
    naiveShipping(raw, hourMs),
    ({ carrier }) => `shipment|${carrier}`,
  )
  expectSums((await of('inventory')).windows, naiveStock(raw, hourMs), () => 'stock')
}

describe('GET /api/analytics/…', () => {
  it('tells what the topics say, also after a restart', async () => {
    await expectRaw()
    await client.close()
    await client.open()
    await expectRaw()
    await post('/api/orders', orderOf(1))
    await settled(6)
    await expectRaw()
  }, 30_000)

  it('sums up by currency, method and carrier, and says who answered', async () => {
    const all = await shownAt('/api/analytics/orders')
    expect(all).toMatchObject({ granularity: 'minute', late: 0 })
    expect(Date.parse(String(all['to'])) - Date.parse(String(all['from']))).toBe(hourMs)
    expect(all.totals.map(({ currency }) => currency)).toEqual(['EUR', 'JPY'])
    expect(all.sources).toHaveLength(6)
    expect(all.sources[0]).toMatchObject({ partition: 0, role: 'active' })
    const yen = await shownAt('/api/analytics/orders?currency=JPY')
    expect(yen.totals).toEqual([
      {
        currency: 'JPY',
        statuses: { created: 1, confirmed: 1, completed: 1, cancelled: 0, rejected: 0, expired: 0 },
        units: 1,
        orderedMinor: 900,
        revenueMinor: 900,
        refundedMinor: 0,
      },
    ])
    const paid = await shownAt('/api/analytics/payments?method=card')
    expect(paid).toMatchObject({ methods: [{ method: 'card', completed: 4, successRate: 1 }] })
    const euros = (paid['delays'] as unknown as Shown).totals[0]!
    expect(euros).toMatchObject({
      currency: 'EUR',
      awaited: 4,
      paid: 3,
      unpaid: 1,
      delay: { count: 3 },
    })
    const carriers = (await shownAt('/api/analytics/shipping')).totals
    const carrier = String(carriers[0]!['carrier'])
    const path = `/api/analytics/shipping?carrier=${encodeURIComponent(carrier)}`
    const { totals } = await shownAt(path)
    expect(totals).toEqual([carriers[0]])
    const { delivered } = totals[0] as { delivered: number }
    expect(totals[0]).toMatchObject({ shippedToDelivered: { count: delivered } })
    expect((await shownAt('/api/analytics/shipping?carrier=nobody')).windows).toEqual([])
  })

  it('lists stock page by page, and what is low', async () => {
    const first = await shownAt('/api/analytics/inventory?limit=1')
    expect(first['products']).toMatchObject([{ productId: 'rum', onHand: 499, isLow: false }])
    const next = await shownAt(`/api/analytics/inventory?limit=1&cursor=${first['cursor']}`)
    expect(next['products']).toMatchObject([
      { productId: 'tea', onHand: 14, held: 8, available: 6, isLow: true },
    ])
    expect(next['cursor']).toBeUndefined()
    const low = await shownAt('/api/analytics/inventory?products=low')
    expect(low['products']).toMatchObject([{ productId: 'tea', available: 6, isLow: true }])
    expect((low['products'] as Row[])[0]).toHaveProperty('lowSince')
    await put('/api/inventory/tea', { operation: 'ADD', quantity: 50 })
    expect((await shownAt('/api/analytics/inventory?products=low'))['products']).toEqual([])
  })

  it('takes spans of whole windows', async () => {
    const span = 'from=2026-01-01T10:00:30Z&to=2026-01-01T10:02:01Z'
    const { from, to, windows } = await shownAt(`/api/analytics/orders?${span}`)
    expect([from, to]).toEqual(['2026-01-01T10:00:00.000Z', '2026-01-01T10:03:00.000Z'])
    expect(windows).toEqual([])
  })

  it.each([
    ['orders?method=card', ['?method', 'is not known here']],
    ['orders?granularty=hour', ['?granularty', 'is not known here; the nearest is granularity']],
    ['orders?granularity=hours', ['?granularity', 'must be minute or hour; the nearest is hour']],
    ['orders?currency=EURO', ['?currency', 'must be an ISO-4217 code']],
    ['orders?from=yesterday', ['?from', 'must be an ISO-8601 date, or time with its offset']],
    ['orders?to=2026-02-30', ['?to', 'must be an ISO-8601 date, or time with its offset']],
    ['orders?from=2026-01-02&to=2026-01-01', ['?from', 'must lie before the end']],
    ['orders?from=2026-01-01&to=2026-01-03', ['?from', 'is 2880 windows before the end']],
    ['payments?method=crad', ['?method', 'must be card or transfer; the nearest is card']],
    ['payments?carrier=x', ['?carrier', 'is not known here']],
    ['shipping?carrier=', ['?carrier', 'must be a text of 1 to']],
    ['inventory?products=lwo', ['?products', 'must be all or low; the nearest is low']],
    ['inventory?limit=0', ['?limit', '']],
  ])('refuses %s', async (path, [pointer, detail]) => {
    const { status, headers, body } = await call(`/api/analytics/${path}`)
    expect(status).toBe(400)
    expect(headers.get('content-type')).toMatch(/^application\/problem\+json/)
    const errors = body['errors'] as { pointer: string; detail: string }[]
    expect(errors).toEqual([{ pointer, detail: expect.stringContaining(detail!) as string }])
  })

  it('refuses a cursor of another list, and names every mistake at once', async () => {
    const { body } = await call('/api/analytics/inventory?limit=1')
    const foreign = `/api/analytics/inventory?products=low&cursor=${body['cursor']}`
    expect((await call(foreign)).status).toBe(400)
    const bad = await call('/api/analytics/payments?granularity=day&currency=1&from=x')
    const pointers = (bad.body['errors'] as { pointer: string }[]).map(({ pointer }) => pointer)
    expect(pointers.toSorted()).toEqual(['?currency', '?from', '?granularity'])
  })

  it('answers 404 where the shop has no analytics', async () => {
    const server = fastify()
    const none = async (): Promise<never> => {
      throw new RuntimeError('STREAMS_CONFIG', 'no store is named order-minutes')
    }
    analyticsRoutes(server, { figures: none, stockLevels: none } as Partial<ShopHost> as ShopHost)
    for (const subject of ['orders', 'payments', 'shipping', 'inventory']) {
      expect((await server.inject(`/api/analytics/${subject}`)).statusCode).toBe(404)
    }
  })
})
