/**
 * Goal: the registry of the embedded broker keeps the contract, in the process and over HTTP, and
 * what it acknowledged survives a crash.
 */

import { onTestFinished, expect, test } from 'vitest'
import { MemoryDisk } from '../../state/memory/memory-disk.ts'
import { MemoryEngine } from '../../state/memory/memory-engine.ts'
import { EmbeddedBroker } from '../../src/broker/embedded/embedded-broker.ts'
import { systemClock } from '../../src/clock.ts'
import { BuiltInRegistry, schemasTopic } from '../../src/schema-registry/built-in-registry.ts'
import { guidOf } from '../../src/schema-registry/schema-tables.ts'
import { registryContract } from '../contract/registry-contract.ts'
import { memoryBroker, ServedRegistry } from './served-registry.ts'

registryContract(
  'built-in, in the process',
  async () => {
    const registry = await BuiltInRegistry.open(await memoryBroker(), systemClock)
    onTestFinished(() => registry.close())
    return registry
  },
  { guidOf },
)

registryContract('built-in, over HTTP', async () => (await ServedRegistry.open()).client(), {
  guidOf,
})

const schema = JSON.stringify({
  type: 'record',
  name: 'Kept',
  fields: [{ name: 'id', type: 'string' }],
})

const onDisk = (disk: MemoryDisk): Promise<EmbeddedBroker> =>
  EmbeddedBroker.open({ engine: MemoryEngine.create(disk), clock: systemClock })

test('what was acknowledged is there after a crash; ids go on', async () => {
  const disk = new MemoryDisk()
  const broker = await onDisk(disk)
  const registry = await BuiltInRegistry.open(broker, systemClock)
  expect(await registry.register('one', schema)).toBe(1)
  await registry.setLevel('FULL', 'one')
  broker.kill()
  disk.crash()
  const again = await BuiltInRegistry.open(await onDisk(disk), systemClock)
  expect(await again.find('one', schema)).toMatchObject({ id: 1, version: 1 })
  expect(await again.level('one')).toBe('FULL')
  expect(await again.level()).toBe('BACKWARD_TRANSITIVE')
  expect(await again.register('two', '"string"')).toBe(2)
})

test('a write of unknown outcome is read back, not guessed', async () => {
  const broker = await memoryBroker()
  const registry = await BuiltInRegistry.open(broker, systemClock)
  const producer = broker.producer('other')
  let isLost = true
  const { send } = producer
  const losing = await BuiltInRegistry.open(
    {
      ...broker,
      kind: broker.kind,
      topics: broker.topics,
      fetcher: (id: string) => broker.fetcher(id),
      producer: () => ({
        send: async (batches: Parameters<typeof send>[0]) => {
          const sent = await send.call(producer, batches)
          if (isLost) throw new Error('no answer')
          return sent
        },
        close: async () => {},
      }),
    } as unknown as EmbeddedBroker,
    systemClock,
  )
  await expect(losing.register('one', schema)).rejects.toThrow('no answer')
  isLost = false
  expect(await losing.register('one', schema)).toBe(1)
  expect(await losing.versions('one')).toEqual([1])
  await registry.close()
})

test('its topic is compacted, and is only made where schemas are registered', async () => {
  const broker = await memoryBroker()
  expect(await BuiltInRegistry.isUsed(broker)).toBe(false)
  await BuiltInRegistry.open(broker, systemClock)
  expect(await BuiltInRegistry.isUsed(broker)).toBe(true)
  const settings = (await broker.topics.settings([schemasTopic])).get(schemasTopic)
  expect(settings?.cleanupPolicy).toBe('compact')
})

test('HTTP answers what is wrong with a request as Confluent does', async () => {
  const { url } = await ServedRegistry.open()
  const post = async (path: string, body: string) => {
    const headers = { 'content-type': 'application/vnd.schemaregistry.v1+json' }
    const response = await fetch(`${url}${path}`, { method: 'POST', headers, body })
    return { status: response.status, code: ((await response.json()) as never)['error_code'] }
  }
  const versions = '/subjects/s/versions'
  expect(await post(versions, '{')).toEqual({ status: 422, code: 42_201 })
  expect(await post(versions, '{}')).toEqual({ status: 422, code: 42_201 })
  const protobuf = JSON.stringify({ schema: 'x', schemaType: 'PROTOBUF' })
  expect(await post(versions, protobuf)).toEqual({ status: 422, code: 42_201 })
  const references = JSON.stringify({ schema, references: [{}] })
  expect(await post(versions, references)).toEqual({ status: 422, code: 42_201 })
  expect(await post('/subjects/s', JSON.stringify({ schema }))).toEqual({
    status: 404,
    code: 40_401,
  })
  const bad = await fetch(`${url}/subjects/s/versions/0`)
  expect(bad.status).toBe(422)
  const level = { method: 'PUT', body: '{"compatibility":"SOME"}' }
  const headers = { 'content-type': 'application/json' }
  expect((await fetch(`${url}/config`, { ...level, headers })).status).toBe(422)
  expect(await (await fetch(`${url}/schemas/types`)).json()).toEqual(['AVRO'])
})
