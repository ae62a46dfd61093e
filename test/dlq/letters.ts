/**
 * Dead letters of three kinds in the shop's topics, written as the runtime writes them.
 *
 * Their records lie in partitions that have nothing to do with their keys, so that a replay by key
 * would be noticed.
 */

import { createShopTopics } from '../../src/cli/shop-topics.ts'
import { ecomNames } from '../../src/cli/topic-names.ts'
import type { Broker, ProduceRecord } from '../../src/broker/port.ts'
import { readCommitted } from '../../src/broker/read-committed.ts'
import { type AuditEntry, decodeAuditEntry } from '../../src/dlq/audit-entry.ts'
import { RecordError } from '../../src/errors/classes.ts'
import { deadLetterHeaders } from '../../src/errors/dead-letter.ts'
import { failureClassOf } from '../../src/errors/failure-class.ts'
import type { Headers } from '../../src/record.ts'
import { ShopError, shopFailureClasses } from '../../topologies/shop/shared/shop-error.ts'
import { orderCommands, paymentCommands } from '../../topologies/shop/shared/topics.ts'

const deadLetterTopic = ecomNames.deadLetters

export const kinds = ['poison', 'business', 'transient'] as const
export type Kind = (typeof kinds)[number]

export interface Written {
  readonly id: string
  readonly kind: Kind
  readonly topic: string
  readonly partition: number
  readonly key: string
  readonly value: string
  readonly headers: Headers
  readonly timestampMs: number
}

const partitions = 6
const dlqPartitions = 3
const batchMax = 1_000

/** A command of the shop that its topic's serde takes. */
export const command = (orderId: string, commandType = 'CancelOrder'): string =>
  JSON.stringify({
    commandId: `c-${orderId}`,
    commandType,
    commandVersion: '1.0.0',
    data: { orderId, reason: 'test' },
    metadata: { correlationId: orderId },
  })

const errors = {
  poison: () => new SyntaxError('Unexpected token'),
  business: () => new ShopError('ORDER_UNKNOWN', 'no such order'),
  transient: () => new Error('the rate of exchange is not known yet'),
} as const satisfies Record<Kind, () => Error>

const codes = {
  poison: 'STREAMS_DESERIALIZATION',
  business: 'STREAMS_PROCESSING',
  transient: 'STREAMS_PROCESSING',
} as const

export interface LetterTopics {
  readonly dlq: string
  /** Where the records failed, in turns. */
  readonly sources: readonly [string, string]
}

const shopTopics: LetterTopics = {
  dlq: deadLetterTopic,
  sources: [orderCommands.name, paymentCommands.name],
}

/** Makes the topics, and one letter after the other: poison, business, transient … */
export const writeLetters = async (
  broker: Broker,
  count: number,
  nowMs: number,
  topics = shopTopics,
): Promise<readonly Written[]> => {
  await createTopics(broker, topics)
  const producer = broker.producer('letters')
  const written: Written[] = []
  const lengths = Array.from({ length: dlqPartitions }, () => 0)
  const batches = Array.from({ length: dlqPartitions }, (): ProduceRecord[] => [])
  const send = async (): Promise<void> => {
    const filled = batches.map((records, partition) => ({
      topic: topics.dlq,
      partition,
      records: records.splice(0),
    }))
    await producer.send(filled.filter(({ records }) => records.length > 0))
  }
  for (let index = 0; index < count; index++) {
    const letter = letterAt(index, nowMs, topics)
    const partition = letter.partition % dlqPartitions
    written.push({ ...letter, id: `${topics.dlq}-${partition}-${lengths[partition]!}` })
    lengths[partition]! += 1
    batches[partition]!.push(recordOf(letter, index, nowMs))
    if ((index + 1) % batchMax === 0) await send()
  }
  await send()
  await producer.close()
  return written
}

const createTopics = async (broker: Broker, topics: LetterTopics): Promise<void> => {
  if (topics === shopTopics) return createShopTopics(broker)
  const config = { cleanupPolicy: 'delete', retentionMs: -1 } as const
  await broker.topics.create([
    { name: topics.dlq, partitions: dlqPartitions, config },
    ...topics.sources.map((name) => ({ name, partitions, config })),
  ])
}

const letterAt = (index: number, nowMs: number, { sources }: LetterTopics): Omit<Written, 'id'> => {
  const kind = kinds[index % kinds.length]!
  const key = `order-${index}`
  const isOrder = index % 2 === 0
  const value = command(key, isOrder ? 'CancelOrder' : 'RefundPayment')
  return {
    kind,
    topic: sources[index % 2]!,
    partition: Math.floor(index / 2) % partitions,
    key,
    value: kind === 'poison' ? `{ no json ${index}` : value,
    headers: [
      { key: 'traceparent', value: Buffer.from(`00-${String(index).padStart(32, '0')}-1-01`) },
      { key: 'nothing', value: null },
    ],
    timestampMs: nowMs - 60_000 + index,
  }
}

const recordOf = (letter: Omit<Written, 'id'>, index: number, nowMs: number): ProduceRecord => {
  const { kind, topic, partition, key, value, headers, timestampMs } = letter
  const where = {
    taskId: `0_${partition}`,
    node: 'orders',
    position: { topic, partition, offset: BigInt(index) },
  }
  const error = new RecordError(codes[kind], where, errors[kind]())
  const facts = {
    failureClass: failureClassOf(error, shopFailureClasses),
    attempts: 1,
    timestampMs,
    applicationId: 'shop',
    applicationVersion: '0.1.0',
  }
  return {
    timestampMs: nowMs - 10_000 + index,
    key: Buffer.from(key),
    value: Buffer.from(value),
    headers: deadLetterHeaders(headers, error, facts),
  }
}

/** A record as it was read back. */
export interface Found {
  readonly partition: number
  readonly key: string
  readonly value: string
  readonly timestampMs: number
  readonly headers: Readonly<Record<string, string>>
}

export const readAll = async (broker: Broker, topic: string): Promise<readonly Found[]> => {
  const described = (await broker.topics.describe([topic])).get(topic)
  const found: Found[] = []
  for (let partition = 0; partition < (described?.partitions ?? 0); partition++) {
    const { logStartOffset: from, highWatermark: to } = await broker.topics.offsets({
      topic,
      partition,
    })
    const range = { topic, partition, from, to, waitMs: 10_000 }
    for await (const { record } of readCommitted(broker, range)) {
      const headers = record.headers.map(({ key, value }) => [key, String(value)] as const)
      found.push({
        partition,
        key: String(record.key),
        value: String(record.value),
        timestampMs: record.timestampMs,
        headers: Object.fromEntries(headers),
      })
    }
  }
  return found
}

export const readAudit = async (
  broker: Broker,
  topic: string = deadLetterTopic,
): Promise<readonly AuditEntry[]> =>
  (await readAll(broker, `${topic}-audit`)).map(({ value }) => decodeAuditEntry(Buffer.from(value)))
