/**
 * Fetch v15, by topic id: what Kafka 3.6 to 4 all speak; later versions add tagged fields only. The
 * request is the library's; the answer is parsed here.
 *
 * 1. One contiguous buffer carries the records of all partitions; they stay undecoded, as positions
 * in it. 2. Aborted transactions come in the order in which they were aborted.
 */

import { type API, createAPI, fetchV15, type Reader } from '@platformatic/kafka'
import { readInt64 } from '../records/int64.ts'

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
  /** Batches lie in `buffer` from here, up to `end`; the last may be cut off. */
  readonly start: number
  readonly end: number
}

export interface FetchAnswer {
  readonly errorCode: number
  /** 0: the broker keeps no session. */
  readonly sessionId: number
  readonly buffer: Buffer
  readonly partitions: readonly FetchedPartition[]
}

class Cursor {
  readonly buffer: Buffer
  position: number

  constructor(buffer: Buffer, position: number) {
    this.buffer = buffer
    this.position = position
  }

  int16(): number {
    this.position += 2
    return this.buffer.readInt16BE(this.position - 2)
  }

  int32(): number {
    this.position += 4
    return this.buffer.readInt32BE(this.position - 4)
  }

  int64(): number {
    this.position += 8
    return readInt64(this.buffer, this.position - 8)
  }

  uuid(): string {
    const hex = this.buffer.toString('hex', this.position, this.position + 16)
    this.position += 16
    return (
      `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-`
      + hex.slice(20)
    )
  }

  varint(): number {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = this.buffer[this.position++]!
      value |= (byte & 127) << shift
      if (byte < 128) return value >>> 0
    }
  }

  skipTags(): void {
    for (let count = this.varint(); count > 0; count--) {
      this.varint()
      const size = this.varint()
      this.position += size
    }
  }

  /** Length of a compact array or of compact bytes; −1 for null. */
  length(): number {
    return this.varint() - 1
  }
}

const parseAnswer = (
  _correlationId: number,
  _key: number,
  _version: number,
  reader: Reader,
): FetchAnswer => {
  // flattens what came in several chunks
  const { buffer } = reader.buffer
  const cursor = new Cursor(buffer, reader.position)
  cursor.int32() // throttle time
  const errorCode = cursor.int16()
  const sessionId = cursor.int32()
  const partitions: FetchedPartition[] = []
  for (let topics = cursor.length(); topics > 0; topics--) {
    const topicId = cursor.uuid()
    for (let count = cursor.length(); count > 0; count--) {
      partitions.push(parsePartition(cursor, topicId))
    }
    cursor.skipTags()
  }
  return { errorCode, sessionId, buffer, partitions }
}

const parsePartition = (cursor: Cursor, topicId: string): FetchedPartition => {
  const partition = cursor.int32()
  const errorCode = cursor.int16()
  const highWatermark = cursor.int64()
  const lastStableOffset = cursor.int64()
  const logStartOffset = cursor.int64()
  const aborted: AbortedTransaction[] = []
  for (let count = cursor.length(); count > 0; count--) {
    aborted.push({ producerId: cursor.int64(), firstOffset: cursor.int64() })
    cursor.skipTags()
  }
  cursor.int32() // preferred replica: the leader is always asked
  const size = Math.max(0, cursor.length())
  const start = cursor.position
  cursor.position += size
  cursor.skipTags()
  return {
    topicId,
    partition,
    errorCode,
    highWatermark,
    lastStableOffset,
    logStartOffset,
    aborted,
    start,
    end: start + size,
  }
}

export const fetchApi: API<fetchV15.FetchRequest, FetchAnswer> = createAPI<
  fetchV15.FetchRequest,
  FetchAnswer
>(1, 15, fetchV15.createRequest, parseAnswer)
