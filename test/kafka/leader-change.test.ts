/**
 * Goal: a broker of three that freezes, so that its partitions, coordinators and connections move,
 * costs nothing and doubles nothing. Method: transactions that carry values and offsets, a
 * producer and a fetcher go on while the leader of a partition is stopped by SIGSTOP beyond its
 * session time-out and then let go on, a zombie; the log is compared with what was committed.
 */

import { randomUUID } from 'node:crypto'
import { metadataV12 } from '@platformatic/kafka'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { BrokerError } from '../../src/broker/errors.ts'
import { bootstrapAddresses } from '../../src/broker/kafka/bootstrap-addresses.ts'
import { Cluster } from '../../src/broker/kafka/cluster.ts'
import { KafkaBroker } from '../../src/broker/kafka/kafka-broker.ts'
import type { Fetcher, TransactionalProducer } from '../../src/broker/port.ts'
import { batchOf, offsetOf, Probe, uncheckedGroup } from '../contract/broker/probe.ts'
import { realKafka } from './real-kafka.ts'

vi.setConfig({ testTimeout: 180_000, hookTimeout: 60_000 })

const kafka = await realKafka({ nodes: 3 })
const nodes = 'skipped' in kafka ? undefined : kafka.nodes

const sleep = (ms: number) =>
  new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
const frozenMs = 14_000

describe.skipIf(nodes === undefined)('a frozen leader', () => {
  const bootstrap = 'skipped' in kafka ? '' : kafka.bootstrap
  let broker: KafkaBroker
  let probe: Probe

  beforeAll(async () => {
    broker = await KafkaBroker.open({ bootstrap, requestTimeoutMs: 3_000 })
    probe = new Probe(broker)
  })
  afterAll(() => broker.close())

  const leaderPid = async (topic: string): Promise<number> => {
    const cluster = await Cluster.open({
      bootstrap: bootstrapAddresses(bootstrap),
      clientId: 'who',
      clock: systemClock,
      connectTimeoutMs: 2_000,
      requestTimeoutMs: 5_000,
      retryTimeoutMs: 5_000,
    })
    const { topics } = await cluster.ask(metadataV12.api, [topic], false, false)
    await cluster.close()
    const leaderId = topics[0]!.partitions.find((found) => found.partitionIndex === 0)!.leaderId
    return nodes!.find(({ id }) => id === leaderId)!.pid
  }

  /** Everything of a partition, from its start, until `isDone`. */
  const follow = async (fetcher: Fetcher, topic: string, isDone: () => boolean) => {
    const values: string[] = []
    for (let offset = 0n; !isDone();) {
      const [batch] = await fetcher.fetch([{ topic, partition: 0, offset, maxBytes: 100_000 }], {
        isolation: 'read_committed',
        maxWaitMs: 300,
      })
      for (const { value } of batch!.records) values.push(Buffer.from(value!).toString())
      offset = batch!.nextOffset
    }
    return values
  }

  const transaction = async (
    producer: TransactionalProducer,
    { topic, groupId, index }: { topic: string; groupId: string; index: number },
  ): Promise<void> => {
    const value = `value-${index}`
    try {
      producer.begin()
      await Promise.all([
        producer.produce([0, 1, 2].map((partition) => batchOf(topic, partition, value))),
        producer.sendOffsets([offsetOf(topic, 0, BigInt(index))], uncheckedGroup(groupId)),
      ])
      await producer.commit()
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error
      await producer.init()
    }
  }

  it('is survived by transactions and readers', async () => {
    const topic = await probe.create(`frozen-${randomUUID()}`, 3, { retentionMs: -1 })
    const groupId = `frozen-${randomUUID()}`
    const pid = await leaderPid(topic)
    const producer = await probe.transactional(`frozen-${randomUUID()}`)
    const fetcher = broker.fetcher('follower')
    const expected: string[] = []
    let isWritten = false
    const following = follow(fetcher, topic, () => isWritten)
    let [wasFrozen, wasThawed, afterwards] = [false, false, 0]
    const thaw = (): void => {
      process.kill(pid, 'SIGCONT')
      wasThawed = true
    }
    let timer: NodeJS.Timeout | undefined
    try {
      for (let index = 1; afterwards < 30; index++) {
        if (expected.length === 10 && !wasFrozen) {
          process.kill(pid, 'SIGSTOP')
          wasFrozen = true
          timer = setTimeout(thaw, frozenMs) // a transaction may wait for it
        }
        await transaction(producer, { topic, groupId, index })
        if ((await probe.committed(groupId, topic)) === BigInt(index)) {
          expected.push(`value-${index}`)
          if (wasThawed) afterwards += 1
        }
        await sleep(20)
      }
    } finally {
      clearTimeout(timer)
      if (wasFrozen && !wasThawed) thaw()
      await sleep(1_500)
      isWritten = true
    }
    for (const partition of [0, 1, 2]) {
      await probe.settled(topic, partition)
      const read = await probe.read(topic, 'read_committed', { partition })
      expect(read.map(({ value }) => value)).toEqual(expected)
    }
    expect(await following).toEqual(expected)
    await fetcher.close()
    await producer.close()
  })
})
