/**
 * Goal: every event is in the audit once, under its aggregate and in its order, whatever is
 * delivered again and whoever dies on the way; and so is what customers are told.
 * Method: the whole shop under the driver, where every command is delivered twice; then instances
 * on an embedded broker that are killed between commands which are all written twice.
 */

import { describe, expect, it } from 'vitest'
import { describeJson } from '../../src/index.ts'
import type { StreamRecord } from '../../src/record.ts'
import type { Topic } from '../../src/topic.ts'
import { compareTopologies } from '../../src/topology/compare-topologies.ts'
import { shapeOf } from '../../src/topology/topology-shape.ts'
import { fakeGateway } from '../../topologies/shop/gateway/fake-gateway.ts'
import { type AuditEntry, auditEntryOf } from '../../topologies/shop/shared/audit-entry.ts'
import { cancelOrderCommand } from '../../topologies/shop/shared/customer-commands.ts'
import { shopConfig } from '../../topologies/shop/shared/config.ts'
import type { ShopEvent } from '../../topologies/shop/shared/events.ts'
import { createOrderCommand } from '../../topologies/shop/shared/order-request.ts'
import { updateStockCommand } from '../../topologies/shop/shared/stock-request.ts'
import {
  audit,
  auditedTopics,
  inventoryCommands,
  notifications,
  orderCommands,
  paymentCommands,
  shipmentCommands,
  topicCatalogue,
} from '../../topologies/shop/shared/topics.ts'
import { shopTopology } from '../../topologies/shop/shop.ts'
import { Site } from '../runtime/fixture.ts'
import { ShopStory } from './shop-story.ts'

type EventTopic = Topic<string, ShopEvent>

const eventTopics = auditedTopics as unknown as readonly EventTopic[]

interface Written {
  readonly topic: string
  readonly event: ShopEvent
}

/** What the audit must have: answers about stock that came with no new version changed nothing. */
const expectedEntries = (written: readonly Written[]): readonly AuditEntry[] => {
  const seen = new Set<string>()
  const isNew = ({ event: { eventId, aggregateId, aggregateVersion, data } }: Written): boolean => {
    const change = 'holdId' in data ? `${aggregateId} ${aggregateVersion}` : eventId
    return !seen.has(change) && seen.add(change) !== undefined
  }
  return written.filter(isNew).map(({ topic, event }) => auditEntryOf(topic, event))
}

const expectAudited = (
  records: readonly Pick<StreamRecord<string, AuditEntry>, 'key' | 'value'>[],
  written: readonly Written[],
): void => {
  const expected = expectedEntries(written)
  const ids = records.map(({ value }) => value.entryId)
  expect(new Set(ids).size).toBe(ids.length)
  expect(ids.toSorted()).toEqual(expected.map(({ entryId }) => entryId).toSorted())
  for (const { key, value } of records) expect(key).toBe(value.event.aggregateId)
  const audited = Map.groupBy(
    records.map(({ value }) => value),
    ofAggregate,
  )
  for (const [aggregate, entries] of Map.groupBy(expected, ofAggregate)) {
    expect(audited.get(aggregate)).toEqual(entries)
  }
}

/** Order and workflow are one aggregate, written to two topics. */
const ofAggregate = ({ topic, event }: AuditEntry): string => `${topic} ${event.aggregateId}`

const commandTopics = [orderCommands, inventoryCommands, paymentCommands, shipmentCommands]

describe('the audit', () => {
  it('has every event once and in order, though every command comes twice', async () => {
    const story = new ShopStory({ partitions: 3, gateway: { declineRate: 0.3, shortRate: 0.3 } })
    const { driver } = story
    story.stock('tea', 20)
    story.stock('pot', 3)
    for (let i = 0; i < 12; i++) {
      story.order(`o-${i}`, i % 2 === 0 ? { tea: 2, pot: 1 } : { tea: 1 })
    }
    const origin = { commandId: 'c', nowMs: story.nowMs, source: 'test' }
    driver.pipe(orderCommands, 'o-1', cancelOrderCommand('o-1', { reason: 'no' }, origin))
    await story.pass()
    for (const topic of commandTopics as unknown as readonly Topic<string, object>[]) {
      for (const { key, value } of driver.read(topic)) driver.pipe(topic, key, value)
    }
    await story.pass()
    expect(driver.deadLetters()).toEqual([])
    const written = eventTopics.flatMap((topic) =>
      driver.values(topic).map((event) => ({ topic: topic.name, event })),
    )
    const again = written.length - expectedEntries(written).length
    expect(again).toBeGreaterThan(0) // the inventory did answer again
    expectAudited(driver.read(audit), written)
  })

  it('changes no task and no store, there or not', () => {
    const gateway = () => Promise.reject(new Error('only planned'))
    const off = { audit: false, notifications: false }
    const [whole, without] = [{}, off].map((settings) =>
      shapeOf(describeJson(shopTopology(shopConfig({ gateway, ...settings })).plan)),
    )
    const differences = compareTopologies(without!, whole!)
    expect(differences.filter(({ consequence }) => consequence !== 'safe')).toEqual([])
    expect(differences.filter(({ what }) => /store|source|topic/.test(what))).toEqual([])
    const sinks = differences.filter(({ what }) => what === 'sink')
    expect(sinks.length).toBeGreaterThan(0)
    expect(compareTopologies(whole!, without!).map(({ consequence }) => consequence)).not.toContain(
      'forbidden',
    )
  })

  it('is left out where the shop is configured so', async () => {
    const story = new ShopStory({ settings: { audit: false } })
    story.stock('tea', 1)
    story.order('o-1', { tea: 1 })
    await story.pass()
    expect(story.row('o-1').status).toBe('completed')
    expect(story.driver.read(audit)).toEqual([])
  })
})

describe('audit and notifications', () => {
  it('have each fact once, though instances die and commands come twice', async () => {
    const site = await Site.open({}, undefined, Date.UTC(2026, 0, 1))
    await site.createTopics(
      topicCatalogue.map(({ topic }) => topic),
      2,
    )
    const config = shopConfig({
      gateway: fakeGateway({ seed: 5, declineRate: 0.2, shortRate: 0.2 }),
      deadlines: { checkEveryMs: 50 },
    })
    const options = { topology: shopTopology(config), applicationId: 'shop', instanceId: 'one' }
    let instance = await site.start(options)
    const nowMs = site.clock.nowMs()
    const stock = { operation: 'ADD', quantity: 40, reason: 'RESTOCK' } as const
    const filled = updateStockCommand('tea', stock, { commandId: 's', nowMs, source: 'test' })
    await site.send(inventoryCommands, 'tea', filled)
    for (let i = 0; i < 24; i++) {
      const order = {
        customerId: `c-${i % 3}`,
        currency: 'EUR',
        paymentMethod: 'card',
        items: [{ productId: 'tea', quantity: 1 + (i % 3), priceMinor: 1250 }],
      } as const
      const orderId = `o-${i}`
      const command = createOrderCommand(order, { orderId, nowMs, source: 'test' })
      await site.send(orderCommands, orderId, command)
      await site.turn(1 + (i % 4))
      await site.send(orderCommands, orderId, command)
      if (i % 8 !== 3) continue
      instance.kill()
      const { disk } = instance
      instance = await site.start({ ...options, ...(i % 16 === 3 && { disk }) })
    }
    await site.idle()
    await site.turn(100, 20) // the carrier comes
    await site.idle()
    const written: Written[] = []
    for (const topic of eventTopics) {
      for (const event of await site.values(topic)) written.push({ topic: topic.name, event })
    }
    const outcomes = written.filter(({ event }) =>
      /^order\.(completed|cancelled|rejected)$/.test(event.eventType),
    )
    expect(outcomes).toHaveLength(24)
    expectAudited(await site.read(audit), written)
    const told = await site.read(notifications)
    const facts = told.map(({ value }) => value.metadata.causationId)
    expect(new Set(facts).size).toBe(facts.length)
    const ids = new Set(written.map(({ event }) => event.eventId))
    expect(facts.filter((eventId) => !ids.has(eventId))).toEqual([])
    const ended = told.filter(({ value: { data } }) =>
      /^ORDER_(DELIVERED|CANCELLED|REJECTED)$/.test(data.kind),
    )
    expect(ended).toHaveLength(24)
    for (const { key, value } of told) expect(key).toBe(value.data.customerId)
  }, 60_000)
})
