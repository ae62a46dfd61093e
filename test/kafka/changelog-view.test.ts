/**
 * Goal: whoever watches an application from outside is told of every record that waits for it.
 * Method: a real Kafka, and logs of which one answer to a fetch does not hold all: the broker fills
 * it up with the first partitions, where aborted records take the place of those that count.
 */

import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MemoryDisk } from '../../state/memory/memory-disk.ts'
import { MemoryEngine } from '../../state/memory/memory-engine.ts'
import { KafkaBroker } from '../../src/broker/kafka/kafka-broker.ts'
import type { ProduceBatch } from '../../src/broker/port.ts'
import { ChangelogView } from '../../src/cli/changelog-view.ts'
import { aggregate, bytes, keyValueStore, stream, topic, topology, utf8 } from '../../src/index.ts'
import { recordOf } from '../contract/broker/probe.ts'
import { realKafka } from './real-kafka.ts'

const kafka = await realKafka()

const noBytes = () => new Uint8Array()

describe.skipIf('skipped' in kafka)('a view of changelogs on Kafka', () => {
  const bootstrap = 'skipped' in kafka ? '' : kafka.bootstrap
  let broker: KafkaBroker
  let parts: AsyncDisposableStack
  let applicationId: string
  let names: readonly [string, string]

  beforeEach(async () => {
    parts = new AsyncDisposableStack()
    broker = await KafkaBroker.open({ bootstrap })
    parts.defer(() => broker.close())
    applicationId = `viewed-${randomUUID()}`
    names = [`${applicationId}-a`, `${applicationId}-b`]
    const config = { cleanupPolicy: 'delete', retentionMs: -1 } as const
    const deadLetters = `${applicationId}-dlq`
    await broker.topics.create(
      [...names, deadLetters].map((name) => ({ name, partitions: 1, config })),
    )
  })

  afterEach(() => parts.disposeAsync())

  const open = async (): Promise<ChangelogView> => {
    const [first, second] = names.map((name) => topic(name, { key: utf8, value: bytes }))
    const [ofFirst, ofSecond] = ['first', 'second'].map((name) =>
      keyValueStore(name, { key: utf8, value: bytes }),
    )
    const { plan } = topology('viewed', () => [
      stream(first!).pipe(aggregate(ofFirst!, noBytes, (_, value) => value)),
      stream(second!).pipe(aggregate(ofSecond!, noBytes, (_, value) => value)),
    ])
    const engine = MemoryEngine.create(new MemoryDisk())
    const deadLetterTopic = `${applicationId}-dlq`
    const view = await ChangelogView.open({ broker, engine, applicationId, deadLetterTopic, plan })
    parts.defer(() => view.close())
    return view
  }

  const large = (name: string): ProduceBatch => ({
    topic: name,
    partition: 0,
    records: Array.from({ length: 20 }, () => recordOf('k', 'x'.repeat(1_000))),
  })

  it('records behind aborted ones of another topic wait', async () => {
    const aborted = broker.transactionalProducer({ transactionalId: names[0] })
    await aborted.init()
    aborted.begin()
    await aborted.produce([large(names[0])])
    await aborted.abort()
    const producer = broker.producer('loader')
    await producer.send([large(names[1])])
    expect((await open()).lagRecords).toBe(20)
    await producer.close()
    await aborted.close()
  })

  it('nothing waits where all was aborted', async () => {
    const aborted = broker.transactionalProducer({ transactionalId: names[0] })
    await aborted.init()
    aborted.begin()
    await aborted.produce([large(names[0]), large(names[1])])
    const view = await open()
    expect(view.lagRecords).toBe(2)
    await aborted.abort()
    await expect.poll(() => view.lagRecords).toBe(0)
    await aborted.close()
  })
})
