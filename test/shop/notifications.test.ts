/**
 * Goal: a customer is told of each fact once, and of nothing that did not happen.
 * Method: the property tests' histories, where every event that states such a fact must have one
 * notification, whose id follows from it; then single stories, for what is said and to whom.
 */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { NotificationKind, ShopEvent } from '../../topologies/shop/shared/events.ts'
import { uuidV5 } from '../../topologies/shop/shared/ids.ts'
import { notifications, orders, payments, shipments } from '../../topologies/shop/shared/topics.ts'
import { histories, run } from './shop-histories.ts'
import { ShopStory, type StoryOptions } from './shop-story.ts'

/** What a customer should be told when this happened: stated again, from the events alone. */
const kindOf = (event: ShopEvent): NotificationKind | undefined => {
  switch (event.eventType) {
    case 'order.confirmed':
      return 'ORDER_CONFIRMED'
    case 'order.rejected':
      return 'ORDER_REJECTED'
    case 'order.cancelled':
      return 'ORDER_CANCELLED'
    case 'order.expired':
      return 'ORDER_EXPIRED'
    case 'payment.processed':
      return event.data.status === 'FAILED' ? 'PAYMENT_FAILED' : undefined
    case 'payment.refunded':
      return event.data.status === 'COMPLETED' ? 'REFUND_DONE' : undefined
    case 'shipment.status-updated': {
      const { status } = event.data
      if (status === 'SHIPPED') return 'ORDER_SHIPPED'
      return status === 'DELIVERED' ? 'ORDER_DELIVERED' : undefined
    }
    default:
      return undefined
  }
}

describe('notifications', () => {
  it('are one per fact, whatever is delivered again', { timeout: 60_000 }, () => {
    const kinds = new Set<string>()
    fc.assert(
      fc.property(histories, (history) => {
        const { events, notifications: told } = run(history)
        const facts = new Map<string, string>()
        for (const event of events) {
          const kind = kindOf(event)
          if (kind !== undefined) facts.set(event.eventId, kind)
        }
        const causes = told.map(({ metadata, data }) => [metadata.causationId, data.kind] as const)
        expect(causes.toSorted()).toEqual([...facts].toSorted())
        expect(new Set(told.map(({ eventId }) => eventId)).size).toBe(told.length)
        for (const { eventId, aggregateId, metadata } of told) {
          expect(eventId).toBe(uuidV5(aggregateId, `notification:${metadata.causationId}`))
        }
        for (const [, kind] of facts) kinds.add(kind)
      }),
      { numRuns: 60, seed: 20260103 },
    )
    expect(kinds.size).toBe(8)
  })
})

const toldIn = async (options: StoryOptions, quantity = 1) => {
  const story = new ShopStory({ partitions: 3, ...options })
  story.stock('tea', 2)
  story.order('o-1', { tea: quantity })
  await story.pass()
  const { driver } = story
  const ids = driver
    .readAll([orders, payments, shipments] as unknown as Parameters<typeof driver.readAll>[0])
    .map(({ record }) => (record.value as ShopEvent).eventId)
  const records = driver.read(notifications)
  for (const { key, value } of records) {
    expect(key).toBe('ann')
    expect(ids).toContain(value.metadata.causationId)
  }
  expect(driver.deadLetters()).toEqual([])
  return records.map(({ value: { data } }) => data)
}

describe('a customer is told', () => {
  const ofOrder = { customerId: 'ann', orderId: 'o-1', currency: 'EUR' }

  it('of an order that goes well, with the parcel', async () => {
    const told = await toldIn({})
    const parcel = {
      carrier: expect.any(String),
      trackingNumber: expect.stringMatching(/^\w{14}$/),
    }
    expect(told).toEqual([
      { ...ofOrder, kind: 'ORDER_CONFIRMED', amountMinor: 1250 },
      { ...ofOrder, kind: 'ORDER_SHIPPED', ...parcel },
      { ...ofOrder, kind: 'ORDER_DELIVERED', ...parcel },
    ])
  })

  it('why an order is rejected', async () => {
    expect(await toldIn({}, 5)).toEqual([
      { ...ofOrder, kind: 'ORDER_REJECTED', amountMinor: 0, reason: 'out-of-stock' },
    ])
  })

  it('of a payment that failed, and what became of the order', async () => {
    expect(await toldIn({ gateway: { declineRate: 1 } })).toEqual([
      { ...ofOrder, kind: 'PAYMENT_FAILED', amountMinor: 1250 },
      { ...ofOrder, kind: 'ORDER_CANCELLED', amountMinor: 0, reason: 'payment-declined' },
    ])
  })

  it('of money that is paid back', async () => {
    expect(await toldIn({ gateway: { shortRate: 1 } })).toEqual([
      { ...ofOrder, kind: 'REFUND_DONE', amountMinor: 625 },
      { ...ofOrder, kind: 'ORDER_CANCELLED', amountMinor: 625, reason: 'short-payment' },
    ])
  })

  it('nothing, where the shop is configured so', async () => {
    expect(await toldIn({ settings: { notifications: false } })).toEqual([])
  })
})
