/** The ledger's topics at a broker: made, written by a loader, read back as a committed reader. */

import { partitionOf } from '../../src/broker/partitioner.ts'
import type { Broker } from '../../src/broker/port.ts'
import type { Clock } from '../../src/clock.ts'
import { noHeaders, StreamRecord } from '../../src/record.ts'
import type { Topic } from '../../src/topic.ts'
import { balances, branchCounts, deposits, type Input, receipts, reported } from './ledger.ts'

export const partitions = 2

/** Topics that keep every record, of so many partitions. */
export const createKept = ({ topics }: Broker, names: readonly string[]): Promise<void> =>
  topics.create(
    names.map((name) => ({
      name,
      partitions,
      config: { cleanupPolicy: 'delete', retentionMs: -1 },
    })),
  )

export const createTopics = (broker: Broker): Promise<void> =>
  createKept(
    broker,
    [deposits, balances, branchCounts, reported, receipts].map(({ name }) => name),
  )

export const sendInputs = async (
  broker: Broker,
  clock: Clock,
  inputs: readonly Input[],
): Promise<void> => {
  const producer = broker.producer('loader')
  for (const { account, deposit } of inputs) {
    const key = deposits.key.encode(account)
    const [value, timestampMs] = [deposits.value.encode(deposit), clock.nowMs()]
    await producer.send([
      {
        topic: deposits.name,
        partition: partitionOf(key, partitions),
        records: [{ key, value, timestampMs, headers: noHeaders }],
      },
    ])
  }
}

/** Every committed record of a topic, partition after partition. */
export const readTopic = async <K, V>(
  broker: Broker,
  topic: Topic<K, V>,
): Promise<StreamRecord<K, V>[]> => {
  const found: StreamRecord<K, V>[] = []
  const described = (await broker.topics.describe([topic.name])).get(topic.name)!
  const fetcher = broker.fetcher('reader')
  for (let partition = 0; partition < described.partitions; partition++) {
    const at = { topic: topic.name, partition }
    const { lastStableOffset, logStartOffset } = await broker.topics.offsets(at)
    for (let offset = logStartOffset; offset < lastStableOffset;) {
      const [batch] = await fetcher.fetch([{ ...at, offset, maxBytes: 1_000_000 }], {
        isolation: 'read_committed',
        maxWaitMs: 0,
      })
      for (const { key, value, timestampMs, headers } of batch!.records) {
        found.push(
          new StreamRecord(
            topic.key.decode(key!),
            (value === null ? undefined : topic.value.decode(value)) as V,
            timestampMs,
            headers,
          ),
        )
      }
      offset = batch!.nextOffset
    }
  }
  await fetcher.close()
  return found
}
