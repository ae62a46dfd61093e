/** Records through a real Kafka: every compression, large calls, and what the topics refuse. */

import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { KafkaBroker } from '../../src/broker/kafka/kafka-broker.ts'
import type { Compression } from '../../src/broker/kafka/records/compression.ts'
import type { ProduceRecord } from '../../src/broker/port.ts'
import { errorOf, recordOf } from '../contract/broker/probe.ts'
import { realKafka } from './real-kafka.ts'

vi.setConfig({ testTimeout: 60_000 })

const kafka = await realKafka()

describe.skipIf('skipped' in kafka)('records on Kafka', () => {
  const bootstrap = 'skipped' in kafka ? '' : kafka.bootstrap
  let broker: KafkaBroker

  beforeAll(async () => {
    broker = await KafkaBroker.open({ bootstrap })
  })
  afterAll(() => broker.close())

  const create = async (config: { readonly maxMessageBytes?: number } = {}): Promise<string> => {
    const name = `records-${randomUUID()}`
    await broker.topics.create([
      { name, partitions: 1, config: { cleanupPolicy: 'delete', retentionMs: -1, ...config } },
    ])
    return name
  }

  const readAll = async (topic: string, count: number) => {
    const fetcher = broker.fetcher('all')
    const records: { timestampMs: number; value: string; trace: string }[] = []
    for (let offset = 0n; records.length < count;) {
      const [batch] = await fetcher.fetch([{ topic, partition: 0, offset, maxBytes: 100_000 }], {
        isolation: 'read_committed',
        maxWaitMs: 500,
      })
      for (const { timestampMs, value, headers } of batch!.records) {
        records.push({
          timestampMs,
          value: Buffer.from(value!).toString(),
          trace: Buffer.from(headers[0]!.value!).toString(),
        })
      }
      offset = batch!.nextOffset
    }
    await fetcher.close()
    return records
  }

  it.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)(
    'compressed by %s come back',
    async (compression: Compression) => {
      const topic = await create({ maxMessageBytes: 20_000 })
      const client = await KafkaBroker.open({ bootstrap, compression })
      const records = Array.from({ length: 3_000 }, (_, index): ProduceRecord => ({
        timestampMs: 1_700_000_000_000 - index,
        key: null,
        value: Buffer.from(`${index} ${'filling '.repeat(index % 20)}`),
        headers: [{ key: 'trace', value: Buffer.from(`ü${index}`) }],
      }))
      const producer = client.transactionalProducer({ transactionalId: topic })
      await producer.init()
      producer.begin()
      const [produced] = await producer.produce([{ topic, partition: 0, records }])
      await producer.commit()
      expect(produced).toMatchObject({ baseOffset: 0n, nextOffset: 3_000n })
      expect(await readAll(topic, 3_000)).toEqual(
        records.map(({ timestampMs, value }, index) => ({
          timestampMs,
          value: Buffer.from(value!).toString(),
          trace: `ü${index}`,
        })),
      )
      await client.close()
    },
  )

  it('of a topic made again are not taken for those of the old one', async () => {
    const topic = await create()
    const fetcher = broker.fetcher('again')
    const request = { topic, partition: 0, offset: 0n, maxBytes: 1_000 }
    const options = { isolation: 'read_committed', maxWaitMs: 300 } as const
    await fetcher.fetch([request], options)
    await broker.topics.delete([topic])
    await broker.topics.create([
      { name: topic, partitions: 1, config: { cleanupPolicy: 'delete', retentionMs: -1 } },
    ])
    const error = await errorOf(
      (async () => {
        for (;;) await fetcher.fetch([request], options)
      })(),
    )
    expect(error).toMatchObject({ code: 'BROKER_UNKNOWN_TOPIC', action: 'stop' })
    expect(error.message).toContain('made again')
    await fetcher.close()
  })

  it('a limit lowered behind our back is found out', async () => {
    const topic = await create()
    const producer = broker.producer('limits')
    await producer.send([{ topic, partition: 0, records: [recordOf('a', 'small')] }])
    await alterLimit(topic, '1000')
    const large = { topic, partition: 0, records: [recordOf('b', 'b'.repeat(2_000))] }
    const error = await errorOf(producer.send([large]))
    expect(error).toMatchObject({ code: 'BROKER_RECORD_TOO_LARGE', details: { recordIndex: 0 } })
    const [next] = await producer.send([{ topic, partition: 0, records: [recordOf('c', 'small')] }])
    expect(next!.baseOffset).toBe(1n)
  })

  it('a future that the topic refuses names the record', async () => {
    const topic = await create()
    await alter(topic, 'message.timestamp.after.max.ms', '3600000')
    const producer = broker.producer('future')
    const error = await errorOf(
      producer.send([
        {
          topic,
          partition: 0,
          records: [recordOf('a', 'now', Date.now()), recordOf('b', 'far', Date.now() + 1e9)],
        },
      ]),
    )
    expect(error).toMatchObject({ code: 'BROKER_INVALID_RECORD', details: { recordIndex: 1 } })
  })

  const alterLimit = (topic: string, value: string) => alter(topic, 'max.message.bytes', value)

  const alter = async (resourceName: string, name: string, value: string): Promise<void> => {
    const { Admin, ConfigResourceTypes, IncrementalAlterConfigOperationTypes } =
      await import('@platformatic/kafka')
    const admin = new Admin({ clientId: 'alter', bootstrapBrokers: bootstrap.split(',') })
    await admin.incrementalAlterConfigs({
      resources: [
        {
          resourceName,
          resourceType: ConfigResourceTypes.TOPIC,
          configs: [{ name, value, configOperation: IncrementalAlterConfigOperationTypes.SET }],
        },
      ],
    })
    await admin.close()
  }
})
