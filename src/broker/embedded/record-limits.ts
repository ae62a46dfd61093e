/**
 * What the broker refuses: the same limits as Kafka's, checked before anything is appended.
 *
 * Called by both producers. 1. All batches are checked first, so a refused call has no effect.
 */

import { isTimestamp } from '../../record.ts'
import { BrokerError } from '../errors.ts'
import type { ProduceBatch, ProduceRecord } from '../port.ts'
import { isWithin } from '../records/packed-batch.ts'
import { topicDefaults } from '../topic-defaults.ts'
import type { PartitionLog } from './partition-log.ts'
import { recordBytes } from './stored-batch.ts'

/** Kafka measures the batch a record travels in: 61 bytes of batch header, about 9 of record. */
const overheadBytes = 70

/** @throws {BrokerError} BROKER_RECORD_TOO_LARGE, BROKER_INVALID_RECORD with `recordIndex` */
export const checkRecords = (batch: ProduceBatch, log: PartitionLog): void => {
  const { isCompacted } = log
  const { maxMessageBytes = topicDefaults.maxMessageBytes } = log.config
  if (isWithin(batch, { maxMessageBytes, isCompacted })) return
  const { records } = batch
  const bytesMax = maxMessageBytes - overheadBytes
  for (let i = 0; i < records.length; i++) {
    const record = records[i]!
    if (recordBytes(record) > bytesMax) throw tooLarge(batch, i)
    if (isCompacted && record.key === null) throw invalid(batch, i, 'compaction needs a key')
    if (!isTimestamp(record.timestampMs))
      throw invalid(batch, i, `timestamp ${record.timestampMs} ms`)
  }
}

const tooLarge = (batch: ProduceBatch, recordIndex: number): BrokerError =>
  new BrokerError(
    'BROKER_RECORD_TOO_LARGE',
    `record ${recordIndex} for ${batch.topic}-`
      + `${batch.partition} has ${recordBytes(recordAt(batch, recordIndex))} bytes, more than the `
      + 'topic takes (maxMessageBytes)',
    detailsOf(batch, recordIndex),
  )

const invalid = (batch: ProduceBatch, recordIndex: number, reason: string): BrokerError =>
  new BrokerError(
    'BROKER_INVALID_RECORD',
    `record ${recordIndex} for ${batch.topic}-` + `${batch.partition}: ${reason}`,
    detailsOf(batch, recordIndex),
  )

const recordAt = ({ records }: ProduceBatch, index: number): ProduceRecord => records[index]!

const detailsOf = ({ topic, partition }: ProduceBatch, recordIndex: number) => ({
  topic,
  partition,
  recordIndex,
})
