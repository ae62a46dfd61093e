/**
 * One sealed generation of an instance: what all its tasks did since the last, ready to be sent.
 *
 * Made by `sealGeneration` from the tasks, consumed by the `Committer`. 1. Values were serialised
 * once per key; the same bytes go to the changelog and to the store. 2. Outputs keep the order in
 * which a task staged them, per partition. 3. Offsets of every task that wrote anything are in it.
 */

import { namespacePrefix } from '../../state/key-layout.ts'
import { WriteBatch } from '../../state/write-batch.ts'
import type { CommittedOffset, ProducedBatch, TransactionalProducer } from '../broker/port.ts'
import { PackedBatch } from '../broker/records/packed-batch.ts'
import type { RecordPosition } from '../errors/classes.ts'
import { positionBytes } from '../task/changelog-head.ts'
import type { StreamTask } from '../task/stream-task.ts'
import type { SealedStore, TaskGeneration } from '../task/task-generation.ts'

export interface Generation {
  readonly tasks: readonly TaskGeneration[]
  readonly batches: readonly PackedBatch[]
  readonly offsets: readonly CommittedOffset[]
}

/** @returns undefined if no task has anything worth a commit */
export const sealGeneration = (
  tasks: readonly StreamTask[],
  nowMs: number,
): Generation | undefined => {
  const isWorthIt = tasks.some((task) => task.isWorthCommitting)
  const sealed: TaskGeneration[] = []
  for (const task of tasks) {
    const generation = isWorthIt ? task.seal(nowMs) : undefined
    if (generation !== undefined) sealed.push(generation)
  }
  if (sealed.length === 0) return undefined
  const batches = new BatchesByPartition()
  for (const { task, outputs, stores } of sealed) {
    for (const { topic, partition, records } of outputs.partitions) {
      batches.of(topic, partition).parts.push(records)
    }
    for (const { changelogTopic, rows } of stores) {
      batches.of(changelogTopic, task.partition).parts.push(rows)
    }
  }
  return {
    tasks: sealed,
    batches: batches.all(),
    offsets: sealed.flatMap(({ offsets }) => offsets),
  }
}

/**
 * The rows of a generation with the positions they move, as one atomic batch for the local store.
 *
 * Made anew for each attempt, since the engine hands a batch over to its writer.
 *
 * @param produced  what the broker said of where the changelogs end now
 */
export const storeBatch = (
  { tasks }: Generation,
  produced: readonly ProducedBatch[],
  nowMs: number,
): WriteBatch => {
  const ends = new Map(produced.map((batch) => [`${batch.topic}-${batch.partition}`, batch]))
  const batch = new WriteBatch(capacityBytes(tasks))
  for (const { task, stores } of tasks) {
    for (const store of stores) {
      addRows(batch, namespacePrefix(task.taskId, store.store.name), store)
      const end = ends.get(`${store.changelogTopic}-${task.partition}`)
      if (end === undefined) throw new Error(`${store.changelogTopic}: not acknowledged`)
      const { nextOffset: offset, leaderEpoch } = end
      store.head.stage(batch, { offset, leaderEpoch, appliedAtMs: nowMs })
    }
  }
  return batch
}

/** Rows with their prefixes and lengths, and the positions: an upper bound, not a guess. */
const capacityBytes = (tasks: Generation['tasks']): number => {
  let bytes = 0
  for (const { task, stores } of tasks) {
    for (const { store, rows } of stores) {
      const rowOverheadBytes = 16 + task.taskId.length + store.name.length
      bytes += rows.sizeBytes + rows.recordCount * rowOverheadBytes + positionBytes
    }
  }
  return bytes
}

const addRows = (batch: WriteBatch, prefix: Uint8Array, { rows }: SealedStore): void => {
  rows.eachPlace(({ buffer, keyStart, keyEnd, valueStart, valueEnd }) => {
    if (valueEnd < valueStart) batch.delete(prefix, buffer.subarray(keyStart, keyEnd))
    else batch.putFrom(prefix, buffer, keyStart, keyEnd, valueStart, valueEnd)
  })
}

/** Of a committed and applied generation: what it took is used again by the next ones. */
export const releaseMemory = (
  { tasks, batches }: Generation,
  { forgetsProduced }: Pick<TransactionalProducer, 'forgetsProduced'>,
): void => {
  for (const { outputs } of tasks) outputs.release()
  if (forgetsProduced) for (const batch of batches) batch.release()
}

/** The input that caused an output the broker refused, if it was an output of a record. */
export const causeOf = (
  { tasks }: Generation,
  refused: {
    readonly topic?: string
    readonly partition?: number
    readonly recordIndex?: number
  },
): RecordPosition | undefined => {
  let index = refused.recordIndex ?? -1
  for (const { task, outputs } of tasks) {
    for (const staged of outputs.partitions) {
      const { topic, partition, records } = staged
      if (topic !== refused.topic || partition !== refused.partition) continue
      if (index < records.recordCount) {
        const cause = outputs.causeOf(staged, index)
        if (cause === undefined) return undefined
        const { queue } = task.inputs[cause.input]!
        return { topic: queue.topic, partition: queue.partition, offset: BigInt(cause.offset) }
      }
      index -= records.recordCount
    }
  }
  return undefined
}

class BatchesByPartition {
  readonly #topics = new Map<string, PackedBatch[]>()

  of(topic: string, partition: number): PackedBatch {
    let partitions = this.#topics.get(topic)
    if (partitions === undefined) this.#topics.set(topic, (partitions = []))
    return (partitions[partition] ??= new PackedBatch(topic, partition, []))
  }

  all(): PackedBatch[] {
    // partitions without a batch are holes, which flat() leaves out
    return [...this.#topics.values()].flat()
  }
}
