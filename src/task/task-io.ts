/**
 * Where bytes become records and records become bytes: the two edges of a task.
 *
 * 1. Decoding never touches the state. 2. A record is encoded when it is staged, inside its record
 * scope, so that what cannot be encoded or is too large fails that record and no other.
 */

import { type RawRecord } from '../broker/port.ts'
import { RecordView } from '../broker/record-view.ts'
import { partitionOf } from '../broker/partitioner.ts'
import { type RecordPosition } from '../errors/classes.ts'
import { StreamRecord } from '../record.ts'
import { type Serde, type Serdes } from '../serde/serde.ts'
import { StagedOutput } from './record-scope.ts'

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

export interface OutputContext {
  /** Partition of the task: where records without a key go, modulo the topic's count. */
  readonly taskPartition: number
  readonly cause: RecordPosition | undefined
}

/** @throws {UnwritableRecordError} not encodable, too large, or a timestamp out of bounds */
export const encodeOutput = (
  sink: TaskSink,
  record: StreamRecord<unknown, unknown>,
  context: OutputContext,
): StagedOutput => {
  const { timestampMs, headers } = record
  const { key, value } = encodeContent(sink, record)
  if (!(timestampMs >= 0) || !Number.isFinite(timestampMs)) {
    throw new UnwritableRecordError(`${sink.topic}: timestamp ${timestampMs} is out of bounds`)
  }
  let sizeBytes = recordOverheadBytes + (key?.length ?? 0) + (value?.length ?? 0)
  for (const header of headers) sizeBytes += header.key.length + (header.value?.length ?? 0) + 8
  if (sizeBytes > sink.maxMessageBytes) {
    throw new UnwritableRecordError(
      `${sink.topic}: ${sizeBytes} bytes are more than its limit of ${sink.maxMessageBytes}`,
    )
  }
  const partition =
    key === null ? context.taskPartition % sink.partitions : partitionOf(key, sink.partitions)
  return new StagedOutput(
    { topic: sink.topic, partition, timestampMs },
    { key, value, headers },
    context.cause,
  )
}

const encodeContent = (
  { topic, serdes }: TaskSink,
  { key, value }: StreamRecord<unknown, unknown>,
): { key: Uint8Array | null; value: Uint8Array | null } => {
  try {
    return {
      key: key === undefined || key === null ? null : serdes.key.encode(key),
      value: value === undefined || value === null ? null : serdes.value.encode(value),
    }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new UnwritableRecordError(`${topic}: ${reason}`, { cause })
  }
}
