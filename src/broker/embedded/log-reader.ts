/**
 * Reads one partition from an offset: what a fetch answers for it.
 *
 * Called by `EmbeddedFetcher`. Near the end the cached tail serves, else rows of the engine.
 * 1. read_committed stops at the last stable offset and skips aborted batches and markers;
 * `nextOffset` passes what is skipped. 2. At least one record comes if there is one, however
 * large. 3. One call does bounded work: it stops after `skippedRowsMax` rows without a record.
 * 4. A single batch that is taken whole is handed out as it lies in the cache, uncopied.
 */

import type { Cursor, Engine } from '../../../state/engine.ts'
import { type FetchOptions, type RawBatch, RawRecord } from '../port.ts'
import { RecordView } from '../records/record-view.ts'
import { decodeBatch } from './batch-codec.ts'
import type { PartitionLog } from './partition-log.ts'
import { logRange } from './rows.ts'
import { batchKinds, recordBytes, type StoredBatch } from './stored-batch.ts'

const skippedRowsMax = 512
const rowsAtOnceMax = 16

export interface ReadRange {
  readonly fromOffset: number
  readonly maxBytes: number
  readonly isolation: FetchOptions['isolation']
}

/** The offset must lie between log start and high watermark: the caller has checked. */
export const readLog = (log: PartitionLog, engine: Engine, range: ReadRange): RawBatch => {
  const isCommitted = range.isolation === 'read_committed'
  const limit = isCommitted ? log.lastStableOffset : log.highWatermark
  const answer = new Answer(range.fromOffset, range.maxBytes)
  if (range.fromOffset < limit) {
    const source = openSource(log, engine, range.fromOffset, limit)
    try {
      fill(answer, source, log, isCommitted)
    } finally {
      source.close()
    }
    if (!answer.isFull) answer.nextOffset = Math.max(answer.nextOffset, limit)
  }
  return {
    topic: log.topic,
    partition: log.partition,
    ...log.offsets(),
    baseOffset: BigInt(answer.baseOffset),
    records: answer.records,
    sizeBytes: answer.sizeBytes,
    nextOffset: BigInt(answer.nextOffset),
  }
}

const fill = (
  answer: Answer,
  source: BatchSource,
  log: PartitionLog,
  isCommitted: boolean,
): void => {
  let skippedRows = 0
  for (let batch = source.next(); batch !== undefined; batch = source.next()) {
    const isSkipped =
      batch.kind !== batchKinds.data
      || (isCommitted && batch.transactional && log.aborted.has(batch.producerId, batch.baseOffset))
    if (!isSkipped) answer.take(batch)
    else {
      answer.nextOffset = batch.lastOffset + 1
      skippedRows += 1
    }
    if (skippedRows >= skippedRowsMax) answer.isFull = true
    if (answer.isFull) return
  }
}

/** What is collected for one request. */
class Answer {
  baseOffset: number
  nextOffset: number
  records: readonly RawRecord[] = []
  sizeBytes = 0
  /** Nothing more fits, so the end of the log was not reached. */
  isFull = false
  readonly #maxBytes: number
  /** Ours to push to; the records of a single batch are borrowed from the cache. */
  #own: RawRecord[] | undefined

  constructor(fromOffset: number, maxBytes: number) {
    this.baseOffset = fromOffset
    this.nextOffset = fromOffset
    this.#maxBytes = maxBytes
  }

  take(batch: StoredBatch): void {
    const isFirst = this.records.length === 0
    const isWhole =
      batch.baseOffset >= this.nextOffset && this.sizeBytes + batch.sizeBytes <= this.#maxBytes
    if (isFirst) this.baseOffset = batch.baseOffset
    if (isFirst && isWhole) this.records = batch.records
    else if (isWhole) this.#pushAll(batch)
    else return this.#pushFitting(batch)
    this.sizeBytes += batch.sizeBytes
    this.nextOffset = batch.lastOffset + 1
    this.isFull = this.sizeBytes >= this.#maxBytes
  }

  #pushAll({ baseOffset, records }: StoredBatch): void {
    const own = this.#ownRecords()
    const shift = baseOffset - this.baseOffset
    for (let i = 0; i < records.length; i++) own.push(shifted(records[i]!, shift))
  }

  #pushFitting(batch: StoredBatch): void {
    const { baseOffset, records } = batch
    const own = this.#ownRecords()
    const shift = baseOffset - this.baseOffset
    for (const record of records) {
      const offset = baseOffset + record.offsetDelta
      if (offset < this.nextOffset) continue
      const bytes = recordBytes(record)
      if (own.length > 0 && this.sizeBytes + bytes > this.#maxBytes) {
        this.isFull = true
        return
      }
      own.push(shifted(record, shift))
      this.sizeBytes += bytes
      this.nextOffset = offset + 1
    }
    this.nextOffset = batch.lastOffset + 1
    this.isFull = this.sizeBytes >= this.#maxBytes
  }

  #ownRecords(): RawRecord[] {
    this.#own ??= this.records.slice()
    this.records = this.#own
    return this.#own
  }
}

const shifted = (record: RawRecord, shift: number): RawRecord => {
  if (shift === 0) return record
  if (record instanceof RecordView) return record.movedBy(shift)
  const { offsetDelta, timestampMs, key, value, headers } = record
  return new RawRecord(offsetDelta + shift, timestampMs, key, value, headers)
}

interface BatchSource {
  next(): StoredBatch | undefined
  close(): void
}

const openSource = (
  log: PartitionLog,
  engine: Engine,
  fromOffset: number,
  limit: number,
): BatchSource => {
  const { tail } = log
  if (tail.first !== undefined && fromOffset >= tail.first.baseOffset) {
    return new TailSource(log, fromOffset, limit)
  }
  return new EngineSource(engine.scan(logRange('batch', log.logId, fromOffset, limit)))
}

class TailSource implements BatchSource {
  readonly #log: PartitionLog
  readonly #limit: number
  #place: number

  constructor(log: PartitionLog, fromOffset: number, limit: number) {
    this.#log = log
    this.#limit = limit
    this.#place = log.tail.placeOf(fromOffset)
  }

  next(): StoredBatch | undefined {
    const batch = this.#log.tail.at(this.#place)
    this.#place += 1
    return batch === undefined || batch.baseOffset >= this.#limit ? undefined : batch
  }

  close(): void {}
}

class EngineSource implements BatchSource {
  readonly #cursor: Cursor
  #rows: ReturnType<Cursor['next']> = []
  #place = 0
  #rowsAtOnce = 1

  constructor(cursor: Cursor) {
    this.#cursor = cursor
  }

  next(): StoredBatch | undefined {
    if (this.#place === this.#rows.length) {
      this.#rows = this.#cursor.next(this.#rowsAtOnce)
      this.#place = 0
      this.#rowsAtOnce = Math.min(rowsAtOnceMax, this.#rowsAtOnce * 2)
    }
    const row = this.#rows[this.#place]
    this.#place += 1
    return row === undefined ? undefined : decodeBatch(row[1])
  }

  close(): void {
    this.#cursor.close()
  }
}
