/**
 * Retention, compaction and the physical end of purged records.
 *
 * Run by `EmbeddedBroker.maintain`, in slices of `sliceBytesMax` with a turn of the event loop
 * between, so that the loop is not held for more than a few ms. 1. Nothing at or above the last
 * stable offset is touched, nor the last batch. 2. Offsets never change: what goes leaves a gap.
 * 3. Each slice is one group of the journal: a crash leaves old or new rows, never neither.
 * Compaction: of each key the last record stays; aborted records and markers go; a tombstone goes
 * `deleteRetentionMs` after the first compaction that saw it. Worth while when `dirtyRecordsMin`
 * records came since the last one and they are as many as those left by it (Kafka's
 * min.cleanable.dirty.ratio 0.5); one run looks at `keysMax` keys at most, to bound its memory.
 */

import type { Engine } from '../../../state/engine.ts'
import { latin1FromBytes } from '../../../state/key-layout.ts'
import type { Clock } from '../../clock.ts'
import type { TopicConfig } from '../port.ts'
import { topicDefaults } from '../topic-defaults.ts'
import { decodeBatch, decodeHeader } from './batch-codec.ts'
import { CompactedRows } from './compacted-rows.ts'
import type { Journal } from './journal.ts'
import type { PartitionLog } from './partition-log.ts'
import { abortedKey, logRange } from './rows.ts'
import { batchKinds, type StoredBatch } from './stored-batch.ts'

const sliceBytesMax = 256 * 1024
const rowsAtOnce = 16

export interface LogCleanerOptions {
  readonly engine: Engine
  readonly journal: Journal
  readonly clock: Clock
  readonly dirtyRecordsMin: number
  readonly keysMax: number
}

export interface CleanOptions {
  /** Compact whatever has changed, worth while or not. */
  readonly force: boolean
}

export class LogCleaner {
  readonly #options: LogCleanerOptions
  #stopped = false

  constructor(options: LogCleanerOptions) {
    this.#options = options
  }

  async clean(log: PartitionLog, { force }: CleanOptions): Promise<void> {
    const { cleanupPolicy } = log.config
    if (cleanupPolicy !== 'compact') await this.#expire(log)
    if (log.isCompacted && (force || this.#isWorthWhile(log))) await this.#compact(log)
    await this.#removePurged(log)
  }

  stop(): void {
    this.#stopped = true
  }

  #isWorthWhile(log: PartitionLog): boolean {
    const dirty = log.lastStableOffset - Math.max(log.cleanedUntilOffset, log.logStartOffset)
    return dirty >= this.#options.dirtyRecordsMin && dirty >= log.cleanRecordCount
  }

  /** Raises the log start over batches whose newest record is too old. */
  async #expire(log: PartitionLog): Promise<void> {
    const retentionMs = log.config.retentionMs ?? topicDefaults.retentionMs
    if (retentionMs < 0) return
    const oldestMs = this.#options.clock.nowMs() - retentionMs
    const end = Math.min(log.lastStableOffset, log.highWatermark - 1)
    let logStart = log.logStartOffset
    await this.#eachRow(log, { from: logStart, to: end }, (row) => {
      const { maxTimestampMs, lastOffset } = decodeHeader(row)
      if (maxTimestampMs >= oldestMs) return false
      logStart = lastOffset + 1
      return true
    })
    if (logStart === log.logStartOffset || log.isDeleted) return
    log.raiseLogStart(logStart)
    await this.#options.journal.durable()
  }

  async #compact(log: PartitionLog): Promise<void> {
    const { clock, journal, keysMax } = this.#options
    const end = Math.min(log.lastStableOffset, log.highWatermark - 1)
    const from = Math.max(log.cleanedUntilOffset, log.logStartOffset)
    const lastOffsets = new Map<string, number>()
    let until = from
    await this.#eachRow(log, { from, to: end }, (row) => {
      const batch = decodeBatch(row)
      if (isLive(log, batch)) noteKeys(batch, lastOffsets)
      until = batch.lastOffset + 1
      return lastOffsets.size < keysMax
    })
    if (this.#stopped || log.isDeleted) return
    if (until === from && !mayHoldTombstones(log)) return
    const rows = new CompactedRows({
      log,
      journal,
      lastOffsets,
      nowMs: clock.nowMs(),
      deleteRetentionMs: deleteRetentionMs(log.config),
    })
    const isWhole = await this.#eachRow(
      log,
      { from: log.logStartOffset, to: until },
      (row) => {
        const batch = decodeBatch(row)
        rows.add(batch, isLive(log, batch))
        return true
      },
      () => rows.flush(),
    )
    if (!isWhole) return
    this.#finish(log, until, rows.keptCount)
    await journal.durable()
  }

  #finish(log: PartitionLog, until: number, keptCount: number): void {
    const { journal } = this.#options
    log.cleanedUntilOffset = until
    log.cleanRecordCount = keptCount
    log.savePartitionRow()
    for (const markerOffset of log.aborted.forgetBelow(until)) {
      journal.delete(abortedKey(log.logId, markerOffset))
    }
    log.dropTail()
  }

  async #removePurged(log: PartitionLog): Promise<void> {
    const { engine, journal } = this.#options
    const { logStartOffset } = log
    if (logStartOffset === 0 || log.isDeleted || this.#stopped) return
    const range = logRange('batch', log.logId, 0, logStartOffset)
    const cursor = engine.scan({ ...range, limit: 1 })
    const [first] = cursor.next(1)
    cursor.close()
    if (first === undefined) return
    await engine.deleteRange(range)
    if (this.#stopped) return
    for (const markerOffset of log.aborted.forgetBelow(logStartOffset)) {
      journal.delete(abortedKey(log.logId, markerOffset))
    }
    await journal.durable()
  }

  /**
   * Visits rows with `from` ≤ last offset < `to` until `visit` answers false.
   *
   * @param endSlice  writes what a slice collected; durable before the next slice
   * @returns false if it was cut short because the broker stopped or the topic went
   */
  async #eachRow(
    log: PartitionLog,
    range: { readonly from: number; readonly to: number },
    visit: (row: Uint8Array) => boolean,
    endSlice?: () => void,
  ): Promise<boolean> {
    let from = range.from
    for (;;) {
      if (this.#stopped || log.isDeleted) return false
      const slice = this.#slice(log, from, range.to)
      for (const row of slice) {
        from = decodeHeader(row).lastOffset + 1
        if (!visit(row)) return true
      }
      endSlice?.()
      if (slice.length === 0) return true
      await this.#options.journal.durable()
      await new Promise<void>((resolve) => setImmediate(resolve))
    }
  }

  #slice(log: PartitionLog, from: number, to: number): Uint8Array[] {
    if (from >= to) return []
    const cursor = this.#options.engine.scan(logRange('batch', log.logId, from, to))
    const slice: Uint8Array[] = []
    try {
      let bytes = 0
      while (bytes < sliceBytesMax) {
        const rows = cursor.next(rowsAtOnce)
        if (rows.length === 0) break
        for (const [, row] of rows) {
          slice.push(row)
          bytes += row.length
        }
      }
    } finally {
      cursor.close()
    }
    return slice
  }
}

const isLive = (log: PartitionLog, { kind, transactional, producerId, baseOffset }: StoredBatch) =>
  kind === batchKinds.data && !(transactional && log.aborted.has(producerId, baseOffset))

const noteKeys = ({ baseOffset, records }: StoredBatch, into: Map<string, number>): void => {
  for (const { key, offsetDelta } of records) {
    if (key !== null) into.set(latin1FromBytes(key), baseOffset + offsetDelta)
  }
}

const mayHoldTombstones = (log: PartitionLog): boolean => log.cleanRecordCount > 0

const deleteRetentionMs = (config: TopicConfig): number =>
  config.deleteRetentionMs ?? topicDefaults.deleteRetentionMs
