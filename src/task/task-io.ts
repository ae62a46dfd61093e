/**
 * Where bytes become records and records become bytes: the two edges of a task.
 *
 * 1. Decoding never touches the state. 2. A record is encoded when it is staged, inside its record
 * scope, so that what cannot be encoded or is too large fails that record and no other.
 */

import type { RawRecord } from '../broker/port.ts'
import { RecordView } from '../broker/records/record-view.ts'
import { partitionOf, partitionOfText } from '../broker/partitioner.ts'
import type { PackedContent } from '../broker/records/packed-records.ts'
import { type Headers, isTimestamp, StreamRecord, timestampMsMax } from '../record.ts'
import type { Serde, Serdes } from '../serde/serde.ts'
import type { EncodedOutput } from './staged-outputs.ts'

/** One input of a task: the logical topic name is the source node's. */
export interface TaskSource {
  readonly logicalName: string
  readonly serdes: Serdes<unknown, unknown>
  /** Tables take null as a delete; streams only if their serde says so. */
  readonly acceptsNull: boolean
}

/** One output topic as the broker knows it. */
export interface TaskSink {
  readonly topic: string
  readonly partitions: number
  readonly maxMessageBytes: number
  readonly serdes: Serdes<unknown, unknown>
}

/** @throws {Error} what the serde says, or that the value is null: a deserialization failure */
export const decodeRecord = (
  { serdes: { key, value }, acceptsNull }: TaskSource,
  raw: RawRecord,
): StreamRecord<unknown, unknown> => {
  if (raw.headers.length > 0 && (key.decodeWith ?? value.decodeWith) !== undefined) {
    return decodeWithHeaders({ key, value }, raw, acceptsNull)
  }
  if (raw instanceof RecordView) {
    const { buffer, keyStart, keyEnd, valueStart, valueEnd, timestampMs, headers } = raw
    if (valueEnd < valueStart && !acceptsNull) throw nullValue()
    return new StreamRecord(
      keyEnd < keyStart ? undefined : decodeSlice(key, buffer, keyStart, keyEnd),
      valueEnd < valueStart ? undefined : decodeSlice(value, buffer, valueStart, valueEnd),
      timestampMs,
      headers,
    )
  }
  if (raw.value === null && !acceptsNull) throw nullValue()
  return new StreamRecord(
    raw.key === null ? undefined : key.decode(raw.key),
    raw.value === null ? undefined : value.decode(raw.value),
    raw.timestampMs,
    raw.headers,
  )
}

/** Formats that keep a part of a key or value in the headers, where there are any. */
const decodeWithHeaders = (
  { key, value }: Serdes<unknown, unknown>,
  raw: RawRecord,
  acceptsNull: boolean,
): StreamRecord<unknown, unknown> => {
  const { headers, timestampMs } = raw
  const decode = (serde: Serde<unknown>, bytes: Uint8Array | null): unknown => {
    if (bytes === null) return undefined
    return serde.decodeWith === undefined ? serde.decode(bytes) : serde.decodeWith(bytes, headers)
  }
  if (raw.value === null && !acceptsNull) throw nullValue()
  return new StreamRecord(decode(key, raw.key), decode(value, raw.value), timestampMs, headers)
}

const decodeSlice = (serde: Serde<unknown>, buffer: Buffer, start: number, end: number): unknown =>
  serde.decodeSlice === undefined
    ? serde.decode(buffer.subarray(start, end))
    : serde.decodeSlice(buffer, start, end)

const nullValue = (): Error =>
  new Error('the value is null; read the topic as a table, or wrap its serde in nullable()')

/** Thrown by `encodeOutput`: the record cannot be written; the production handler decides. */
export class UnwritableRecordError extends Error {
  override readonly name = 'UnwritableRecordError'
}

/** Kafka's overhead per record, at most, without headers: lengths, deltas and attributes. */
const recordOverheadBytes = 64

/**
 * @param taskPartition  where records without a key go, modulo the topic's count
 * @throws {UnwritableRecordError} not encodable, too large, or a timestamp out of bounds
 */
export const encodeOutput = (
  sink: TaskSink,
  record: StreamRecord<unknown, unknown>,
  taskPartition: number,
): EncodedOutput => {
  const { topic, maxMessageBytes, serdes } = sink
  const { timestampMs, headers } = record
  const key = encoded(topic, serdes.key, record.key)
  const value = encoded(topic, serdes.value, record.value)
  checkTime(topic, timestampMs)
  const boundBytes = recordOverheadBytes + 3 * ((key?.length ?? 0) + (value?.length ?? 0))
  if (headers.length > 0 || boundBytes > maxMessageBytes) {
    checkSize(sink, bytesOf(key) + bytesOf(value), headers)
  }
  return {
    topic,
    maxMessageBytes,
    timestampMs,
    key,
    value,
    headers,
    partition: targetPartition(sink, key, taskPartition),
  }
}

const targetPartition = (
  { partitions, serdes }: TaskSink,
  key: PackedContent,
  ofTask: number,
): number => {
  if (key === null) return ofTask % partitions
  const { partitionBytes } = serdes.key
  if (partitionBytes !== undefined && typeof key !== 'string') {
    return partitionOf(partitionBytes.call(serdes.key, key), partitions)
  }
  return typeof key === 'string' ? partitionOfText(key, partitions) : partitionOf(key, partitions)
}

const encoded = (topic: string, serde: Serde<unknown>, value: unknown): PackedContent => {
  if (value === undefined || value === null) return null
  let content: string | Uint8Array
  try {
    content = serde.encodeRaw === undefined ? serde.encode(value) : serde.encodeRaw(value)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new UnwritableRecordError(`${topic}: ${reason}`, { cause })
  }
  if (content instanceof Uint8Array) return content
  if (typeof content === 'string' && serde.encodeRaw !== undefined) return content
  throw new UnwritableRecordError(`${topic}: serde ${serde.format} encoded to no Uint8Array`)
}

/** @throws {UnwritableRecordError} */
export const checkTime = (topic: string, timestampMs: number): void => {
  if (isTimestamp(timestampMs)) return
  throw new UnwritableRecordError(
    `${topic}: timestamp ${timestampMs} is not a whole number of ms from 0 to ${timestampMsMax}`,
  )
}

/** @throws {UnwritableRecordError} */
export const checkSize = (
  { topic, maxMessageBytes }: TaskSink,
  contentBytes: number,
  headers: Headers,
): void => {
  let sizeBytes = recordOverheadBytes + contentBytes
  for (const header of headers) sizeBytes += header.key.length + (header.value?.length ?? 0) + 8
  if (sizeBytes <= maxMessageBytes) return
  throw new UnwritableRecordError(
    `${topic}: ${sizeBytes} bytes are more than its limit of ${maxMessageBytes}`,
  )
}

const bytesOf = (content: PackedContent): number => {
  if (content === null) return 0
  return typeof content === 'string' ? Buffer.byteLength(content) : content.length
}
