/**
 * Goal: the adapter keeps its promises on Kafka 3 too, whose transactions are those of version 1.
 * Method: the contract of the broker port on a real Kafka 3.9; then what v1 is known for, a late
 * produce of an aborted transaction (KIP-890), sent by hand with the bytes that it would have.
 */

import { randomUUID } from 'node:crypto'
import { describeProducersV0 } from '@platformatic/kafka'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { bootstrapAddresses } from '../../src/broker/kafka/bootstrap-addresses.ts'
import { Cluster } from '../../src/broker/kafka/cluster.ts'
import { KafkaBroker } from '../../src/broker/kafka/kafka-broker.ts'
import { ProducerIdentity } from '../../src/broker/kafka/producer-identity.ts'
import { produceV9 } from '../../src/broker/kafka/protocol/produce.ts'
import { encodeBatches } from '../../src/broker/kafka/records/encode.ts'
import type { TransactionalProducer } from '../../src/broker/port.ts'
import { systemClock } from '../../src/clock.ts'
import { brokerContract } from '../contract/broker-contract.ts'
import { batchOf, codeOf, offsetOf, Probe, recordOf } from '../contract/broker/probe.ts'
import { KafkaHarness } from './kafka-harness.ts'
import { realKafka } from './real-kafka.ts'

vi.setConfig({ testTimeout: 30_000 })

const kafka = await realKafka({ version: '3.9.1' })
const bootstrap = 'skipped' in kafka ? '' : kafka.bootstrap

if ('skipped' in kafka) {
  describe('broker contract: kafka 3.9', () => {
    it.skip(`skipped: ${kafka.skipped}`, () => {})
  })
} else {
  const supports = { restart: false, maintain: false }
  brokerContract('kafka 3.9', async () => new KafkaHarness({ bootstrap }), supports)
}

const errorCodes = { invalidProducerEpoch: 47, invalidTransactionState: 48 }

describe.skipIf('skipped' in kafka)('transactions v1', () => {
  let broker: KafkaBroker
  let cluster: Cluster
  let probe: Probe
  let topic = ''
  let id = ''

  beforeAll(async () => {
    broker = await KafkaBroker.open({ bootstrap })
    cluster = await Cluster.open({
      bootstrap: bootstrapAddresses(bootstrap),
      clientId: 'by-hand',
      clock: systemClock,
      connectTimeoutMs: 2_000,
      requestTimeoutMs: 5_000,
      retryTimeoutMs: 5_000,
    })
    probe = new Probe(broker)
  })
  afterAll(async () => {
    await cluster.close()
    await broker.close()
  })

  /** Who wrote to partition 0 last, as its leader knows it. */
  const writer = async () => {
    const { topics } = await cluster.ask(describeProducersV0.api, [
      { name: topic, partitionIndexes: [0] },
    ])
    const [producer] = topics[0]!.partitions[0]!.activeProducers
    return producer!
  }

  type Writer = Awaited<ReturnType<typeof writer>>

  /** @returns the error code of its answer */
  const sendLate = async ({ producerId, producerEpoch, lastSequence }: Writer) => {
    const [batch] = encodeBatches([recordOf('late', 'late')], {
      compression: 'none',
      batchBytesMax: 10_000,
    })
    const owner = new ProducerIdentity(producerId, producerEpoch, true)
    const sealed = batch!.seal(owner, lastSequence + 1)
    const topics = [{ topic, partitions: [{ partition: 0, batch: sealed }] }]
    const [answer] = await cluster.ask(produceV9, { transactionalId: id, timeoutMs: 1_000, topics })
    return answer!.errorCode
  }

  const produced = async (producer: TransactionalProducer, value: string): Promise<void> => {
    producer.begin()
    await producer.produce([batchOf(topic, 0, value)])
  }

  /** A transaction in which a call failed, ended by abort. */
  const failed = async (producer: TransactionalProducer): Promise<Writer> => {
    await produced(producer, 'aborted')
    const gone = { groupId: `group-${id}`, memberId: 'gone', generationId: 1 }
    const sent = producer.sendOffsets([offsetOf(topic, 0, 1n)], gone)
    expect(await codeOf(sent)).toBe('BROKER_UNKNOWN_MEMBER')
    const before = await writer()
    await producer.abort()
    return before
  }

  const start = async (): Promise<TransactionalProducer> => {
    topic = await probe.create(`v1-${randomUUID()}`)
    id = `v1-${randomUUID()}`
    return probe.transactional(id)
  }

  it('keeps the epoch over commits and clean aborts', async () => {
    const producer = await start()
    await produced(producer, 'a')
    await producer.commit()
    const { producerEpoch } = await writer()
    await produced(producer, 'b')
    await producer.abort()
    await produced(producer, 'c')
    await producer.commit()
    expect(await writer()).toMatchObject({ producerEpoch, lastSequence: 2 })
    expect(await probe.settledValues(topic)).toEqual(['a', 'c'])
  })

  it('a late produce of a failed transaction does not get into the next', async () => {
    const producer = await start()
    const before = await failed(producer)
    await produced(producer, 'kept')
    expect(await sendLate(before)).toBe(errorCodes.invalidProducerEpoch)
    await producer.commit()
    expect(await probe.settledValues(topic)).toEqual(['kept'])
    expect((await writer()).producerEpoch).toBeGreaterThan(before.producerEpoch)
  })

  it('nor between the two, where it would stay open for ever', async () => {
    const producer = await start()
    const before = await failed(producer)
    await probe.settled(topic)
    expect([errorCodes.invalidProducerEpoch, errorCodes.invalidTransactionState]).toContain(
      await sendLate(before),
    )
    await produced(producer, 'kept')
    await producer.commit()
    expect(await probe.settledValues(topic)).toEqual(['kept'])
  })

  it('a transaction whose first join was refused is aborted, and the next is whole', async () => {
    await start()
    const impatient = await KafkaBroker.open({ bootstrap, retryTimeoutMs: 1_000 })
    const producer = await new Probe(impatient).transactional(id)
    const other = await probe.create(`gone-${randomUUID()}`)
    producer.begin()
    await producer.produce([batchOf(other, 0, 'a'), batchOf(topic, 0, 'kept')])
    await producer.commit()
    await broker.topics.delete([other])
    producer.begin()
    expect(await codeOf(producer.produce([batchOf(other, 0, 'b'), batchOf(topic, 0, 'b')]))).toBe(
      'BROKER_UNKNOWN_TOPIC',
    )
    expect(await codeOf(producer.commit())).toBe('BROKER_UNKNOWN_TOPIC')
    await producer.abort()
    await produced(producer, 'kept too')
    await producer.commit()
    expect(await probe.settledValues(topic)).toEqual(['kept', 'kept too'])
    await impatient.close()
  })
})
