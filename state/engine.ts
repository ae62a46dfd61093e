/**
 * The engine port: an ordered map of bytes with atomic commits. Knows nothing above bytes.
 *
 * One engine per instance (one database, one write-ahead log, one atomic batch per transaction);
 * the embedded broker uses a second one as its disk. `memory` is the reference, `rocksdb` the
 * default, `lmdb` stands in where that has no binary; all pass `test/contract/engine-contract.ts`.
 *
 * 1. Keys are ordered as unsigned bytes. 2. Reads are synchronous and see every commit whose
 * promise has resolved, and may see one still in flight, always whole. 3. One commit at a time:
 * a second `commit` while one is in flight waits its turn; order of calls = order of effect.
 * 4. After `close()` has begun every call throws StoreClosedError; close waits for commits in
 * flight and closes cursors. 5. Returned bytes belong to the caller, passed bytes are copied or
 * fully used before the call returns.
 */

import type { WriteBatch } from './write-batch.ts'

export interface KeyRange {
  /** Inclusive lower bound. */
  readonly gte: Uint8Array
  /** Exclusive upper bound. */
  readonly lt: Uint8Array
}

export interface ScanOptions extends KeyRange {
  readonly reverse?: boolean
  /** Rows at most; all if absent. */
  readonly limit?: number
  /** Values may be left out, empty in their place, where that saves reading them. */
  readonly keysOnly?: boolean
}

export type Row = readonly [key: Uint8Array, value: Uint8Array]

/** A consistent view from the moment of its creation; must be closed by whoever opened it. */
export interface Cursor {
  /** Up to `max` rows, empty when the range is exhausted. */
  next(max: number): readonly Row[]
  close(): void
}

/** Reads as of one moment: later commits are invisible. Must be closed. */
export interface Snapshot {
  get(key: Uint8Array): Uint8Array | undefined
  scan(options: ScanOptions): Cursor
  close(): void
}

export interface Engine {
  readonly kind: 'memory' | 'rocksdb' | 'lmdb'
  get(key: Uint8Array): Uint8Array | undefined
  /** Same order as `keys`; one call is 2–5 times cheaper than as many gets. */
  getMany(keys: readonly Uint8Array[]): (Uint8Array | undefined)[]
  /**
   * Optional, for speed, of values that are text: as `getMany`, but decoded from UTF-8. A value
   * that is no UTF-8, or may not be, comes as bytes.
   */
  getTexts?(keys: readonly Uint8Array[]): (string | Uint8Array | undefined)[]
  scan(options: ScanOptions): Cursor
  snapshot(): Snapshot
  /**
   * Writes the batch atomically, if every expectation of it holds.
   *
   * Runs off the main thread where the engine can. The batch must not be touched afterwards.
   *
   * @throws {StoreConflictError} an expectation failed; nothing was written
   * @throws {StoreFullError} no space; nothing was written, a retry may succeed later
   * @throws {StoreIoError} another I/O failure; nothing was written, or the engine is unusable
   */
  commit(batch: WriteBatch): Promise<void>
  /** Same as `commit`, tuned for a restore: many rows, unsynced, in any key order. */
  bulkLoad(batch: WriteBatch): Promise<void>
  /** Deletes every key of the range; not atomic with commits around it. */
  deleteRange(range: KeyRange): Promise<void>
  /** An engine figure by name (`rocksdb.estimate-num-keys`), undefined if unknown here. */
  property(name: string): string | undefined
  close(): Promise<void>
}
