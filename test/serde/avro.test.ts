/**
 * Goal: what Avro writes is read back, by newer readers too; what is no such message is refused
 * with its reason, and never makes the decoder run away.
 * Method: a real registry in memory; random values, and random damage to valid bytes.
 */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { type AvroOptions, type AvroSerde, avroSerde } from '../../src/serde/avro.ts'
import { nullable } from '../../src/serde/nullable.ts'
import { BuiltInRegistry } from '../../src/schema-registry/built-in-registry.ts'
import { guidOf } from '../../src/schema-registry/schema-tables.ts'
import { SchemaSession } from '../../src/schema-registry/schema-session.ts'
import { memoryBroker } from '../schema-registry/served-registry.ts'

const place = { topic: 'orders', part: 'value', isInternal: false } as const

interface Order {
  readonly id: string
  readonly amountMinor: number
  readonly placedAt: string
  readonly lines: readonly { readonly sku: string; readonly units: number }[]
  readonly notes?: string
  readonly tags?: Readonly<Record<string, string>>
  readonly blob?: Buffer
}

const line = {
  type: 'record',
  name: 'Line',
  fields: [
    { name: 'sku', type: 'string' },
    { name: 'units', type: 'int' },
  ],
}
const orderSchema = {
  type: 'record',
  name: 'Order',
  namespace: 'test',
  fields: [
    { name: 'id', type: 'string' },
    { name: 'amountMinor', type: 'long' },
    { name: 'placedAt', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'lines', type: { type: 'array', items: line } },
    { name: 'notes', type: ['null', 'string'], default: null },
    { name: 'tags', type: ['null', { type: 'map', values: 'string' }], default: null },
    { name: 'blob', type: ['null', 'bytes'], default: null },
  ],
}

const mapKeys = fc.string().filter((key) => key !== '__proto__')
const times = fc.date({ noInvalidDate: true, max: new Date(4e15), min: new Date(-4e15) })

const orders = fc.record<Order>(
  {
    id: fc.string({ unit: 'grapheme' }),
    amountMinor: fc.integer({ min: -(2 ** 52), max: 2 ** 52 }),
    placedAt: times.map((date) => date.toISOString()),
    lines: fc.array(
      fc.record({ sku: fc.string(), units: fc.integer() }, { noNullPrototype: true }),
    ),
    notes: fc.string(),
    tags: fc.dictionary(mapKeys, fc.string(), { noNullPrototype: true }),
    blob: fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  },
  { requiredKeys: ['id', 'amountMinor', 'placedAt', 'lines'], noNullPrototype: true },
)

const newSession = async (): Promise<SchemaSession> => {
  const registry = await BuiltInRegistry.open(await memoryBroker(), systemClock)
  return new SchemaSession({ registry, clock: systemClock, registers: true })
}

const opened = async <T>(
  options: AvroOptions<T>,
  session?: SchemaSession,
): Promise<AvroSerde<T>> => {
  const serde = avroSerde<T>(options)
  await serde.schemas.open(session ?? (await newSession()), place)
  return serde
}

/** As the runtime does it: look up, then decode. */
const read = async <T>(serde: AvroSerde<T>, bytes: Uint8Array): Promise<T> => {
  const missing = serde.schemas.missing(bytes, [])
  if (missing !== undefined) await serde.schemas.ask(missing)
  return serde.decode(bytes)
}

const record = (fields: readonly object[], name = 'Order') => ({
  type: 'record',
  namespace: 'test',
  name,
  fields,
})

describe('a round trip', () => {
  it('brings back every value', async () => {
    const serde = await opened<Order>({ schemas: [orderSchema], timestamps: 'iso' })
    fc.assert(
      fc.property(orders, (order) => {
        const bytes = serde.encode(order)
        expect([...bytes.subarray(0, 5)]).toEqual([0, 0, 0, 0, 1])
        expect(serde.decode(bytes)).toStrictEqual(order)
        const buffer = Buffer.concat([Buffer.from('x'), bytes])
        expect(serde.decode(buffer.subarray(1))).toStrictEqual(order)
      }),
    )
  })

  it('keeps milliseconds as numbers unless told', async () => {
    const fields = [{ name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } }]
    const serde = await opened<{ at: number }>({ schemas: [record(fields)] })
    expect(serde.decode(serde.encode({ at: 5 }))).toEqual({ at: 5 })
  })

  it('refuses what the schema does not hold, and goes on', async () => {
    const serde = await opened<Order>({ schemas: [orderSchema], timestamps: 'iso' })
    const good: Order = { id: 'a', amountMinor: 1, placedAt: '2020-01-01T00:00:00.000Z', lines: [] }
    expect(() => serde.encode({ ...good, amountMinor: 1.5 })).toThrow(/1.5/)
    expect(() => serde.encode({ ...good, amountMinor: 2 ** 52 + 1 })).toThrow(/2\^52/)
    expect(() => serde.encode({ ...good, amountMinor: -(2 ** 52) - 1 })).toThrow(/2\^52/)
    expect(() => serde.encode({ ...good, placedAt: 'soon' })).toThrow()
    const long = { ...good, notes: 'x'.repeat(100_000) }
    expect(serde.decode(serde.encode(long))).toEqual(long)
  })

  it('works inside nullable', async () => {
    const serde = avroSerde<Order>({ schemas: [orderSchema], timestamps: 'iso' })
    expect(nullable(serde).schemas).toBe(serde.schemas)
  })
})

describe('subjects', () => {
  it.each([
    ['topicRecord', 'orders-test.Order'],
    ['topic', 'orders-value'],
    ['record', 'test.Order'],
  ] as const)('%s makes %s', async (subjects, subject) => {
    const session = await newSession()
    await opened<Order>({ schemas: [orderSchema], subjects }, session)
    expect(await session.registry.subjects()).toEqual([subject])
    expect(await session.registry.level(subject)).toBe('BACKWARD_TRANSITIVE')
  })

  it('are shared with internal topics, which else have their own', async () => {
    const session = await newSession()
    const serde = await opened<Order>({ schemas: [orderSchema] }, session)
    const internal = { ...place, topic: 'app-again-repartition', isInternal: true }
    await serde.schemas.open(session, internal)
    expect(await session.registry.subjects()).toEqual(['orders-test.Order'])
    const alone = avroSerde<{ id: string }>({
      schemas: [record([{ name: 'id', type: 'string' }], 'Alone')],
    })
    await alone.schemas.open(session, internal)
    expect(await session.registry.subjects()).toContain('app-again-repartition-test.Alone')
    expect(alone.decode(alone.encode({ id: 'a' }))).toEqual({ id: 'a' })
  })

  it('are not written by who only reads', async () => {
    const { registry } = await newSession()
    const reader = new SchemaSession({ registry, clock: systemClock, isReadOnly: true })
    const serde = avroSerde<Order>({ schemas: [orderSchema], timestamps: 'iso' })
    await serde.schemas.open(reader, place)
    expect(await registry.subjects()).toEqual([])
    expect(() => serde.encode({ id: 'a' } as Order)).toThrow(/none was opened/)
  })

  it('must be there for who does not register', async () => {
    const { registry } = await newSession()
    const session = new SchemaSession({ registry, clock: systemClock })
    await expect(opened<Order>({ schemas: [orderSchema] }, session)).rejects.toMatchObject({
      code: 'SCHEMA_NOT_REGISTERED',
      action: 'stop',
    })
  })
})

describe('evolution', () => {
  const v1 = record([{ name: 'id', type: 'string' }])
  const v2 = record([
    { name: 'id', type: 'string' },
    { name: 'channel', type: 'string', default: 'web' },
  ])

  it('reads what an earlier version wrote, and what a later one did', async () => {
    const session = await newSession()
    const old = await opened<{ id: string }>({ schemas: [v1] }, session)
    const bytes = old.encode({ id: 'a' })
    const next = await opened<{ id: string; channel: string }>({ schemas: [v2] }, session)
    expect(await read(next, bytes)).toEqual({ id: 'a', channel: 'web' })
    expect(await read(old, next.encode({ id: 'b', channel: 'app' }))).toEqual({ id: 'b' })
  })

  it('refuses a version that cannot read an earlier one', async () => {
    const session = await newSession()
    await opened({ schemas: [v1] }, session)
    const required = record([{ name: 'count', type: 'int' }])
    await expect(opened({ schemas: [required] }, session)).rejects.toThrow(/version 1/)
  })

  it('tells records apart by name, and knows earlier majors', async () => {
    const session = await newSession()
    const old = await opened<{ id: string }>({ schemas: [record([v1.fields[0]!], 'A1')] }, session)
    const serde = await opened<{ kind: string; id: string }>(
      {
        schemas: [record([v1.fields[0]!], 'A2'), record([v1.fields[0]!], 'B')],
        olderSchemas: [record([v1.fields[0]!], 'A1')],
        nameOf: ({ kind }) => `test.${kind}`,
        onRead: (value, name) => ({ ...(value as { id: string }), kind: name }),
      },
      session,
    )
    expect(await read(serde, serde.encode({ kind: 'B', id: 'x' }))).toMatchObject({
      kind: 'test.B',
    })
    expect(await read(serde, old.encode({ id: 'y' }))).toEqual({ kind: 'test.A1', id: 'y' })
    expect(() => serde.encode({ kind: 'C', id: 'x' })).toThrow(/test.C/)
    const foreign = await opened({ schemas: [record([v1.fields[0]!], 'Z')] }, session)
    await expect(read(serde, foreign.encode({ id: 'z' }))).rejects.toThrow(/test.Z is none of/)
  })
})

describe('wire format 1', () => {
  it('is read: the GUID stands in a header', async () => {
    const session = await newSession()
    const serde = await opened<Order>({ schemas: [orderSchema], timestamps: 'iso' }, session)
    const order: Order = {
      id: 'a',
      amountMinor: 1,
      placedAt: '2020-01-01T00:00:00.000Z',
      lines: [],
    }
    const body = serde.encode(order).subarray(5)
    const guid = guidOf(JSON.stringify(orderSchema)).replaceAll('-', '')
    const value = Buffer.concat([Buffer.from([1]), Buffer.from(guid, 'hex')])
    const headers = [{ key: '__value_schema_id', value }]
    const missing = serde.schemas.missing(body, headers)
    expect(String(missing).replaceAll('-', '')).toBe(guid)
    await serde.schemas.ask(missing!)
    expect(serde.decodeWith(body, headers)).toEqual(order)
    const bad = [{ key: '__value_schema_id', value: Buffer.from([9, 9]) }]
    expect(serde.schemas.missing(body, bad)).toBeUndefined()
    expect(() => serde.decodeWith(body, bad)).toThrow(/no schema id: 0909/)
    expect(serde.decodeWith(serde.encode(order), [{ key: 'other', value }])).toEqual(order)
  })
})

describe('bad input', () => {
  it.each<[string, readonly number[], RegExp]>([
    ['nothing', [], /0 bytes are no Avro/],
    ['a short frame', [0, 0, 0], /3 bytes/],
    ['another magic byte', [1, 0, 0, 0, 1, 0], /magic byte is 1/],
    ['JSON', [...Buffer.from('{"id":"a"}')], /magic byte is 123/],
    ['an id nobody registered', [0, 0, 0, 0, 99, 0], /schema 99 is unknown: .*never registered/],
    ['a body that ends too early', [0, 0, 0, 0, 1, 6, 97], /too early/],
    ['a body that goes on', [0, 0, 0, 0, 1, 2, 97, 2, 0, 0, 0, 0, 0, 9], /bytes too many/],
    ['a text that is no UTF-8', [0, 0, 0, 0, 1, 2, 255, 2, 0, 0, 0, 0, 0], /UTF-8/],
    ['a negative length', [0, 0, 0, 0, 1, 1, 97], /length of -1/],
    ['2^40 lines', [0, 0, 0, 0, 1, 0, 2, 0, 128, 128, 128, 128, 128, 64, 0], /items cannot be/],
    ['a branch that is none', [0, 0, 0, 0, 1, 0, 2, 0, 0, 8, 0, 0], /index 4 of 2/],
    ['an endless number', [0, 0, 0, 0, 1, ...Array<number>(12).fill(255)], /10 bytes|early/],
  ])('refuses %s', async (_name, bytes, message) => {
    const serde = await opened<Order>({ schemas: [orderSchema], timestamps: 'iso' })
    await expect(read(serde, Uint8Array.from(bytes))).rejects.toThrow(message)
  })

  it('refuses a map that would change what it is', async () => {
    const serde = await opened<Order>({ schemas: [orderSchema], timestamps: 'iso' })
    const good: Order = { id: 'a', amountMinor: 1, placedAt: '2020-01-01T00:00:00.000Z', lines: [] }
    const tags = Object.fromEntries([['__proto__', 'x']])
    expect(() => serde.decode(serde.encode({ ...good, tags }))).toThrow(/__proto__/)
  })

  it('is decoded or refused, whatever it is, and at once', async () => {
    const serde = await opened<Order>({ schemas: [orderSchema], timestamps: 'iso' })
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 })
    fc.assert(
      fc.property(orders, damage, fc.uint8Array(), (order, changes, tail) => {
        const bytes = Buffer.concat([serde.encode(order), tail])
        for (const [at, byte] of changes) bytes[5 + (at % (bytes.length - 5))] = byte
        try {
          const decoded = serde.decode(bytes)
          expect(serde.decode(serde.encode(decoded))).toStrictEqual(decoded)
        } catch (error) {
          expect(error).toBeInstanceOf(Error)
        }
      }),
      { numRuns: 2_000 },
    )
  })

  it('needs a registry', () => {
    const serde = avroSerde<Order>({ schemas: [orderSchema] })
    expect(serde.schemas.isIdle).toBe(true)
    expect(() => serde.decode(Buffer.from([0, 0, 0, 0, 1, 0]))).toThrow(/none was opened/)
    expect(() => avroSerde({ schemas: [{ type: 'recrod', name: 'X' }] })).toThrow(/no Avro schema/)
  })
})
