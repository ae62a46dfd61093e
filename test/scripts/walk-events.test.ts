/**
 * Goal: what Kafka's console consumer prints is read as it was written, and an event that is
 * missing, doubled or otherwise than promised is told.
 */

import avro from 'avsc'
import fc from 'fast-check'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { consoleRecord } from '../../scripts/walk-shop/console-record.ts'
import { findEvent, type TopicEvent } from '../../scripts/walk-shop/find-events.ts'
import { EventReader } from '../../scripts/walk-shop/read-event.ts'
import { searchedTopics, searchErased } from '../../scripts/walk-shop/search-erased.ts'

/** As Kafka's `Bytes` prints itself. */
const escaped = (bytes: Uint8Array): string =>
  [...bytes]
    .map((byte) =>
      byte >= 0x20 && byte <= 0x7e && byte !== 0x5c
        ? String.fromCharCode(byte)
        : `\\x${byte.toString(16).toUpperCase().padStart(2, '0')}`,
    )
    .join('')

describe('a line of the console consumer', () => {
  it('is a record, whatever its bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const line = `Partition:3\ttraceparent:00-ab,service:shop\to-1\t${escaped(bytes)}`
        const record = consoleRecord(line)!
        expect(Buffer.compare(record.value, bytes)).toBe(0)
        expect(record).toMatchObject({ partition: 3, key: 'o-1' })
        expect([...record.headers]).toEqual([
          ['traceparent', '00-ab'],
          ['service', 'shop'],
        ])
      }),
    )
  })

  it.each(['', 'Processed a total of 3 messages', 'Partition:x\t\to\tv'])(
    'that is none is left out: %j',
    (line) => expect(consoleRecord(line)).toBeUndefined(),
  )
})

const schema: avro.Schema = {
  type: 'record',
  name: 'Seen',
  fields: [{ name: 'eventType', type: 'string' }],
}
const registry = createServer(({ url }, response) => {
  response.statusCode = url === '/schemas/ids/7' ? 200 : 404
  response.end(JSON.stringify({ schema: JSON.stringify(schema) }))
})

beforeAll(() => new Promise<void>((resolve) => registry.listen(0, '127.0.0.1', resolve)))
afterAll(() => void registry.close())

describe('the bytes of an event', () => {
  const frame = (id: number, body: Buffer): Buffer => {
    const head = Buffer.alloc(5)
    head.writeInt32BE(id, 1)
    return Buffer.concat([head, body])
  }
  const body = avro.Type.forSchema(schema).toBuffer({ eventType: 'order.created' })
  const open = (): EventReader =>
    new EventReader(`http://127.0.0.1:${(registry.address() as AddressInfo).port}`)

  it('are read with the schema of the registry', async () => {
    const reader = open()
    expect(await reader.read(frame(7, body))).toMatchObject({ eventType: 'order.created' })
    expect(reader.schemaCount).toBe(1)
  })

  it('are refused if the registry does not know the id, or they are cut', async () => {
    await expect(open().read(frame(8, body))).rejects.toThrow('404 for schema 8')
    await expect(open().read(frame(7, body.subarray(1)))).rejects.toThrow()
  })

  it('of another format are none', async () => {
    expect(await open().read(Buffer.from('{"eventType":"order.created"}'))).toBeUndefined()
  })
})

const topic = 'ecom.orders'
const expected = { topic, type: 'order.created', aggregate: 'o-1', data: { totalMinor: 500 } }

const seen = (more: object = {}, record: Partial<TopicEvent['record']> = {}): TopicEvent => ({
  event: {
    eventId: 'e-1',
    eventType: 'order.created',
    eventVersion: '1.2.0',
    aggregateId: 'o-1',
    aggregateVersion: 1,
    data: { orderId: 'o-1', totalMinor: 500, currency: 'EUR' },
    metadata: { schemaVersion: 1, correlationId: 'c' },
    ...more,
  },
  record: {
    partition: 0,
    key: 'o-1',
    value: Buffer.alloc(0),
    headers: new Map([
      ['traceparent', `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`],
      ['service', 'shop'],
      ['version', '1'],
      ['timestamp', '1700000000000'],
    ]),
    ...record,
  },
})

describe('an expected event', () => {
  const other = seen({ eventId: 'e-2', eventType: 'order.confirmed' })

  it.each<[string, readonly TopicEvent[], RegExp | undefined]>([
    ['that is there once', [other, seen()], undefined],
    ['that is not there', [other], /ecom\.orders has 0 order\.created of o-1/],
    ['of another amount', [seen({ data: { orderId: 'o-1', totalMinor: 501 } })], /has 0/],
    ['of another order', [seen({ aggregateId: 'o-2' })], /has 0/],
    ['that is there twice', [seen(), seen()], /has 2/],
    [
      'whose id another has',
      [seen(), { ...other, event: { ...other.event, eventId: 'e-1' } }],
      /2 records have its id/,
    ],
    ['under another key', [seen({}, { key: 'o-2' })], /its key is o-2, not o-1/],
    ['without headers', [seen({}, { headers: new Map() })], /traceparent is absent/],
    ['of a version that its schema is not', [seen({ eventVersion: '2.0.0' })], /no version 1/],
    ['without a version of its aggregate', [seen({ aggregateVersion: 0 })], /aggregateVersion/],
  ])('%s', (_name, events, reason) => {
    const sought = findEvent(expected, new Map([[topic, events]]))
    if (reason === undefined) expect(sought.reason).toBeUndefined()
    else expect(sought.reason).toMatch(reason)
  })

  it('on a topic that was not read is not there', () => {
    expect(findEvent(expected, new Map()).reason).toMatch(/has 0/)
  })
})

describe('the search for an erased customer', () => {
  const value = (data: object): Buffer => Buffer.from(JSON.stringify(data))
  const record = (key: string, data: object) => ({
    partition: 0,
    headers: new Map<string, string>(),
    key,
    value: value(data),
  })
  const sealed = record('o-1', { customerId: 'w-ann', notes: 'enc:1:abc:def' })
  const living = record('k-1', { customerId: 'w-ann', wrapped: 'x', master: 'y' })
  const note = record('k-1', { customerId: 'w-ann', erasedAt: '2026-01-01T00:00:00Z' })
  const isClean = new Map(
    searchedTopics.map((topic) => [topic, topic === 'ecom.data-keys' ? [living, note] : [sealed]]),
  )

  const wrong = (topic: string, records: readonly ReturnType<typeof record>[]) =>
    searchErased(new Map([...isClean, [topic, [...records]]]), 'w')
      .filter(({ reason }) => reason !== undefined)
      .map((each) => each.topic)

  it('is content with sealed texts and destroyed keys', () => {
    expect(searchErased(isClean, 'w').map(({ reason }) => reason)).toEqual(
      searchedTopics.map(() => undefined),
    )
  })

  it.each([
    ['an address', 'ecom.orders', [sealed, record('o-1', { at: 'w Lantern Lane 7' })]],
    ['words as a key', 'ecom.audit', [sealed, record('w-moved-away', {})]],
    ['nothing of the customer', 'shop-orders-changelog', []],
    ['texts of others alone', 'ecom.orders', [record('o-1', { notes: 'enc:1:abc:def' })]],
    ['a key that lives', 'ecom.data-keys', [living]],
    ['a key that lives again', 'ecom.data-keys', [note, living]],
    ['no key at all', 'ecom.data-keys', []],
  ])('tells %s', (_what, topic, records) => {
    expect(wrong(topic, records)).toEqual([topic])
  })
})
