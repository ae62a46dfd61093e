/**
 * Goal: an order's history says whether the stored order is what its events tell; it takes from the
 * audit what its topics do not keep any more, and does not take an event that was added for true.
 * Method: the shop runs on an embedded broker, stops, and its topics are changed behind its back.
 */

import { describe, expect, it } from 'vitest'
import { orderHistory } from '../../src/cli/order-history.ts'
import { ecomNames as names } from '../../src/cli/topic-names.ts'
import { fakeGateway } from '../../topologies/shop/gateway/fake-gateway.ts'
import type { OrderRow } from '../../topologies/shop/orders/order-row.ts'
import { orderStore } from '../../topologies/shop/orders/stores.ts'
import { shopConfig } from '../../topologies/shop/shared/config.ts'
import type { OrderEvent } from '../../topologies/shop/shared/events.ts'
import { createOrderCommand } from '../../topologies/shop/shared/order-request.ts'
import { updateStockCommand } from '../../topologies/shop/shared/stock-request.ts'
import {
  audit,
  inventory,
  inventoryCommands,
  orderCommands,
  orders,
  payments,
  topicCatalogue,
} from '../../topologies/shop/shared/topics.ts'
import { shopTopology } from '../../topologies/shop/shop.ts'
import { Site } from '../runtime/fixture.ts'

const dayMs = 86_400_000
const startMs = Date.UTC(2026, 0, 1)
const orderId = 'o-1'

const told = async (
  settings: { readonly audit?: boolean } = {},
): Promise<{ readonly site: Site; readonly row: OrderRow }> => {
  const site = await Site.open({}, undefined, startMs)
  await site.createTopics(topicCatalogue.map(({ topic }) => topic))
  const topology = shopTopology(shopConfig({ gateway: fakeGateway({}), ...settings }))
  const { application, kill } = await site.start({ topology, applicationId: 'shop' })
  const origin = { commandId: 's', nowMs: startMs, source: 'test' }
  const stock = { operation: 'ADD', quantity: 9, reason: 'RESTOCK' } as const
  await site.send(inventoryCommands, 'tea', updateStockCommand('tea', stock, origin))
  const order = {
    customerId: 'ann',
    currency: 'EUR',
    paymentMethod: 'card',
    items: [{ productId: 'tea', quantity: 2, priceMinor: 1250 }],
  } as const
  const command = createOrderCommand(order, { orderId, nowMs: startMs, source: 'test' })
  await site.send(orderCommands, orderId, command)
  await site.idle()
  await site.turn(60, 20) // the carrier comes
  await site.idle()
  const row = application.query(orderStore).get(orderId)!
  expect(row.status).toBe('completed')
  kill()
  return { site, row }
}

/** As if retention had taken all that is in them. */
const empty = async (site: Site, ...topics: readonly { readonly name: string }[]) => {
  await site.broker.topics.delete(topics.map(({ name }) => name))
  await site.createTopics(topics)
}

describe('the history of an order', () => {
  it('is compared with the stored order', async () => {
    const { site, row } = await told()
    const read = (given: OrderRow | undefined = row) =>
      orderHistory(site.broker, { orderId, row: given, nowMs: startMs + 1_000, names })
    const whole = await read()
    expect(whole?.events).toHaveLength(11)
    expect(whole?.rebuilt).toEqual({ verdict: 'same', differences: [] })

    const changed = await read({ ...row, totalMinor: row.totalMinor + 1 })
    expect(changed?.rebuilt).toEqual({
      verdict: 'differs',
      differences: [{ field: 'totalMinor', stored: 2501, rebuilt: 2500 }],
    })
    const { shipment: _later, ...earlier } = row
    const behind = await read({ ...earlier, status: 'confirmed', version: row.version - 3 })
    expect(behind?.rebuilt?.verdict).toBe('behind')
    expect(
      await orderHistory(site.broker, { orderId: 'o-2', row: undefined, nowMs: 0, names }),
    ).toBe(undefined)

    const [confirmed] = (await site.values(orders)).filter(
      ({ eventType }) => eventType === 'order.confirmed',
    )
    const forged = { ...confirmed!, data: { ...confirmed!.data, customerId: 'bob' } } as OrderEvent
    await site.send(orders, orderId, forged)
    expect((await read())?.rebuilt).toMatchObject({
      verdict: 'differs',
      differences: [{ field: 'events', rebuilt: expect.stringMatching(/told in two ways/) }],
    })
  })

  it('is completed from the audit', async () => {
    const { site, row } = await told()
    const whole = await orderHistory(site.broker, { orderId, row, nowMs: startMs, names })
    await empty(site, orders, payments, inventory)
    const nowMs = startMs + 20 * dayMs
    const again = await orderHistory(site.broker, { orderId, row, nowMs, names })
    expect(again).toEqual(whole)

    await empty(site, audit)
    const lost = await orderHistory(site.broker, { orderId, row, nowMs, names })
    expect(lost?.rebuilt?.verdict).toBe('incomplete')
    const soon = await orderHistory(site.broker, { orderId, row, nowMs: startMs + dayMs, names })
    expect(soon?.rebuilt?.verdict).toBe('differs') // nothing may be missing yet
  })
})
