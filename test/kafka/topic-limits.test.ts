/** Limits of topics that another client changes while a producer has read them before. */

import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { KafkaBroker } from '../../src/broker/kafka/kafka-broker.ts'
import { batchOf, codeOf } from '../contract/broker/probe.ts'
import { realKafka } from './real-kafka.ts'

const kafka = await realKafka()

describe.skipIf('skipped' in kafka)('limits of topics', () => {
  const bootstrap = 'skipped' in kafka ? '' : kafka.bootstrap

  const open = async (): Promise<KafkaBroker> => {
    const client = await KafkaBroker.open({ bootstrap })
    onTestFinished(() => client.close())
    return client
  }

  it('raised by somebody else: what was read before refuses nothing', async () => {
    const [ours, theirs] = [await open(), await open()]
    const name = `limits-${randomUUID()}`
    const config = { cleanupPolicy: 'delete', retentionMs: -1, maxMessageBytes: 1_000 } as const
    await ours.topics.create([{ name, partitions: 1, config }])
    const producer = ours.producer('test')
    const large = batchOf(name, 0, 'x'.repeat(5_000))
    expect(await codeOf(producer.send([large]))).toBe('BROKER_RECORD_TOO_LARGE')
    await theirs.topics.changeSettings([{ name, config: { maxMessageBytes: 100_000 } }])
    await sleep(1_100)
    await producer.send([large])
    const at = { topic: name, partition: 0 }
    expect(await ours.topics.offsets(at)).toMatchObject({ lastStableOffset: 1n })
  })

  it('changed by this client: shown when the call has ended', async () => {
    const client = await open()
    const name = `limits-${randomUUID()}`
    const config = { cleanupPolicy: 'delete', retentionMs: -1 } as const
    await client.topics.create([{ name, partitions: 1, config }])
    for (let maxMessageBytes = 1_000; maxMessageBytes < 1_020; maxMessageBytes++) {
      const changed = { maxMessageBytes, cleanupPolicy: 'compact,delete' } as const
      await client.topics.changeSettings([{ name, config: changed }])
      expect((await client.topics.settings([name])).get(name)).toMatchObject(changed)
    }
  })
})
