/**
 * Goal: a cluster that is upgraded to transactions v2 while producers are at work loses nothing.
 * Method: a real Kafka 4 that was formatted with `transaction.version=1`, as one upgraded from 3
 * is; the feature is raised in the middle. v1 leaves the epoch of a producer as it is, v2 raises it
 * with every transaction: that tells which of the two is spoken.
 */

import { randomUUID } from 'node:crypto'
import { describeProducersV0, updateFeaturesV1 } from '@platformatic/kafka'
import { describe, expect, it, vi } from 'vitest'
import { bootstrapAddresses } from '../../src/broker/kafka/bootstrap-addresses.ts'
import { Cluster } from '../../src/broker/kafka/cluster.ts'
import { KafkaBroker } from '../../src/broker/kafka/kafka-broker.ts'
import type { TransactionalProducer } from '../../src/broker/port.ts'
import { systemClock } from '../../src/clock.ts'
import { batchOf, eventually, offsetOf, Probe, uncheckedGroup } from '../contract/broker/probe.ts'
import { realKafka } from './real-kafka.ts'

vi.setConfig({ testTimeout: 60_000 })

const kafka = await realKafka({ transactionVersion: 1 })
const upgrade = 1

describe.skipIf('skipped' in kafka)('a cluster upgraded to transactions v2', () => {
  const bootstrap = 'skipped' in kafka ? '' : kafka.bootstrap

  it('is noticed at the next init; until then v1 goes on', async () => {
    const broker = await KafkaBroker.open({ bootstrap })
    const cluster = await Cluster.open({
      bootstrap: bootstrapAddresses(bootstrap),
      clientId: 'admin',
      clock: systemClock,
      connectTimeoutMs: 2_000,
      requestTimeoutMs: 5_000,
      retryTimeoutMs: 5_000,
    })
    const probe = new Probe(broker)
    const topic = await probe.create(`upgrade-${randomUUID()}`)
    const groupId = `upgrade-${randomUUID()}`
    const producer = await probe.transactional(`upgrade-${randomUUID()}`)
    let count = 0

    const committed = async (by: TransactionalProducer): Promise<number> => {
      count += 1
      by.begin()
      await Promise.all([
        by.produce([batchOf(topic, 0, `value-${count}`)]),
        by.sendOffsets([offsetOf(topic, 0, BigInt(count))], uncheckedGroup(groupId)),
      ])
      await by.commit()
      const { topics } = await cluster.ask(describeProducersV0.api, [
        { name: topic, partitionIndexes: [0] },
      ])
      return topics[0]!.partitions[0]!.activeProducers[0]!.producerEpoch
    }

    const first = await committed(producer)
    expect(await committed(producer)).toBe(first)
    const features = [
      { feature: 'transaction.version', maxVersionLevel: 2, upgradeType: upgrade } as const,
    ]
    const answer = await cluster.ask(updateFeaturesV1.api, 5_000, features, false)
    expect(answer).toMatchObject({ errorCode: 0 })
    expect(await committed(producer)).toBe(first)
    let last = first
    await eventually(async () => {
      // the broker hears of the feature from its controller
      await producer.init()
      const [before, after] = [await committed(producer), await committed(producer)]
      expect(after).toBeGreaterThan(before)
      last = after
    })
    expect(last).toBeGreaterThan(first)
    const values = Array.from({ length: count }, (_, index) => `value-${index + 1}`)
    expect(await probe.settledValues(topic)).toEqual(values)
    expect(await probe.committed(groupId, topic)).toBe(BigInt(count))
    await cluster.close()
    await broker.close()
  })
})
