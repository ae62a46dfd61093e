/**
 * One question about one partition of a store, and its answer: what queries are made of.
 *
 * They travel between instances as structured clones: keys and values are what the store's serdes
 * decode. A row carries its place in the order of its store, so that rows of many partitions can be
 * merged by whoever asked.
 */

import type { InputOffset } from '../task/applied-inputs.ts'

/** Behind which row of all partitions a reading goes on. */
export interface RowPlace {
  readonly order: string
  readonly partition: number
}

export interface GetRead {
  readonly kind: 'get'
  readonly key: unknown
}

/** Rows in the order of their encoded keys; of stores that are lists, as they are kept. */
export interface RangeRead {
  readonly kind: 'range'
  /** Of lists, which take no bounds: only rows of this key. */
  readonly key?: unknown
  /** Inclusive. */
  readonly from?: unknown
  /** Exclusive. */
  readonly to?: unknown
  readonly after?: RowPlace
  readonly limit: number
}

/**
 * Rows that lie in time by their times (of windows the start, of sessions the end), then by encoded
 * key. Rows under windowed keys: by encoded key, then start.
 */
export interface WindowsRead {
  readonly kind: 'windows'
  /** Of all keys if absent. */
  readonly key?: unknown
  /** Inclusive. */
  readonly fromMs: number
  /** Exclusive. */
  readonly toMs: number
  readonly after?: RowPlace
  readonly limit: number
}

export type PartitionRead = GetRead | RangeRead | WindowsRead

export interface FoundRow {
  /** Rows of a store sort by this, then by partition; characters are bytes. */
  readonly order: string
  /** Without its window. */
  readonly key: unknown
  /** Of rows that are windows; a window store does not know ends. */
  readonly window?: { readonly startMs: number; readonly endMs?: number }
  /** Event time of the row, where it has one. */
  readonly timestampMs?: number
  /** Undefined is a deletion that `suppress` holds. */
  readonly value: unknown
}

/** Who answered, and how fresh that is. */
export interface AnswerSource {
  readonly partition: number
  /** The instance that answered. */
  readonly owner: string
  /** The owner's task. There are no standbys yet, so nothing else answers. */
  readonly role: 'active'
  /** Up to where the inputs of the task show in the answer: the next offsets. */
  readonly offsets: readonly InputOffset[]
  /**
   * Wall clock of the last commit that the answer shows; of the opening, if there was none. Absent
   * where no task answered.
   */
  readonly appliedAtMs?: number
}

export interface PartitionAnswer extends AnswerSource {
  readonly rows: readonly FoundRow[]
}

/** An answer without its rows. */
export const sourceOf = (answer: PartitionAnswer): AnswerSource => {
  const { rows: _, ...source } = answer
  return source
}

export interface PartitionQuestion {
  readonly store: string
  readonly partition: number
  /** Of whoever asks: an owner that is behind it may not be the owner any more. */
  readonly generationId: number
  readonly read: PartitionRead
}

/** An answer, or why there is none at this instance now. */
export type PartitionReply = { readonly answer: PartitionAnswer } | { readonly notHere: string }
