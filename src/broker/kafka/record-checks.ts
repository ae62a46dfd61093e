/** What Kafka refuses, checked before anything is sent, so that a refused call has no effect. */

import { BrokerError } from '../errors.ts'
import type { ProduceBatch, ProduceRecord } from '../port.ts'
import { isTimestamp } from '../../record.ts'
import { aloneBytes } from './records/encode.ts'
import type { TopicLimits } from './topic-configs.ts'

/** @throws {BrokerError} BROKER_RECORD_TOO_LARGE, BROKER_INVALID_RECORD with `recordIndex` */
export const checkRecords = (batch: ProduceBatch, limits: TopicLimits): void => {
  const { records, topic, partition } = batch
  const { maxMessageBytes, isCompacted } = limits
  if (records.length === 0) {
    throw new BrokerError('BROKER_INVALID_REQUEST', `no records for ${topic}-${partition}`)
  }
  for (let i = 0; i < records.length; i++) {
    const record = records[i]!
    if (isCompacted && record.key === null) throw invalid(batch, i, 'compaction needs a key')
    if (!isTimestamp(record.timestampMs))
      throw invalid(batch, i, `timestamp ${record.timestampMs} ms`)
    if (!isSurelySmall(record, maxMessageBytes) && aloneBytes(record) > maxMessageBytes) {
      throw tooLarge(batch, i, maxMessageBytes)
    }
  }
}

/** Batch header, lengths and deltas take fewer bytes than this. */
const overheadBytesMax = 120

/** Spares nearly every record the exact count. */
const isSurelySmall = ({ key, value, headers }: ProduceRecord, maxBytes: number): boolean =>
  headers.length === 0 && (key?.length ?? 0) + (value?.length ?? 0) + overheadBytesMax <= maxBytes

export const tooLarge = (
  { topic, partition, records }: ProduceBatch,
  recordIndex: number,
  maxMessageBytes: number,
): BrokerError =>
  new BrokerError(
    'BROKER_RECORD_TOO_LARGE',
    `record ${recordIndex} for ${topic}-${partition} takes ${aloneBytes(records[recordIndex]!)} `
      + `bytes; max.message.bytes of the topic is ${maxMessageBytes}`,
    { topic, partition, recordIndex },
  )

const invalid = (
  { topic, partition }: ProduceBatch,
  recordIndex: number,
  reason: string,
): BrokerError =>
  new BrokerError(
    'BROKER_INVALID_RECORD',
    `record ${recordIndex} for ${topic}-${partition}: ${reason}`,
    { topic, partition, recordIndex },
  )
