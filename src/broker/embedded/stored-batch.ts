/**
 * One row of a log: records appended together, or one control marker.
 *
 * Made by `PartitionLog` (append), `batch-codec` (read) and `LogCleaner` (rewrite). Offsets are
 * numbers inside this folder (safe up to 2^53) and become bigint at the port.
 */

import type { Headers } from '../../record.ts'
import type { RawRecord } from '../port.ts'

export const batchKinds = { data: 0, commit: 1, abort: 2 } as const
export type BatchKind = (typeof batchKinds)[keyof typeof batchKinds]

/** Everything of a batch but its records; what a cleaner needs to skip it. */
export interface BatchHeader {
  readonly kind: BatchKind
  readonly transactional: boolean
  /** −1 for producers without a transaction. */
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseOffset: number
  readonly lastOffset: number
  readonly maxTimestampMs: number
  /** When compaction first saw it, 0 if never: its tombstones live `deleteRetentionMs` longer. */
  readonly cleanedAtMs: number
  /** Keys, values and headers. */
  readonly sizeBytes: number
  readonly recordCount: number
}

export interface StoredBatch extends BatchHeader {
  /** Of what is packed: made anew at each call. */
  readonly records: readonly RawRecord[]
  /** Records that live as objects of their own; none of what is packed. */
  readonly decodedCount: number
}

interface Sized {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: Headers
}

/** Key, value and headers of one record, in bytes; header keys count as Latin-1. */
export const recordBytes = ({ key, value, headers }: Sized): number => {
  let bytes = (key === null ? 0 : key.length) + (value === null ? 0 : value.length)
  for (let i = 0; i < headers.length; i++) {
    const header = headers[i]!
    bytes += header.key.length + (header.value === null ? 0 : header.value.length)
  }
  return bytes
}
