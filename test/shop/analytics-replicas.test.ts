/**
 * Goal: any replica tells the figures of all partitions, and a replica that dies with work it had
 * not committed leaves each fact counted once.
 *
 * Method: two instances of the whole shop on one embedded broker with a clock moved by hand; one is
 * killed in the middle of the load and its tasks begin again elsewhere, on an empty disk. The raw
 * topics are counted again by plain code.
 */

import { expect, test } from 'vitest'
import { minutes } from '../../src/index.ts'
import { fakeGateway } from '../../topologies/shop/gateway/fake-gateway.ts'
import { type FigureSubject, readFigures } from '../../topologies/shop/analytics/read-figures.ts'
import { readStockLevels } from '../../topologies/shop/analytics/stock-levels.ts'
import { shopConfig } from '../../topologies/shop/shared/config.ts'
import { createOrderCommand } from '../../topologies/shop/shared/order-request.ts'
import { updateStockCommand } from '../../topologies/shop/shared/stock-request.ts'
import {
  inventory,
  inventoryCommands,
  orderCommands,
  orders,
  payments,
  shipments,
  topicCatalogue,
} from '../../topologies/shop/shared/topics.ts'
import { shopTopology } from '../../topologies/shop/shop.ts'
import { type Member, QueryFleet } from '../queries/query-fleet.ts'
import { Site } from '../runtime/fixture.ts'
import { expectFigures, naiveFigures } from './expect-figures.ts'

const startMs = Date.UTC(2026, 0, 1)
const topology = shopTopology(
  shopConfig({ gateway: fakeGateway({ seed: 3, declineRate: 0.3, timeoutRate: 0.3 }) }),
)
const tasksOfAll = topology.plan.subTopologies.length * 3
const subjects: readonly FigureSubject[] = ['orders', 'payments', 'shipping', 'stock']

const place = async (site: Site, from: number, to: number): Promise<void> => {
  for (let n = from; n < to; n++) {
    const orderId = `o-${n}`
    const order = {
      customerId: `c-${n % 3}`,
      currency: n % 2 === 0 ? 'EUR' : 'JPY',
      paymentMethod: 'card' as const,
      items: [{ productId: `p${n % 3}`, quantity: 1 + (n % 3), priceMinor: 500 }],
    }
    const origin = { orderId, nowMs: site.clock.nowMs(), source: 'test' }
    await site.send(orderCommands, orderId, createOrderCommand(order, origin))
  }
}

const stock = async (site: Site): Promise<void> => {
  for (const productId of ['p0', 'p1', 'p2']) {
    const origin = { commandId: `stock-${productId}`, nowMs: site.clock.nowMs(), source: 'test' }
    const request = { operation: 'ADD', quantity: 20, reason: 'RESTOCK' } as const
    await site.send(inventoryCommands, productId, updateStockCommand(productId, request, origin))
  }
}

const rawTopics = async (site: Site) => ({
  orders: await site.read(orders),
  payments: await site.read(payments),
  inventory: await site.read(inventory),
  shipments: await site.read(shipments),
})

/** Until nothing moves, the carrier's punctuations included. */
const rest = async (site: Site): Promise<void> => {
  await site.turn(60)
  await site.idle()
}

/** At one replica, both granularities, against the topics. */
const expectAt = async (site: Site, { router }: Member): Promise<void> => {
  const raw = await rawTopics(site)
  const range = { fromMs: startMs, toMs: startMs + minutes(600) }
  for (const subject of subjects) {
    for (const granularity of ['minute', 'hour'] as const) {
      const reading = readFigures(router, subject, { ...range, granularity })
      const figures = await site.settled(reading)
      expectFigures(figures, naiveFigures(raw, subject, granularity))
      expect(figures.sources.map(({ partition }) => partition)).toEqual([0, 1, 2])
    }
  }
}

test('two replicas tell the same, and a fail-over counts nothing twice', async () => {
  const site = await Site.open({}, undefined, startMs)
  await site.createTopics(
    topicCatalogue.map((entry) => entry.topic),
    3,
  )
  const fleet = new QueryFleet(site)
  const members = [await fleet.start('a', { topology }), await fleet.start('b', { topology })]
  await site.idle()
  await stock(site)
  await place(site, 0, 20)
  await rest(site)
  for (const member of members) await expectAt(site, member)
  expect(fleet.forwarded).toBeGreaterThan(0)
  await place(site, 20, 40)
  await site.turn(6) // in the middle of it
  members[1]!.kill()
  await place(site, 40, 50)
  await site.until(() => members[0]!.application.metrics().tasks === tasksOfAll)
  await rest(site)
  const { orders: events } = await rawTopics(site)
  const created = events.filter(({ value }) => value.eventType === 'order.created')
  expect(created).toHaveLength(50)
  await expectAt(site, members[0]!)
  const levels = await site.settled(readStockLevels(members[0]!.router, { which: 'all', limit: 2 }))
  expect(levels.products.map(({ productId }) => productId)).toEqual(['p0', 'p1'])
  const next = readStockLevels(members[0]!.router, {
    which: 'all',
    limit: 2,
    cursor: levels.cursor,
  })
  expect((await site.settled(next)).products).toMatchObject([{ productId: 'p2' }])
}, 60_000)
