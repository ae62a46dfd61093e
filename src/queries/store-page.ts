/**
 * Reads of a store over all its partitions: every row of a key, and pages in the order of the rows.
 *
 * 1. All partitions answer or none: a page without those that did not would look like an answer.
 * 2. Pages go on behind the last row that was told, by its order and partition; so a cursor holds
 * for all partitions, whoever owns them by then. 3. Rows that change between two pages are told as
 * they are when their page is read; rows that come in behind the cursor are not told.
 */

import { RuntimeError } from '../errors/classes.ts'
import type { Store } from '../stores/store.ts'
import {
  type AnswerSource,
  type FoundRow,
  type PartitionAnswer,
  type PartitionRead,
  type RangeRead,
  sourceOf,
  type WindowsRead,
} from './partition-read.ts'
import { decodeCursor, encodeCursor } from './page-cursor.ts'
import { isBehind } from './read-rows.ts'
import type { StoreReads } from './store-reads.ts'

export interface PartitionRow extends Omit<FoundRow, 'order'> {
  readonly partition: number
}

export interface StorePage {
  readonly rows: readonly PartitionRow[]
  /** Goes on with the next page; absent if there was nothing behind this one. */
  readonly cursor?: string
  /** Who answered, a partition each. */
  readonly sources: readonly AnswerSource[]
}

/**
 * The row of a key in every partition that has one, as of now.
 *
 * @throws {RuntimeError} STREAMS_PARTITION_MOVING: names the partitions that do not answer
 */
export const readEverywhere = async (
  reads: StoreReads,
  store: Store,
  read: PartitionRead,
): Promise<StorePage> => {
  const answers = await askAll(reads, { store }, read)
  return { rows: merged(answers).map(rowOf), sources: answers.map(sourceOf) }
}

export interface PageOptions {
  /** Of the page before, with the same bounds. */
  readonly cursor?: string | undefined
  /** Where all rows in question are; every partition if absent. */
  readonly partitions?: readonly number[]
}

/**
 * One page of a range or of windows.
 *
 * @throws {RuntimeError} STREAMS_PARTITION_MOVING: names the partitions that do not answer
 * @throws {CursorError} the cursor is none of this store
 */
export const readPage = async (
  reads: StoreReads,
  store: Store,
  read: RangeRead | WindowsRead,
  { cursor, partitions }: PageOptions = {},
): Promise<StorePage> => {
  const { limit } = read
  const after = cursor === undefined ? undefined : decodeCursor(store.name, cursor)
  // one more than wanted tells whether there is a next page
  const asked = { ...read, limit: limit + 1, ...(after !== undefined && { after }) }
  const answers = await askAll(reads, { store, partitions }, asked)
  const rows = merged(answers)
  const sources = answers.map(sourceOf)
  const told = rows.slice(0, limit)
  const page = { rows: told.map(rowOf), sources }
  return rows.length > limit ? { ...page, cursor: encodeCursor(store.name, told.at(-1)!) } : page
}

interface Asked {
  readonly store: Store
  readonly partitions?: readonly number[] | undefined
}

const partitionsOf = (reads: StoreReads, store: Store): readonly number[] =>
  Array.from({ length: reads.partitionsOf(store) }, (_, partition) => partition)

const askAll = async (
  reads: StoreReads,
  { store, partitions = partitionsOf(reads, store) }: Asked,
  read: PartitionRead,
): Promise<readonly PartitionAnswer[]> => {
  const asked = await Promise.allSettled(
    partitions.map((partition) => reads.read({ store, partition }, read)),
  )
  const missing: string[] = []
  const reasons: string[] = []
  const answers: PartitionAnswer[] = []
  asked.forEach((outcome, index) => {
    if (outcome.status === 'fulfilled') return void answers.push(outcome.value)
    if (!isMoving(outcome.reason)) throw outcome.reason
    missing.push(String(partitions[index]))
    reasons.push(outcome.reason.message)
  })
  if (missing.length === 0) return answers
  throw new RuntimeError(
    'STREAMS_PARTITION_MOVING',
    `Store ${store.name} cannot be read whole now, partitions ${missing.join(', ')} are missing. `
      + reasons[0],
  )
}

const isMoving = (error: unknown): error is RuntimeError =>
  error instanceof RuntimeError && error.code === 'STREAMS_PARTITION_MOVING'

interface MergedRow extends FoundRow {
  readonly partition: number
}

const merged = (answers: readonly PartitionAnswer[]): readonly MergedRow[] =>
  answers
    .flatMap(({ partition, rows }) => rows.map((row): MergedRow => ({ partition, ...row })))
    .toSorted((a, b) => (isBehind(a, b) ? -1 : 1))

const rowOf = ({ order: _order, ...row }: MergedRow): PartitionRow => row
