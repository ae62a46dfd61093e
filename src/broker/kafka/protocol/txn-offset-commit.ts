/**
 * TxnOffsetCommit v5 (transactions v2), by which offsets join a transaction; v3 (transactions v1),
 * the same bytes, wants AddOffsetsToTxn before it.
 */

import { type API, createAPI, type Reader, Writer } from '@platformatic/kafka'
import type { CommittedOffset, GroupMetadata } from '../../port.ts'

export interface TxnOffsetCommitRequest {
  readonly transactionalId: string
  readonly producerId: bigint
  readonly epoch: number
  readonly group: GroupMetadata
  readonly topics: readonly TopicOffsets[]
}

export interface TopicOffsets {
  readonly topic: string
  readonly offsets: readonly CommittedOffset[]
}

export interface TxnOffsetCommitAnswer {
  readonly topic: string
  readonly partition: number
  readonly errorCode: number
}

const createRequest = ({ group, ...request }: TxnOffsetCommitRequest): Writer =>
  Writer.create()
    .appendString(request.transactionalId)
    .appendString(group.groupId)
    .appendInt64(request.producerId)
    .appendInt16(request.epoch)
    .appendInt32(group.generationId)
    .appendString(group.memberId)
    .appendString(group.instanceId ?? null)
    .appendArray([...request.topics], (topicWriter, { topic, offsets }) => {
      topicWriter.appendString(topic).appendArray([...offsets], (writer, offset) => {
        writer
          .appendInt32(offset.partition)
          .appendInt64(offset.offset)
          .appendInt32(-1)
          .appendString(offset.metadata)
      })
    })
    .appendTaggedFields()

const parseAnswer = (
  _correlationId: number,
  _key: number,
  _version: number,
  reader: Reader,
): readonly TxnOffsetCommitAnswer[] => {
  reader.readInt32()
  return reader
    .readArray((topicReader) => {
      const topic = topicReader.readString()
      return topicReader.readArray((r) => ({
        topic,
        partition: r.readInt32(),
        errorCode: r.readInt16(),
      }))
    })
    .flat()
}

export type TxnOffsetCommit = API<[TxnOffsetCommitRequest], readonly TxnOffsetCommitAnswer[]>

export const txnOffsetCommitV3: TxnOffsetCommit = createAPI(28, 3, createRequest, parseAnswer)

export const txnOffsetCommitV5: TxnOffsetCommit = createAPI(28, 5, createRequest, parseAnswer)
