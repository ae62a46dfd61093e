/**
 * What @platformatic/kafka's own consumer and producer get wrong (measured, see the
 * specification), each as a test of ours on a real Kafka.
 */

import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { KafkaBroker } from '../../src/broker/kafka/kafka-broker.ts'
import type { RawBatch } from '../../src/broker/port.ts'
import {
  batchOf,
  codeOf,
  offsetOf,
  Probe,
  recordOf,
  uncheckedGroup,
} from '../contract/broker/probe.ts'
import { realKafka } from './real-kafka.ts'

vi.setConfig({ testTimeout: 60_000 })

const kafka = await realKafka()

describe.skipIf('skipped' in kafka)('faults of the library, not ours', () => {
  const bootstrap = 'skipped' in kafka ? '' : kafka.bootstrap
  const name = (prefix: string) => `${prefix}-${randomUUID()}`
  let broker: KafkaBroker
  let probe: Probe

  beforeAll(async () => {
    broker = await KafkaBroker.open({ bootstrap })
    probe = new Probe(broker)
  })
  afterAll(() => broker.close())

  it('aborts and commits in turn, in one fetch: no aborted record leaks', async () => {
    const topic = await probe.create(name('turns'), 1, { retentionMs: -1 })
    const producer = await probe.transactional(name('turns'))
    const expected: string[] = []
    for (let i = 0; i < 10; i++) {
      const values = Array.from({ length: 5 }, (_, index) => `${i}.${index}`)
      producer.begin()
      // of today: a marker much younger than its records begins a segment, which ends a fetch
      const records = values.map((value) => recordOf(value, value, Date.now()))
      await producer.produce([{ topic, partition: 0, records }])
      await (i % 2 === 0 ? producer.abort() : producer.commit())
      if (i % 2 !== 0) expected.push(...values)
    }
    await probe.settled(topic)
    const [batch] = (await broker
      .fetcher('one')
      .fetch([{ topic, partition: 0, offset: 0n, maxBytes: 1 << 20 }], {
        isolation: 'read_committed',
        maxWaitMs: 1000,
      })) as [RawBatch]
    expect(batch.records.map(({ value }) => String(value))).toEqual(expected)
    expect(batch.nextOffset).toBe(60n)
  })

  it('one aborted transaction over many fetches: no aborted record leaks', async () => {
    const topic = await probe.create(name('long'), 1, { retentionMs: -1 })
    const producer = await probe.transactional(name('long'))
    producer.begin()
    for (let i = 0; i < 20; i++) {
      await producer.produce([batchOf(topic, 0, ...Array.from({ length: 20 }, () => 'aborted'))])
    }
    await producer.abort()
    producer.begin()
    await producer.produce([batchOf(topic, 0, 'kept')])
    await producer.commit()
    await probe.settled(topic)
    const read = await probe.read(topic, 'read_committed', { maxBytes: 300 })
    expect(read.map(({ value }) => value)).toEqual(['kept'])
  })

  it('forty calls of sendOffsets at once: every partition is committed', async () => {
    const topic = await probe.create(name('offsets'), 4, { retentionMs: -1 })
    const groupId = name('offsets')
    const producer = await probe.transactional(name('offsets'))
    producer.begin()
    await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        producer.sendOffsets([offsetOf(topic, index % 4, 7n)], uncheckedGroup(groupId)),
      ),
    )
    await producer.commit()
    const partitions = [0, 1, 2, 3].map((partition) => ({ topic, partition }))
    const committed = await broker.groups.committedOffsets(groupId, partitions)
    expect(committed.map(({ partition, offset }) => [partition, offset]).sort()).toEqual([
      [0, 7n],
      [1, 7n],
      [2, 7n],
      [3, 7n],
    ])
  })

  it('four calls of produce at once, to four partitions: all are in the transaction', async () => {
    const topic = await probe.create(name('four'), 4, { retentionMs: -1 })
    const producer = await probe.transactional(name('four'))
    producer.begin()
    await Promise.all(
      [0, 1, 2, 3].map((partition) =>
        producer.produce([batchOf(topic, partition, `value-${partition}`)]),
      ),
    )
    await producer.commit()
    for (const partition of [0, 1, 2, 3]) {
      await probe.settled(topic, partition)
      const read = await probe.read(topic, 'read_committed', { partition })
      expect(read.map(({ value }) => value)).toEqual([`value-${partition}`])
    }
  })

  it('a second client with the same transactional id fences the first', async () => {
    const topic = await probe.create(name('fence'), 1, { retentionMs: -1 })
    const transactionalId = name('fence')
    const first = await probe.transactional(transactionalId)
    const other = await KafkaBroker.open({ bootstrap })
    await new Probe(other).transactional(transactionalId)
    first.begin()
    expect(await codeOf(first.produce([batchOf(topic, 0, 'zombie')]))).toBe(
      'BROKER_PRODUCER_FENCED',
    )
    await other.close()
  })

  it('one call far above the size of a batch is split', async () => {
    const topic = await probe.create(name('split'), 1, { retentionMs: -1, maxMessageBytes: 5_000 })
    const values = Array.from({ length: 500 }, (_, index) => `${index}`.padStart(100, '.'))
    const [sent] = await broker.producer('split').send([batchOf(topic, 0, ...values)])
    expect(sent).toMatchObject({ baseOffset: 0n, nextOffset: 500n })
    expect(await probe.values(topic)).toEqual(values)
  })
})
