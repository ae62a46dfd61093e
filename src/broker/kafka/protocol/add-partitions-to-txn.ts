/** AddPartitionsToTxn v3 (transactions v1): partitions join a transaction, all of them or none. */

import { createAPI, type Reader, Writer } from '@platformatic/kafka'
import type { TopicPartition } from '../../port.ts'
import { kafkaCodes, noError } from '../errors.ts'

export interface AddPartitionsToTxnRequest {
  readonly transactionalId: string
  readonly producerId: bigint
  readonly epoch: number
  readonly partitions: readonly TopicPartition[]
}

export interface AddPartitionsToTxnAnswer {
  readonly errorCode: number
  /** Which partition was refused, and kept the others out. */
  readonly refused?: TopicPartition
}

const createRequest = (request: AddPartitionsToTxnRequest): Writer =>
  Writer.create()
    .appendString(request.transactionalId)
    .appendInt64(request.producerId)
    .appendInt16(request.epoch)
    .appendArray(
      [...Map.groupBy(request.partitions, ({ topic }) => topic)],
      (writer, [topic, ofTopic]) => {
        const indexes = ofTopic.map(({ partition }) => partition)
        writer.appendString(topic)
        writer.appendArray(indexes, (w, index) => void w.appendInt32(index), true, false)
      },
    )
    .appendTaggedFields()

const parseAnswer = (
  _correlationId: number,
  _key: number,
  _version: number,
  reader: Reader,
): AddPartitionsToTxnAnswer => {
  reader.readInt32() // throttle time
  const failed = reader
    .readArray((topicReader) => {
      const topic = topicReader.readString()
      return topicReader.readArray((r) => ({
        refused: { topic, partition: r.readInt32() },
        errorCode: r.readInt16(),
      }))
    })
    .flat()
    .filter(({ errorCode }) => errorCode !== noError)
  const reason = failed.find(({ errorCode }) => errorCode !== kafkaCodes.operationNotAttempted)
  return reason ?? failed[0] ?? { errorCode: noError }
}

export const addPartitionsToTxn = createAPI<[AddPartitionsToTxnRequest], AddPartitionsToTxnAnswer>(
  24,
  3,
  createRequest,
  parseAnswer,
)
