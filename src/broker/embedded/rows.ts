/**
 * Keys of the rows that the embedded broker keeps in its engine; the whole engine is its own.
 *
 * ```
 *   batch        [1 u8][logId u32][lastOffset u64]        value: batch-codec.ts
 *   partition    [2 u8][logId u32]                        JSON PartitionRow
 *   aborted      [3 u8][logId u32][markerOffset u64]      [producerId f64][firstOffset f64]
 *   cluster      [4 u8]                                   JSON ClusterRow
 *   topic        [5 u8][name utf8]                        JSON TopicRow
 *   transaction  [6 u8][transactionalId utf8]             JSON TransactionRow
 *   offset       [7 u8][group utf8][0][topic][0][number]  [offset f64][metadata utf8]
 *   dropped      [8 u8][logId u32]                        empty: rows of a deleted topic's log
 *   journal      [9 u8]                                   f64: how many groups were committed
 *   epoch        [10 u8][logId u32][leaderEpoch u64]      f64: the epoch's first offset
 * ```
 * All big-endian. 1. A batch lies under its *last* offset, so that the first row at or behind an
 * offset is the batch that holds it, also where compaction or a failed write left a gap.
 * 2. Log ids are never given twice, so a topic made again never sees old rows.
 */

import type { KeyRange } from '../../../state/engine.ts'

export const noPrefix = new Uint8Array(0)

const tags = {
  batch: 1,
  partition: 2,
  aborted: 3,
  cluster: 4,
  topic: 5,
  transaction: 6,
  offset: 7,
  dropped: 8,
  journal: 9,
  epoch: 10,
} as const

export type RowKind = keyof typeof tags

export interface ClusterRow {
  readonly clusterId: string
  /** How often a broker was opened on this engine: the leader epoch. */
  readonly starts: number
  readonly nextLogId: number
  readonly nextProducerId: number
}

export interface PartitionRow {
  readonly logStartOffset: number
  /** Of the moment the row was written: the end of a log that has no rows left. */
  readonly highWatermark: number
  readonly cleanedUntilOffset: number
  readonly cleanRecordCount: number
}

export const clusterKey: Uint8Array = Buffer.of(tags.cluster)
export const journalKey: Uint8Array = Buffer.of(tags.journal)

const keyOfLog = (
  kind: 'batch' | 'partition' | 'aborted' | 'dropped' | 'epoch',
  logId: number,
  offset?: number,
): Uint8Array => {
  const key = Buffer.allocUnsafe(offset === undefined ? 5 : 13)
  key[0] = tags[kind]
  key.writeUInt32BE(logId, 1)
  if (offset !== undefined) {
    key.writeUInt32BE(Math.floor(offset / 0x1_0000_0000), 5)
    key.writeUInt32BE(offset % 0x1_0000_0000, 9)
  }
  return key
}

export const batchKey = (logId: number, lastOffset: number): Uint8Array =>
  keyOfLog('batch', logId, lastOffset)

export const abortedKey = (logId: number, markerOffset: number): Uint8Array =>
  keyOfLog('aborted', logId, markerOffset)

export const epochKey = (logId: number, leaderEpoch: number): Uint8Array =>
  keyOfLog('epoch', logId, leaderEpoch)

export const partitionKey = (logId: number): Uint8Array => keyOfLog('partition', logId)
export const droppedKey = (logId: number): Uint8Array => keyOfLog('dropped', logId)

/** Rows of one log with `from` ≤ last offset, marker offset or leader epoch < `to`. */
export const logRange = (
  kind: 'batch' | 'aborted' | 'epoch',
  logId: number,
  from = 0,
  to?: number,
): KeyRange => ({
  gte: keyOfLog(kind, logId, from),
  lt: to === undefined ? keyOfLog(kind, logId + 1, 0) : keyOfLog(kind, logId, to),
})

export const namedKey = (kind: 'topic' | 'transaction' | 'offset', name: string): Uint8Array =>
  Buffer.concat([Buffer.of(tags[kind]), Buffer.from(name, 'utf8')])

/** Every row of a kind, whatever follows its tag. */
export const kindRange = (kind: RowKind): KeyRange => ({
  gte: Buffer.of(tags[kind]),
  lt: Buffer.of(tags[kind] + 1),
})

/** What follows the tag of a key made by `namedKey`. */
export const nameOfKey = (key: Uint8Array): string => Buffer.from(key).toString('utf8', 1)

export const logIdOfKey = (key: Uint8Array): number => Buffer.from(key).readUInt32BE(1)

export const offsetOfKey = (key: Uint8Array): number => {
  const bytes = Buffer.from(key)
  return bytes.readUInt32BE(5) * 0x1_0000_0000 + bytes.readUInt32BE(9)
}

export const encodeAborted = (producerId: number, firstOffset: number): Uint8Array => {
  const bytes = Buffer.allocUnsafe(16)
  bytes.writeDoubleBE(producerId, 0)
  bytes.writeDoubleBE(firstOffset, 8)
  return bytes
}

export const decodeAborted = (
  value: Uint8Array,
): { readonly producerId: number; readonly firstOffset: number } => {
  const bytes = Buffer.from(value)
  return { producerId: bytes.readDoubleBE(0), firstOffset: bytes.readDoubleBE(8) }
}

/** A whole number up to 2^53. */
export const encodeCount = (count: number): Uint8Array => {
  const bytes = Buffer.allocUnsafe(8)
  bytes.writeDoubleBE(count)
  return bytes
}

export const decodeCount = (value: Uint8Array): number => Buffer.from(value).readDoubleBE()

export const encodeJson = (value: object): Uint8Array => Buffer.from(JSON.stringify(value))

/** @returns the row as written by this broker; the engine guards it against torn writes */
export const decodeJson = <T>(bytes: Uint8Array): T =>
  JSON.parse(Buffer.from(bytes).toString('utf8')) as T
