/**
 * Goal: connections that are lost at any moment cost nothing and double nothing. Method: producers
 * and fetchers on a real Kafka, whose connections are dropped every few milliseconds, so that
 * requests and answers are lost on their way; the log is then compared with what was acknowledged.
 * Kafka 3.9 shows the same for transactions v1.
 */

import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { BrokerError } from '../../src/broker/errors.ts'
import { Cluster, type ClusterOptions } from '../../src/broker/kafka/cluster.ts'
import { KafkaBroker } from '../../src/broker/kafka/kafka-broker.ts'
import { KafkaFetcher } from '../../src/broker/kafka/kafka-fetcher.ts'
import { KafkaProducer } from '../../src/broker/kafka/kafka-producer.ts'
import { KafkaTransactionalProducer } from '../../src/broker/kafka/kafka-transactional-producer.ts'
import { TopicConfigs } from '../../src/broker/kafka/topic-configs.ts'
import { bootstrapAddresses } from '../../src/broker/kafka/bootstrap-addresses.ts'
import { systemClock } from '../../src/clock.ts'
import { Prng } from '../../src/testing/prng.ts'
import { batchOf, offsetOf, Probe, uncheckedGroup } from '../contract/broker/probe.ts'
import { realKafka } from './real-kafka.ts'

vi.setConfig({ testTimeout: 120_000 })

const found = [await realKafka(), await realKafka({ version: '3.9.1' })].flatMap((kafka) =>
  'skipped' in kafka ? [] : [kafka.bootstrap],
)

const lossy = (bootstrap: string): ClusterOptions => ({
  bootstrap: bootstrapAddresses(bootstrap),
  clientId: 'lossy',
  clock: systemClock,
  connectTimeoutMs: 2_000,
  requestTimeoutMs: 10_000,
  retryTimeoutMs: 20_000,
})

describe.skipIf(found.length === 0).each(found)('connections that are lost, on %s', (bootstrap) => {
  let cluster: Cluster
  let broker: KafkaBroker
  let probe: Probe
  let topic: string

  beforeAll(async () => {
    broker = await KafkaBroker.open({ bootstrap })
    cluster = await Cluster.open(lossy(bootstrap))
    probe = new Probe(broker)
  })

  afterAll(async () => {
    await cluster.close()
    await broker.close()
  })

  const create = async (): Promise<void> => {
    topic = await probe.create(`lossy-${randomUUID()}`, 2, { retentionMs: -1 })
  }

  const parts = (purpose: string) =>
    ({ cluster, configs: new TopicConfigs(cluster), compression: 'none', purpose }) as const

  /** Until the work is done, drops these connections at random. */
  const whileDropping = async (
    seed: number,
    purposes: readonly string[],
    work: () => Promise<void>,
  ): Promise<void> => {
    const prng = new Prng(seed)
    let isDone = false
    const dropping = (async () => {
      while (!isDone) {
        await new Promise((resolve) => {
          setTimeout(resolve, 1 + prng.int(12))
        })
        cluster.connections.drop(purposes[prng.int(purposes.length)]!)
      }
    })()
    await work().finally(() => {
      isDone = true
    })
    await dropping
  }

  it.each([1, 2])('an idempotent producer writes once and in order, seed %i', async (seed) => {
    await create()
    const producer = new KafkaProducer(parts(`producer-${seed}`))
    const values = Array.from({ length: 300 }, (_, index) => `value-${index}`)
    await whileDropping(seed, [`producer-${seed}`], async () => {
      for (let i = 0; i < values.length; i += 10) {
        await Promise.all(
          values.slice(i, i + 10).map((value) => producer.send([batchOf(topic, 0, value)])),
        )
      }
    })
    expect(await probe.values(topic)).toEqual(values)
    await producer.close()
  })

  it.each([1, 2, 3])('transactions are whole and happen once, seed %i', async (seed) => {
    await create()
    const prng = new Prng(100 + seed)
    const purpose = `transactions-${seed}`
    const transactionalId = `lossy-${randomUUID()}`
    const groupId = `lossy-${randomUUID()}`
    const producer = new KafkaTransactionalProducer({ ...parts(purpose), transactionalId })
    const expected: string[] = []
    let lastOffset = 0n
    await producer.init()
    await whileDropping(seed, [purpose, `${purpose}:end`, `${purpose}:offsets`], async () => {
      for (let i = 1; i <= 60; i++) {
        const value = `value-${i}`
        const isCommit = prng.chance(0.7)
        try {
          producer.begin()
          await Promise.all([
            producer.produce([batchOf(topic, 0, value), batchOf(topic, 1, value)]),
            producer.sendOffsets([offsetOf(topic, 0, BigInt(i))], uncheckedGroup(groupId)),
          ])
          await (isCommit ? producer.commit() : producer.abort())
        } catch (error) {
          if (!(error instanceof BrokerError)) throw error
          // whatever the outcome, the offsets tell it when the id has a new owner
          const aborted = prng.chance(0.5) ? producer.abort() : producer.init()
          await aborted.catch(() => producer.init())
        }
        const committed = (await probe.committed(groupId, topic)) ?? 0n
        if (committed === BigInt(i)) expected.push(value)
        else expect(committed).toBe(lastOffset)
        lastOffset = committed
      }
    })
    await probe.settled(topic, 0)
    await probe.settled(topic, 1)
    expect(await probe.values(topic)).toEqual(expected)
    const other = await probe.read(topic, 'read_committed', { partition: 1 })
    expect(other.map(({ value }) => value)).toEqual(expected)
    expect(expected.length).toBeGreaterThan(10)
    await producer.close()
  })

  it('a fetcher reads everything once and in order', async () => {
    await create()
    const values = Array.from({ length: 400 }, (_, index) => `value-${index}`)
    const producer = broker.producer('whole')
    const fetcher = new KafkaFetcher({ cluster, name: 'fetcher', onClose: () => {} })
    const read: string[] = []
    await whileDropping(
      7,
      [0, 1, 2, 3].map((lane) => `fetcher:${lane}`),
      async () => {
        const writing = (async () => {
          for (const value of values) await producer.send([batchOf(topic, 0, value)])
        })()
        for (let offset = 0n; read.length < values.length;) {
          const [batch] = await fetcher.fetch([{ topic, partition: 0, offset, maxBytes: 4_000 }], {
            isolation: 'read_committed',
            maxWaitMs: 200,
          })
          for (const { value } of batch!.records) read.push(Buffer.from(value!).toString())
          offset = batch!.nextOffset
        }
        await writing
      },
    )
    expect(read).toEqual(values)
    await fetcher.close()
  })

  it('whoever reads at the end of a log is not left without a request', async () => {
    await create()
    // each look at the clock is later than the last: nothing may fall between two of them
    let late = 0
    const clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + late++ }
    const stepping = await Cluster.open({ ...lossy(bootstrap), clock })
    const fetcher = new KafkaFetcher({ cluster: stepping, name: 'end', onClose: () => {} })
    const producer = broker.producer('whole')
    let offset = 0n
    let slow = 0
    for (let i = 0; i < 60; i++) {
      const startedMs = systemClock.monotonicMs()
      const sent = producer.send([batchOf(topic, 0, `value-${i}`)])
      for (let isRead = false; !isRead;) {
        const [batch] = await fetcher.fetch([{ topic, partition: 0, offset, maxBytes: 4_000 }], {
          isolation: 'read_committed',
          maxWaitMs: 10_000,
        })
        isRead = batch!.nextOffset > offset
        offset = batch!.nextOffset
      }
      await sent
      if (systemClock.monotonicMs() - startedMs > 400) slow += 1
    }
    expect(slow).toBeLessThan(5)
    await fetcher.close()
    await stepping.close()
  })
})
