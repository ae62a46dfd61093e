/**
 * Produce v12 for transactions v2, where partitions join a transaction by being written to; v9, the
 * same bytes, for everything else.
 *
 * Batches are written as they are; the codec sealed them.
 */

import { type API, createAPI, type Reader, Writer } from '@platformatic/kafka'

export interface ProduceRequest {
  readonly transactionalId: string | null
  readonly timeoutMs: number
  readonly topics: readonly ProduceTopic[]
}

export interface ProduceTopic {
  readonly topic: string
  readonly partitions: readonly { readonly partition: number; readonly batch: Buffer }[]
}

export interface ProduceAnswer {
  readonly topic: string
  readonly partition: number
  readonly errorCode: number
  readonly baseOffset: bigint
  /** Indexes within the batch, with the reason; only of INVALID_RECORD and INVALID_TIMESTAMP. */
  readonly recordErrors: readonly { readonly index: number; readonly message: string | null }[]
  readonly message: string | null
}

const allReplicas = -1

const createRequest = ({ transactionalId, timeoutMs, topics }: ProduceRequest): Writer => {
  const writer = Writer.create()
    .appendString(transactionalId)
    .appendInt16(allReplicas)
    .appendInt32(timeoutMs)
    .appendUnsignedVarInt(topics.length + 1)
  for (const { topic, partitions } of topics) {
    writer.appendString(topic).appendUnsignedVarInt(partitions.length + 1)
    for (const { partition, batch } of partitions) {
      writer
        .appendInt32(partition)
        .appendUnsignedVarInt(batch.length + 1)
        .append(batch)
        .appendTaggedFields()
    }
    writer.appendTaggedFields()
  }
  return writer.appendTaggedFields()
}

const parsePartition = (topic: string, reader: Reader): ProduceAnswer => {
  const partition = reader.readInt32()
  const errorCode = reader.readInt16()
  const baseOffset = reader.readInt64()
  reader.readInt64() // append time
  reader.readInt64() // log start
  const recordErrors = reader.readArray((r) => ({
    index: r.readInt32(),
    message: r.readNullableString(),
  }))
  const message = reader.readNullableString()
  return { topic, partition, errorCode, baseOffset, recordErrors, message }
}

const parseAnswer = (
  _correlationId: number,
  _key: number,
  _version: number,
  reader: Reader,
): readonly ProduceAnswer[] =>
  reader
    .readArray((topicReader) => {
      const topic = topicReader.readString()
      return topicReader.readArray((r) => parsePartition(topic, r))
    })
    .flat()

export type Produce = API<[ProduceRequest], readonly ProduceAnswer[]>

export const produceV9: Produce = createAPI(0, 9, createRequest, parseAnswer)

export const produceV12: Produce = createAPI(0, 12, createRequest, parseAnswer)
