/**
 * Where a record scope came from: what failures and refused outputs are blamed on.
 *
 * Made by `StreamTask`: one per input for all of its records, since nothing is to be allocated per
 * record, and one for each punctuation and each completion of an effect.
 */

import type { RecordPosition } from '../errors/classes.ts'
import type { RecordQueue } from './record-queue.ts'
import type { TaskSource } from './task-io.ts'

export interface Origin {
  readonly node: string
  readonly queue: RecordQueue | undefined
  /** Index among the task's inputs; −1 without a queue. */
  readonly input: number
  position(): RecordPosition
}

export interface RecordOrigin extends Origin {
  readonly source: TaskSource
}

/** @param index  of the input among the task's */
export const inputOrigin = (
  { queue, source }: { readonly queue: RecordQueue; readonly source: TaskSource },
  index: number,
): RecordOrigin => ({
  node: source.logicalName,
  source,
  queue,
  input: index,
  position: () => ({ topic: queue.topic, partition: queue.partition, offset: queue.position }),
})

/** What a punctuation or an effect's completion does has no input record behind it. */
export const ownOrigin = (node: string, partition: number): Origin => {
  const position = { topic: node, partition, offset: -1n }
  return { node, queue: undefined, input: -1, position: () => position }
}
