/**
 * Rewrites rows of one log during a compaction: fewer records, in fewer and larger rows.
 *
 * Filled by `LogCleaner`, in offset order. 1. `flush` puts the collected records as one row and
 * deletes the rows they came from, in one journal group. 2. Rows of different first-compaction
 * times are not merged, since that time decides when their tombstones go. 3. A row that would
 * come out as it went in, and is large enough, stays untouched.
 */

import { latin1FromBytes } from '../../../state/key-layout.ts'
import type { RawRecord } from '../port.ts'
import { encodeBatch } from './batch-codec.ts'
import type { Journal } from './journal.ts'
import type { PartitionLog } from './partition-log.ts'
import { batchKey } from './rows.ts'
import { batchKinds, recordBytes, type StoredBatch } from './stored-batch.ts'

const rowBytesMin = 32 * 1024
const rowBytesMax = 128 * 1024
const rowRecordsMax = 2_000

export interface CompactedRowsOptions {
  readonly log: PartitionLog
  readonly journal: Journal
  /** Key as Latin-1 → offset of its last record; keys outside the cleaned part are absent. */
  readonly lastOffsets: ReadonlyMap<string, number>
  readonly nowMs: number
  readonly deleteRetentionMs: number
}

export class CompactedRows {
  readonly #options: CompactedRowsOptions
  #sources: number[] = []
  #records: RawRecord[] = []
  #offsets: number[] = []
  #sizeBytes = 0
  #maxTimestampMs = 0
  #cleanedAtMs = 0
  #keptCount = 0

  constructor(options: CompactedRowsOptions) {
    this.#options = options
  }

  /** Records that stayed so far. */
  get keptCount(): number {
    return this.#keptCount
  }

  /** @param isLive  false for markers and aborted batches: they go as a whole */
  add(batch: StoredBatch, isLive: boolean): void {
    const kept = isLive ? batch.records.filter((record) => this.#isKept(batch, record)) : []
    this.#keptCount += kept.length
    const isUnchanged = isLive && batch.cleanedAtMs > 0 && kept.length === batch.recordCount
    if (isUnchanged && batch.sizeBytes >= rowBytesMin) return this.flush()
    const cleanedAtMs = batch.cleanedAtMs > 0 ? batch.cleanedAtMs : this.#options.nowMs
    if (this.#isFull(batch) || cleanedAtMs !== this.#cleanedAtMs) this.flush()
    this.#cleanedAtMs = cleanedAtMs
    this.#sources.push(batch.lastOffset)
    for (const record of kept) {
      this.#records.push(record)
      this.#offsets.push(batch.baseOffset + record.offsetDelta)
      this.#sizeBytes += recordBytes(record)
      this.#maxTimestampMs = Math.max(this.#maxTimestampMs, record.timestampMs)
    }
  }

  flush(): void {
    const { log, journal } = this.#options
    for (const lastOffset of this.#sources) journal.delete(batchKey(log.logId, lastOffset))
    const baseOffset = this.#offsets[0]
    if (baseOffset !== undefined) {
      const lastOffset = this.#offsets.at(-1)!
      const row = encodeBatch(
        {
          kind: batchKinds.data,
          transactional: false,
          producerId: -1,
          producerEpoch: 0,
          baseOffset,
          lastOffset,
          maxTimestampMs: this.#maxTimestampMs,
          cleanedAtMs: this.#cleanedAtMs,
          sizeBytes: this.#sizeBytes,
          recordCount: this.#records.length,
        },
        this.#records,
        this.#offsets.map((offset) => offset - baseOffset),
      )
      journal.put(batchKey(log.logId, lastOffset), row)
    }
    this.#sources = []
    this.#records = []
    this.#offsets = []
    this.#sizeBytes = 0
    this.#maxTimestampMs = 0
  }

  #isFull(next: StoredBatch): boolean {
    return (
      this.#sizeBytes + next.sizeBytes > rowBytesMax
      || this.#records.length + next.recordCount > rowRecordsMax
      || next.lastOffset - (this.#offsets[0] ?? next.lastOffset) > deltaMax
    )
  }

  #isKept(batch: StoredBatch, { key, value, offsetDelta }: RawRecord): boolean {
    if (key === null) return true
    const { lastOffsets, nowMs, deleteRetentionMs } = this.#options
    const lastOffset = lastOffsets.get(latin1FromBytes(key))
    if (lastOffset !== undefined && lastOffset > batch.baseOffset + offsetDelta) return false
    if (value !== null || batch.cleanedAtMs === 0) return true
    return nowMs < batch.cleanedAtMs + deleteRetentionMs
  }
}

/** Offset deltas are u32. */
const deltaMax = 0x7fff_ffff
