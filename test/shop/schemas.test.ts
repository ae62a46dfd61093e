/**
 * Goal: the shop in Avro is the shop in JSON: every message that its schemas allow comes back as it
 * was, text by text, and a whole story ends in the same rows and events.
 * Method: random values made from the schemas (`test/types/shop-schemas.test-d.ts` has the compiler
 * say that these are the types of the shop), and one story told twice.
 */

import fc from 'fast-check'
import { readdirSync, readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { schemaTypes, typesFile } from '../../scripts/schema-types.ts'
import { systemClock } from '../../src/clock.ts'
import { BuiltInRegistry } from '../../src/schema-registry/built-in-registry.ts'
import { SchemaSession } from '../../src/schema-registry/schema-session.ts'
import { type AvroSchema, avroSerde } from '../../src/serde/avro.ts'
import type { Topic } from '../../src/topic.ts'
import type { PaymentEvent, PaymentProcessed } from '../../topologies/shop/shared/events.ts'
import { versionsOf } from '../../topologies/shop/shared/message-versions.ts'
import { orders, payments, topicCatalogue } from '../../topologies/shop/shared/topics.ts'
import { memoryBroker } from '../schema-registry/served-registry.ts'
import { valuesOf } from './avro-values.ts'
import { ShopStory } from './shop-story.ts'

const folder = new URL('../../topologies/shop/schemas/', import.meta.url)
const files = readdirSync(folder)

interface Written {
  readonly topic: Topic<string, object>
  readonly subject: string
  readonly schema: string
  readonly type: string
}

const placeOf = (name: string) => ({ topic: name, part: 'value', isInternal: false }) as const

const written: readonly Written[] = topicCatalogue.flatMap((entry) => {
  const topic = entry.topic as unknown as Topic<string, object>
  return topic.value.schemas!.wanted(placeOf(topic.name)).map(({ subject, schema }) => ({
    topic,
    subject,
    schema,
    type: typeOf(JSON.parse(schema) as AvroSchema),
  }))
})

function typeOf({ doc }: AvroSchema): string {
  return /^The (?:event|command) (\S+)\.$/.exec(String(doc))![1]!
}

const newSession = async (isReadOnly = false): Promise<SchemaSession> => {
  const registry = await BuiltInRegistry.open(await memoryBroker(), systemClock)
  return new SchemaSession({ registry, clock: systemClock, registers: true, isReadOnly })
}

const openAll = async (session: SchemaSession): Promise<void> => {
  for (const { topic } of written) await topic.value.schemas!.open(session, placeOf(topic.name))
}

const processed = (
  eventVersion: string,
  capturedMinor: number | undefined,
  status: 'COMPLETED' | 'FAILED' = 'COMPLETED',
): PaymentProcessed =>
  ({
    eventId: 'e',
    eventType: 'payment.processed',
    eventVersion,
    timestamp: '2026-01-01T00:00:00.000Z',
    source: 'payments',
    aggregateId: 'p',
    aggregateVersion: 1,
    data: {
      paymentId: 'p',
      orderId: 'o',
      status,
      amountMinor: 10,
      ...(capturedMinor !== undefined && { capturedMinor }),
      currency: 'EUR',
      method: 'card',
    },
    metadata: {
      correlationId: 'c',
      causationId: 'c',
      schemaVersion: Number(eventVersion.slice(0, 1)),
    },
  }) as PaymentProcessed

const tellStory = async (): Promise<unknown> => {
  const story = new ShopStory({ gateway: { declineRate: 0.2, shortRate: 0.2 } })
  story.stock('tea', 30)
  story.stock('pot', 3)
  for (let i = 0; i < 8; i++) {
    story.order(`o-${i}`, i % 2 === 0 ? { tea: 2, pot: 1 } : { tea: 1 }, 'card')
  }
  story.order('o-late', { tea: 1 }, 'transfer')
  await story.pass()
  const topics = topicCatalogue.map(({ topic }) => topic as unknown as Topic<unknown, unknown>)
  const records = story.driver.readAll(topics).map(({ topic, record }) => [
    topic.name,
    record.key,
    JSON.stringify(record.value), // with the order of its fields: hashes of bodies depend on it
  ])
  const rows = Array.from({ length: 8 }, (_, i) => story.row(`o-${i}`))
  return { records, rows, summary: story.summary(), dead: story.driver.deadLetters() }
}

describe('the schemas', () => {
  it('are there for everything, and for nothing else', () => {
    const older = written.filter(({ type }) => versionsOf(type).older !== undefined)
    const expected = [
      ...written.map(({ type }) => `${type}.avsc`),
      ...older.map(({ type }) => `${type}.v${versionsOf(type).major - 1}.avsc`),
    ]
    expect(files.toSorted()).toEqual(expected.toSorted())
  })

  it('have a subject of topic and record', () => {
    const subjects = written.map(({ subject }) => subject)
    expect(subjects).toContain('ecom.orders-millrace.shop.v1.OrderCreated')
    expect(subjects).toContain('ecom.payments-millrace.shop.v2.PaymentProcessed')
    expect(new Set(subjects).size).toBe(subjects.length)
  })

  it.each(['event', 'command'] as const)('are those that the %s types were made from', (kind) => {
    const squeezed = (text: string): string => text.replace(/[\s|]+/g, '')
    expect(squeezed(readFileSync(typesFile(kind), 'utf8'))).toBe(squeezed(schemaTypes(kind)))
  })
})

describe('the story', () => {
  it('is the same in Avro as in JSON, and readable after a switch in the middle', async () => {
    const inJson = await tellStory()
    await openAll(await newSession())
    expect(payments.value.encode(processed('2.0.0', 5))[0]).toBe(0)
    expect(await tellStory()).toEqual(inJson)
    await openAll(await newSession(true))
    expect(payments.value.encode(processed('2.0.0', 5))[0]).toBe('{'.charCodeAt(0))
  })
})

describe('versions', () => {
  const oldSchema = JSON.parse(
    readFileSync(new URL('payment.processed.v1.avsc', folder), 'utf8'),
  ) as AvroSchema

  it.each([
    ['COMPLETED', undefined, 10],
    ['COMPLETED', 7, 7],
    ['FAILED', undefined, 0],
  ] as const)('a payment of version 1, %s with %s captured, is read as 2', async (...given) => {
    const [status, capturedMinor, expected] = given
    const session = await newSession()
    await openAll(session)
    const v1 = processed('1.3.0', capturedMinor, status)
    const v2 = { ...processed('2.0.0', expected, status) }
    const asRead = payments.value.decode(Buffer.from(JSON.stringify(v1)))
    expect(asRead).toEqual(v2)
    const old = avroSerde<PaymentEvent>({ schemas: [oldSchema], timestamps: 'iso' })
    await old.schemas.open(session, placeOf(payments.name))
    expect(payments.value.decode(old.encode(v1))).toEqual(v2)
    expect(v1.metadata.schemaVersion).toBe(1) // what was read is left as it is
  })

  it.each(['3.0.0', '0.9.0', '20.1.0', 2])('an unknown major goes to the dead letters: %j', (v) => {
    const event = { ...processed('2.0.0', 1), eventVersion: v }
    const text = Buffer.from(JSON.stringify(event))
    expect(() => payments.value.decode(text)).toThrow(/known are versions 1.x and 2.x/)
    const order = { ...event, eventType: 'order.created' }
    const orderText = Buffer.from(JSON.stringify(order))
    expect(() => orders.value.decode(orderText)).toThrow(/known are versions 1.x$/)
  })

  it('an unknown major in Avro, and a record that says it is another, are refused', async () => {
    await openAll(await newSession())
    const bytes = payments.value.encode({ ...processed('3.0.0', 1) })
    expect(() => payments.value.decode(bytes)).toThrow(/unknown eventVersion "3.0.0"/)
    const session = await newSession()
    await openAll(session)
    const { schema } = written.find(({ type }) => type === 'order.expired')!
    const foreign = avroSerde<object>({
      schemas: [JSON.parse(schema) as AvroSchema],
      timestamps: 'iso',
    })
    await foreign.schemas.open(session, placeOf(orders.name))
    const event = fc.sample(valuesOf(schema, { eventType: 'order.cancelled' }), 1)[0]!
    expect(() => orders.value.decode(foreign.encode(event))).toThrow(
      /OrderExpired says that it is "order.cancelled"/,
    )
  })

  it('without a registry Avro is refused, with what to do', async () => {
    vi.resetModules()
    const fresh = await import('../../topologies/shop/shared/topics.ts')
    const bytes = Buffer.from([0, 0, 0, 0, 1, 1])
    expect(() => fresh.orders.value.decode(bytes)).toThrow(/name the schema registry/)
  })
})

describe('in Avro', () => {
  beforeAll(async () => openAll(await newSession()))

  it.each(written.map((each) => [each.type, each] as const))(
    '%s comes back as it was',
    (type, { topic, schema }) => {
      const tag = schema.includes('"eventType"') ? 'event' : 'command'
      const fixed = {
        [`${tag}Type`]: type,
        [`${tag}Version`]: `${versionsOf(type).prefix}4.1`,
        [`${tag}Id`]: 'id',
      }
      fc.assert(
        fc.property(valuesOf(schema, fixed), (message) => {
          const bytes = topic.value.encode(message)
          expect(bytes[0]).toBe(0)
          const decoded = topic.value.decode(bytes)
          expect(JSON.stringify(decoded)).toBe(JSON.stringify(message))
          const text = Buffer.from(JSON.stringify(message))
          expect(topic.value.decode(text)).toEqual(message) // what was JSON before is still read
        }),
        { numRuns: 50 },
      )
    },
  )
})
