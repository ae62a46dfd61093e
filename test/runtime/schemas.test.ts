/**
 * Goal: a schema registry that is away delays records and loses none; what can never be read is a
 * dead letter with its bytes, and holds up nobody.
 * Method: an instance on the embedded broker, with the built-in registry behind a switch.
 */

import { expect, onTestFinished, test } from 'vitest'
import { silentLogger } from '../../src/logger.ts'
import { mapValues } from '../../src/operators/map-values.ts'
import { stream } from '../../src/operators/stream.ts'
import { to } from '../../src/operators/to.ts'
import { openSchemas, type SchemaTopic } from '../../src/runtime/open-schemas.ts'
import { macrotask } from '../../src/runtime/sleep.ts'
import { BuiltInRegistry } from '../../src/schema-registry/built-in-registry.ts'
import { SchemaRegistryError } from '../../src/schema-registry/errors.ts'
import type { SchemaRegistry } from '../../src/schema-registry/port.ts'
import { SchemaSession } from '../../src/schema-registry/schema-session.ts'
import { type AvroSerde, avroSerde } from '../../src/serde/avro.ts'
import { bytes } from '../../src/serde/bytes.ts'
import { json } from '../../src/serde/json.ts'
import { utf8 } from '../../src/serde/utf8.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { topic } from '../../src/topic.ts'
import { topology } from '../../src/topology/topology.ts'
import type { Instance } from './instance.ts'
import { Site } from './fixture.ts'

interface Entry {
  readonly amount: number
}

const entrySchema = (...more: readonly object[]) => ({
  type: 'record',
  name: 'Entry',
  fields: [{ name: 'amount', type: 'long' }, ...more],
})

const newest = entrySchema({ name: 'note', type: ['null', 'string'], default: null })
const foreign = entrySchema({ name: 'colour', type: 'string', default: 'red' })

const doubles = topic('doubles', { key: utf8, value: json<number>() })
const deadLetters = topic('app-dead-letters', { key: utf8, value: bytes })

const newWorld = async () => {
  const site = await Site.open()
  const entries = topic('entries', { key: utf8, value: avroSerde<Entry>({ schemas: [newest] }) })
  await site.createTopics([entries, doubles], 2)
  const builtIn = await site.settled(BuiltInRegistry.open(site.broker, site.clock))
  onTestFinished(() => builtIn.close())
  const away = { isAway: false, isSilent: false, calls: 0 }
  const registry = behind(builtIn, away)
  const doubling = topology('doubling', () => [
    stream(entries).pipe(
      mapValues(({ amount }) => 2 * amount),
      to(doubles),
    ),
  ])
  const newSession = (): SchemaSession =>
    new SchemaSession({ registry, clock: site.clock, registers: true })
  /** Another application's, which writes what this one never saw. */
  const writer = async (): Promise<AvroSerde<Entry & { colour?: string }>> => {
    const serde = avroSerde<Entry & { colour?: string }>({ schemas: [foreign] })
    const session = new SchemaSession({ registry: builtIn, clock: site.clock, registers: true })
    const place = { topic: 'others', part: 'value', isInternal: false } as const
    await site.settled(serde.schemas.open(session, place))
    return serde
  }
  const send = (key: string, value: Uint8Array): Promise<void> =>
    site.sendBytes(entries, utf8.encode(key), value)
  const start = (): Promise<Instance> =>
    site.start({ topology: doubling, schemaSession: newSession() })
  return { site, away, doubling, newSession, writer, send, start, entries }
}

/** The registry, which answers only while it is not away. */
const behind = (
  registry: SchemaRegistry,
  away: { readonly isAway: boolean; readonly isSilent: boolean; calls: number },
): SchemaRegistry =>
  new Proxy(registry, {
    get(target, name) {
      const method = Reflect.get(target, name) as (...args: unknown[]) => Promise<unknown>
      return async (...args: unknown[]) => {
        away.calls += 1
        if (away.isSilent) return new Promise(() => {})
        if (!away.isAway) return method.apply(target, args)
        throw new SchemaRegistryError('SCHEMA_REGISTRY_UNAVAILABLE', 'no answer')
      }
    },
  })

test('at the start it is waited for', async () => {
  const { site, away, doubling, newSession } = await newWorld()
  away.isAway = true
  const launched = site.launch({ topology: doubling, schemaSession: newSession() })
  await site.turn(200)
  expect(launched.application.state).toBe('starting')
  expect(launched.application.trouble).toMatch(/schema registry cannot be reached: no answer/)
  expect(away.calls).toBeGreaterThan(2)
  expect(launched.log).toHaveLength(1) // each reason once
  away.isAway = false
  await site.settled(launched.started)
  expect(launched.application.trouble).toBeUndefined()
})

test('closed while it waits for the registry: closed at once', async () => {
  const { site, away, doubling, newSession } = await newWorld()
  away.isAway = true
  const { application, started } = site.launch({ topology: doubling, schemaSession: newSession() })
  await site.turn(200)
  await site.settled(application.close())
  await expect(started).rejects.toMatchObject({ code: 'STREAMS_CLOSED' })
})

test('a registry that is slow, and answers, is no trouble; one that stops is', async () => {
  const clock = new ManualClock()
  let opened = 0
  const schemas = {
    isRequired: true,
    open: async () => {
      await new Promise<void>((resolve) => void clock.setTimer(opened === 3 ? 9_000 : 800, resolve))
      opened += 1
    },
  }
  const handle = { key: { ...utf8, schemas }, value: utf8 } as unknown as SchemaTopic['handle']
  const topics = [1, 2, 3, 4, 5].map((n) => ({ handle, name: `t${n}`, isInternal: false }))
  const told: [number, string | undefined][] = []
  const done = openSchemas(topics, {
    session: new SchemaSession({ registry: {} as SchemaRegistry, clock }),
    clock,
    logger: silentLogger,
    isLeaving: () => false,
    leaving: new Promise(() => {}),
    onTrouble: (trouble) => void told.push([opened, trouble]),
  })
  while (opened < 5) {
    clock.advanceBy(100)
    await macrotask()
  }
  await done
  expect(told).toEqual([
    [3, 'the schema registry does not answer'],
    [4, undefined],
    [5, undefined],
  ])
})

test('a start that is left tells no more of the registry, whatever it answers later', async () => {
  const clock = new ManualClock()
  const answer = Promise.withResolvers<void>()
  const schemas = { isRequired: true, open: () => answer.promise }
  const handle = { key: { ...utf8, schemas }, value: utf8 } as unknown as SchemaTopic['handle']
  const told: (string | undefined)[] = []
  await openSchemas([{ handle, name: 't', isInternal: false }], {
    session: new SchemaSession({ registry: {} as SchemaRegistry, clock }),
    clock,
    logger: silentLogger,
    isLeaving: () => false,
    leaving: Promise.resolve(),
    onTrouble: (trouble) => void told.push(trouble),
  })
  answer.resolve()
  await macrotask()
  clock.advanceBy(60_000)
  expect(told.filter((trouble) => trouble !== undefined)).toEqual([])
})

test('a registry that keeps silent at the start is told as such, and left at once', async () => {
  const { site, away, doubling, newSession } = await newWorld()
  away.isSilent = true
  const launched = site.launch({ topology: doubling, schemaSession: newSession() })
  const { application, started, log } = launched
  await site.turn(400, 5)
  expect(application.trouble).toBe('the schema registry does not answer')
  expect(log).toEqual([])
  await site.settled(application.close())
  await expect(started).rejects.toMatchObject({ code: 'STREAMS_CLOSED' })
})

test('records of an unknown schema wait for it; other partitions go on', async () => {
  const { site, away, writer, send, start, entries } = await newWorld()
  const { application } = await start()
  const others = await writer()
  const callsBefore = away.calls
  away.isAway = true
  // a and d lie in different partitions
  await send('a', entries.value.encode({ amount: 1 }))
  await send('d', entries.value.encode({ amount: 10 }))
  await site.until(() => application.metrics().counters.recordsProcessed === 2)
  expect(away.calls).toBe(callsBefore) // nobody asks for what is known
  await send('a', others.encode({ amount: 2 }))
  await send('a', entries.value.encode({ amount: 3 }))
  await site.until(() => application.inputTrouble !== undefined)
  await send('d', entries.value.encode({ amount: 20 }))
  await site.turn(1_000)
  expect(application.state).toBe('running')
  expect(application.inputTrouble).toMatch(/entries-\d waits for the schema registry: no answer/)
  expect((await site.values(doubles)).toSorted((x, y) => x - y)).toEqual([2, 20, 40])
  away.isAway = false
  await site.until(() => application.metrics().counters.recordsProcessed === 5, 50)
  expect(application.inputTrouble).toBeUndefined()
  await site.idle()
  expect((await site.read(doubles)).filter(({ key }) => key === 'a').map((r) => r.value)).toEqual([
    2, 4, 6,
  ])
  expect(await site.values(deadLetters)).toEqual([])
})

test('an instance closed while a batch waits leaves it to the next one', async () => {
  const { site, away, writer, send, start } = await newWorld()
  const { application } = await start()
  const others = await writer()
  away.isAway = true
  await send('a', others.encode({ amount: 4 }))
  await site.until(() => application.inputTrouble !== undefined)
  await site.settled(application.close())
  expect(await site.values(doubles)).toEqual([])
  away.isAway = false
  await start()
  await site.idle()
  expect(await site.values(doubles)).toEqual([8])
})

test('what can never be read is a dead letter with its bytes', async () => {
  const { site, send, start, entries } = await newWorld()
  await start()
  const good = entries.value.encode({ amount: 5 })
  const bad = [
    Buffer.from([0, 0, 0, 3, 231, 2]),
    Buffer.from([7, 0, 0, 0, 1, 2]),
    Buffer.from('{"amount":1}'),
    Buffer.concat([good, Buffer.from([1])]),
    Buffer.from([0, 0]),
  ]
  for (const value of bad) await send('a', value)
  await send('a', good)
  await site.idle()
  expect(await site.values(doubles)).toEqual([10])
  expect((await site.values(deadLetters)).map((value) => Buffer.from(value))).toEqual(bad)
})

test('without a session the start is refused, with what to do', async () => {
  const { site, doubling } = await newWorld()
  const { started } = site.launch({ topology: doubling })
  await site.turn(20)
  await expect(started).rejects.toThrow(/entries has its schemas in a registry.*schemaSession/)
})
