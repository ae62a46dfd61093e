/**
 * Fetch v15, by topic id: what Kafka 3.6 to 4 all speak; later versions add tagged fields only. The
 * request is the library's; the answer is parsed here.
 *
 * 1. The records of a partition come in a buffer of their own, undecoded. 2. Aborted transactions
 * come in the order in which they were aborted.
 */

import { type API, createAPI, fetchV15, type Reader } from '@platformatic/kafka'
import { bufferPool } from '../../records/buffer-pool.ts'
import { copyChunks, freeChunks } from './answer-chunks.ts'

export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
}

export interface FetchedPartition {
  readonly topicId: string
  readonly partition: number
  readonly errorCode: number
  /** −1 with an error, as the next two. */
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
  readonly aborted: readonly AbortedTransaction[]
  /** Of the pool. Batches lie in it from 0 up to `end`; the last may be cut off. */
  readonly buffer: Buffer<ArrayBuffer>
  readonly end: number
}

export interface FetchAnswer {
  readonly errorCode: number
  /** 0: the broker keeps no session. */
  readonly sessionId: number
  readonly partitions: readonly FetchedPartition[]
}

const parseAnswer = (
  _correlationId: number,
  _key: number,
  _version: number,
  reader: Reader,
): FetchAnswer => {
  reader.readInt32() // throttle time
  const errorCode = reader.readInt16()
  const sessionId = reader.readInt32()
  const partitions: FetchedPartition[] = []
  for (let topics = arrayLength(reader); topics > 0; topics--) {
    const topicId = reader.readUUID()
    for (let count = arrayLength(reader); count > 0; count--) {
      partitions.push(parsePartition(reader, topicId))
    }
    skipTags(reader)
  }
  freeChunks(reader.buffer.buffers)
  return { errorCode, sessionId, partitions }
}

const parsePartition = (reader: Reader, topicId: string): FetchedPartition => {
  const partition = reader.readInt32()
  const errorCode = reader.readInt16()
  const highWatermark = int64(reader)
  const lastStableOffset = int64(reader)
  const logStartOffset = int64(reader)
  const aborted: AbortedTransaction[] = []
  for (let count = arrayLength(reader); count > 0; count--) {
    aborted.push({ producerId: int64(reader), firstOffset: int64(reader) })
    skipTags(reader)
  }
  reader.readInt32() // preferred replica: the leader is always asked
  const sizeBytes = Math.max(0, arrayLength(reader))
  const buffer = sizeBytes === 0 ? noBytes : bufferPool.take(sizeBytes)
  if (sizeBytes > 0) {
    copyChunks(reader.buffer.buffers, reader.position, buffer.subarray(0, sizeBytes))
  }
  reader.skip(sizeBytes)
  skipTags(reader)
  return {
    topicId,
    partition,
    errorCode,
    highWatermark,
    lastStableOffset,
    logStartOffset,
    aborted,
    buffer,
    end: sizeBytes,
  }
}

const noBytes = Buffer.alloc(0)

const int64 = (reader: Reader): number => Number(reader.readInt64())

/** Length of a compact array or of compact bytes; −1 for null. */
const arrayLength = (reader: Reader): number => reader.readUnsignedVarInt() - 1

const skipTags = (reader: Reader): void => {
  for (let count = reader.readUnsignedVarInt(); count > 0; count--) {
    reader.readUnsignedVarInt()
    reader.skip(reader.readUnsignedVarInt())
  }
}

export const fetchApi: API<fetchV15.FetchRequest, FetchAnswer> = createAPI<
  fetchV15.FetchRequest,
  FetchAnswer
>(1, 15, fetchV15.createRequest, parseAnswer)
