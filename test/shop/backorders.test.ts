/**
 * Goal: with backorders on, a line that lacks stock waits, what is there ships, and whatever is
 * cancelled is given up and paid back to the unit and the cent. Off, nothing of it is there, and
 * what waits from before is brought to its end.
 * Method: stories under the driver, each told by the rows, the events and the invariants.
 */

import { describe, expect, it } from 'vitest'
import { fakeGateway } from '../../topologies/shop/gateway/fake-gateway.ts'
import { orderView, productView } from '../../topologies/shop/http/order-view.ts'
import { productStore } from '../../topologies/shop/inventory/stores.ts'
import { capturedMinorOf, refundedMinorOf } from '../../topologies/shop/orders/order-row.ts'
import { shopConfig } from '../../topologies/shop/shared/config.ts'
import {
  cancelOrderCommand,
  processPaymentCommand,
} from '../../topologies/shop/shared/customer-commands.ts'
import { shipmentIdOf } from '../../topologies/shop/shared/ids.ts'
import {
  inventoryCommands,
  orderCommands,
  paymentCommands,
  shipments,
} from '../../topologies/shop/shared/topics.ts'
import { shopTopology } from '../../topologies/shop/shop.ts'
import { ShopStory } from './shop-story.ts'

const waitMs = 60_000
const backorders = { accepted: true, waitMs }

const newStory = (): ShopStory => new ShopStory({ partitions: 2, settings: { backorders } })

const cancel = (story: ShopStory, orderId: string): void => {
  const origin = { commandId: `cancel-${orderId}`, nowMs: story.nowMs, source: 'test' }
  story.driver.pipe(
    orderCommands,
    orderId,
    cancelOrderCommand(orderId, { reason: 'too late' }, origin),
  )
}

const statesOf = (story: ShopStory, orderId: string): readonly string[] =>
  story.row(orderId).lines.map(({ state }) => state)

const expectWhole = (story: ShopStory): void => {
  expect(story.summary().invariants.violations).toEqual([])
  expect(story.driver.deadLetters()).toEqual([])
}

describe('a line that lacks stock', () => {
  it('waits, while the others ship, and ships when it is filled', async () => {
    const story = newStory()
    story.stock('tea', 5)
    story.order('o-1', { tea: 2, pot: 1 })
    await story.pass()
    expect(story.row('o-1')).toMatchObject({ status: 'backordered' })
    expect(statesOf(story, 'o-1')).toEqual(['deducted', 'waiting'])
    expect(capturedMinorOf(story.row('o-1'))).toBe(3750)
    const [first, second] = [shipmentIdOf('o-1'), shipmentIdOf('o-1', 2)]
    expect(orderView(story.row('o-1'))).toMatchObject({
      fulfilment: 'partially-shipped',
      items: [
        { state: 'deducted', shipmentId: first },
        { state: 'waiting', shipmentId: undefined },
      ],
      shipments: [{ shipmentId: first, status: 'DELIVERED' }],
    })
    expect(productView(story.driver.query(productStore).get('pot')!)).toMatchObject({ waiting: 1 })
    story.stock('pot', 1)
    await story.pass()
    expect(story.row('o-1').status).toBe('completed')
    expect(orderView(story.row('o-1'))).toMatchObject({
      fulfilment: 'shipped',
      shipments: [{ shipmentId: first }, { shipmentId: second, status: 'DELIVERED' }],
    })
    const created = story.driver
      .values(shipments)
      .filter(({ eventType }) => eventType === 'shipment.created')
    expect(created.map(({ data }) => data)).toMatchObject([
      { shipmentId: first, shipmentNumber: 1, items: [{ productId: 'tea', quantity: 2 }] },
      { shipmentId: second, shipmentNumber: 2, items: [{ productId: 'pot', quantity: 1 }] },
    ])
    expect(
      story.eventTypes().inventory.filter((type) => type === 'stock.backordered'),
    ).toHaveLength(1)
    expectWhole(story)
  })

  it('is served in the order of arrival, and nobody overtakes', async () => {
    const story = newStory()
    story.order('first', { pot: 3 })
    story.order('second', { pot: 1 })
    await story.pass()
    story.stock('pot', 2)
    story.order('third', { pot: 1 })
    await story.pass()
    const statuses = () => ['first', 'second', 'third'].map((id) => story.row(id).status)
    expect(statuses()).toEqual(['backordered', 'backordered', 'backordered'])
    story.stock('pot', 2)
    await story.pass()
    expect(statuses()).toEqual(['completed', 'completed', 'backordered'])
    cancel(story, 'third')
    await story.pass()
    expect(story.driver.query(productStore).get('pot')).not.toHaveProperty('waiting')
    expectWhole(story)
  })

  it('is cancelled after the longest wait, and paid back', async () => {
    const story = newStory()
    story.stock('tea', 5)
    story.order('part', { tea: 2, pot: 1 })
    story.order('all', { pot: 2 })
    await story.pass()
    await story.pass(waitMs + 2_000)
    expect([story.row('part').status, story.row('all').status]).toEqual(['completed', 'cancelled'])
    expect(story.row('all').reason).toBe('backorder-expired')
    expect(statesOf(story, 'part')).toEqual(['deducted', 'failed'])
    expect([refundedMinorOf(story.row('part')), refundedMinorOf(story.row('all'))]).toEqual([
      1250, 2500,
    ])
    expectWhole(story)
  })

  it('costs nothing once it is cancelled: a transfer of the rest is enough', async () => {
    const story = newStory()
    story.stock('tea', 5)
    story.order('o-1', { tea: 2, pot: 1 }, 'transfer')
    await story.pass(waitMs + 2_000)
    expect(story.row('o-1')).toMatchObject({ status: 'paying', totalMinor: 3750 })
    const origin = { commandId: 'pay', nowMs: story.nowMs, source: 'test' }
    const rest = { orderId: 'o-1', customerId: 'ann', amountMinor: 2500, currency: 'EUR' }
    const payment = { paymentId: 'pay-1', ...rest, method: 'transfer' } as const
    story.driver.pipe(paymentCommands, 'o-1', processPaymentCommand(payment, origin))
    await story.pass()
    expect(story.row('o-1')).toMatchObject({ status: 'completed' })
    expect([capturedMinorOf(story.row('o-1')), refundedMinorOf(story.row('o-1'))]).toEqual([
      2500, 0,
    ])
    expectWhole(story)
  })
})

describe('a cancellation', () => {
  it('of a line that waits gives it up, and pays back what was not shipped', async () => {
    const story = newStory()
    story.stock('tea', 5)
    story.order('o-1', { tea: 2, pot: 1, cup: 1 })
    await story.pass()
    cancel(story, 'o-1')
    story.stock('pot', 1) // too late: nobody waits for it any more
    await story.pass()
    expect(story.row('o-1').status).toBe('completed')
    expect(statesOf(story, 'o-1')).toEqual(['deducted', 'released', 'released'])
    expect(refundedMinorOf(story.row('o-1'))).toBe(2500)
    expect(story.driver.query(productStore).get('pot')).toMatchObject({ onHand: 1, held: 0 })
    expectWhole(story)
  })

  it('while nothing is shipped ends the order', async () => {
    const story = newStory()
    story.order('o-1', { pot: 1 })
    await story.pass()
    cancel(story, 'o-1')
    await story.pass()
    expect(story.row('o-1')).toMatchObject({ status: 'cancelled', reason: 'too late' })
    expect(refundedMinorOf(story.row('o-1'))).toBe(1250)
    expectWhole(story)
  })

  it('after the last part was sent is a return of what was sent', async () => {
    const story = newStory()
    story.stock('tea', 5)
    story.order('o-1', { tea: 2, pot: 1 })
    await story.pass(waitMs + 2_000)
    cancel(story, 'o-1')
    await story.pass()
    expect(story.row('o-1')).toMatchObject({ status: 'completed', returnState: 'done' })
    expect(statesOf(story, 'o-1')).toEqual(['returned', 'failed'])
    expect(refundedMinorOf(story.row('o-1'))).toBe(capturedMinorOf(story.row('o-1')))
    expectWhole(story)
  })
})

describe('the switch', () => {
  const off = shopTopology(shopConfig({ gateway: fakeGateway({}) }))
  const on = shopTopology(shopConfig({ gateway: fakeGateway({}), backorders }))

  it('turned off brings to an end what waits, and lets no other line wait', async () => {
    const story = newStory()
    story.stock('tea', 5)
    story.order('filled', { tea: 1, pot: 1 })
    story.order('too-late', { tea: 1, cup: 1 })
    await story.pass()
    story.driver.restart(off)
    story.order('new', { tea: 1, cup: 1 })
    story.stock('pot', 1)
    await story.pass()
    expect(story.row('new')).toMatchObject({ status: 'rejected', reason: 'out-of-stock' })
    expect(story.row('filled').status).toBe('completed')
    await story.pass(waitMs + 2_000)
    expect(statesOf(story, 'too-late')).toEqual(['deducted', 'failed'])
    expect(story.row('too-late').status).toBe('completed')
    expectWhole(story)
  })

  it('turned on finds everything of before, and lets lines of new orders wait', async () => {
    const story = new ShopStory({ partitions: 2, settings: { carrier: { mode: 'manual' } } })
    story.stock('tea', 3)
    story.order('old', { tea: 2 })
    story.order('paying', { tea: 1 }, 'transfer')
    story.order('refused', { tea: 1 })
    await story.pass()
    story.driver.restart(on)
    story.order('new', { tea: 1 })
    await story.pass()
    expect(story.row('new').status).toBe('backordered')
    cancel(story, 'paying') // what it held goes to who waits
    await story.pass()
    const statuses = ['old', 'paying', 'refused', 'new'].map((id) => story.row(id).status)
    expect(statuses).toEqual(['confirmed', 'cancelled', 'rejected', 'completed'])
    expectWhole(story)
  })

  it('off, no message or row says anything of it', async () => {
    const story = new ShopStory({ partitions: 2 })
    story.stock('tea', 3)
    story.order('o-1', { tea: 2 })
    story.order('o-2', { tea: 2 })
    await story.pass()
    const records = story.driver.readAll([inventoryCommands, orderCommands, shipments] as never)
    const rows = [story.row('o-1'), story.row('o-2')]
    const views = rows.map((row) => orderView(row))
    const product = story.driver.query(productStore).get('tea')!
    const text = JSON.stringify([records.map(({ record }) => record.value), rows, views, product])
    expect(text).toContain('ReserveStock')
    expect(text).not.toMatch(/wait|parcel|shipmentNumber|laterShipments|fulfilment|backorder/i)
  })
})
