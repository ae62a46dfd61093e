/**
 * Short words for the broker suites: records of strings, whole partitions read at once.
 *
 * Only the port is used, so that every adapter can be probed; waiting is by polling.
 */

import { expect } from 'vitest'
import { BrokerError, type BrokerErrorCode } from '../../../src/broker/errors.ts'
import type {
  Broker,
  CommittedOffset,
  FetchOptions,
  GroupMetadata,
  ProduceBatch,
  ProduceRecord,
  TopicConfig,
  TransactionalProducer,
} from '../../../src/broker/port.ts'
import { noHeaders } from '../../../src/record.ts'

export type Isolation = FetchOptions['isolation']

export const uncheckedGroup = (groupId: string): GroupMetadata => ({
  groupId,
  memberId: '',
  generationId: -1,
})

const bytesOf = (text: string | null): Uint8Array | null =>
  text === null ? null : Buffer.from(text)

export const recordOf = (
  key: string | null,
  value: string | null,
  timestampMs: number = 1_700_000_000_000,
): ProduceRecord => ({ key: bytesOf(key), value: bytesOf(value), timestampMs, headers: noHeaders })

export const batchOf = (topic: string, partition: number, ...values: string[]): ProduceBatch => ({
  topic,
  partition,
  records: values.map((value) => recordOf(`key-${value}`, value)),
})

export const offsetOf = (topic: string, partition: number, offset: bigint): CommittedOffset => ({
  topic,
  partition,
  offset,
  metadata: `at ${offset}`,
})

/** The code of a rejection; fails the test if the call succeeds or throws something else. */
export const codeOf = async (call: Promise<unknown>): Promise<BrokerErrorCode> =>
  (await errorOf(call)).code

export const errorOf = async (call: Promise<unknown>): Promise<BrokerError> => {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof BrokerError) return error
  throw new Error(`expected a BrokerError, got ${String(error)}`)
}

/** Polls until the check passes; its last failure is the test's. */
export const eventually = async (check: () => Promise<void> | void): Promise<void> => {
  await expect
    .poll(
      async () => {
        await check()
        return true
      },
      { timeout: 10_000, interval: 5 },
    )
    .toBe(true)
}

export interface ReadRecord {
  readonly offset: bigint
  readonly key: string | null
  readonly value: string | null
  readonly timestampMs: number
}

const textOf = (bytes: Uint8Array | null): string | null =>
  bytes === null ? null : Buffer.from(bytes).toString()

export class Probe {
  readonly broker: Broker

  constructor(broker: Broker) {
    this.broker = broker
  }

  async create(name: string, partitions = 1, config?: Partial<TopicConfig>): Promise<string> {
    await this.broker.topics.create([
      { name, partitions, config: { cleanupPolicy: 'delete', ...config } },
    ])
    return name
  }

  /** Everything from the log start to the end this isolation lets see. */
  async read(
    topic: string,
    isolation: Isolation = 'read_committed',
    { partition = 0, maxBytes = 1 << 20 } = {},
  ): Promise<readonly ReadRecord[]> {
    const records: ReadRecord[] = []
    const fetcher = this.broker.fetcher('probe')
    const offsets = await this.broker.topics.offsets({ topic, partition })
    const isCommitted = isolation === 'read_committed'
    const end = isCommitted ? offsets.lastStableOffset : offsets.highWatermark
    let offset = offsets.logStartOffset
    while (offset < end) {
      const [batch] = await fetcher.fetch([{ topic, partition, offset, maxBytes }], {
        isolation,
        maxWaitMs: 100,
      })
      for (const { key, value, timestampMs, offsetDelta } of batch!.records) {
        const recordOffset = batch!.baseOffset + BigInt(offsetDelta)
        if (recordOffset < offset) throw new Error(`${recordOffset} came twice`)
        if (recordOffset >= batch!.nextOffset) throw new Error(`${recordOffset} will come again`)
        records.push({ offset: recordOffset, key: textOf(key), value: textOf(value), timestampMs })
      }
      offset = batch!.nextOffset
    }
    await fetcher.close()
    return records
  }

  async values(topic: string, isolation?: Isolation): Promise<readonly (string | null)[]> {
    return (await this.read(topic, isolation)).map(({ value }) => value)
  }

  /** The values, once every transaction of the partition has its marker. */
  async settledValues(topic: string): Promise<readonly (string | null)[]> {
    await this.settled(topic)
    return this.values(topic)
  }

  async settled(topic: string, partition = 0): Promise<void> {
    await eventually(async () => {
      const offsets = await this.broker.topics.offsets({ topic, partition })
      expect(offsets.lastStableOffset).toBe(offsets.highWatermark)
    })
  }

  async transactional(
    transactionalId: string,
    transactionTimeoutMs = 60_000,
  ): Promise<TransactionalProducer> {
    const producer = this.broker.transactionalProducer({ transactionalId, transactionTimeoutMs })
    await producer.init()
    return producer
  }

  async committed(groupId: string, topic: string): Promise<bigint | undefined> {
    const found = await this.broker.groups.committedOffsets(groupId, [{ topic, partition: 0 }])
    return found[0]?.offset
  }
}
