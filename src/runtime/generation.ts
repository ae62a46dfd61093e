/**
 * One sealed generation of an instance: what all its tasks did since the last, ready to be sent.
 *
 * Made by `sealGeneration` from the tasks, consumed by the `Committer`. 1. Values were serialised
 * once per key; the same bytes go to the changelog and to the store. 2. Outputs keep the order in
 * which a task staged them, per partition. 3. Offsets of every task that wrote anything are in it.
 */

import { namespacePrefix } from '../../state/key-layout.ts'
import { WriteBatch } from '../../state/write-batch.ts'
import {
  type CommittedOffset,
  type ProduceBatch,
  type ProducedBatch,
  type ProduceRecord,
} from '../broker/port.ts'
import { type RecordPosition } from '../errors/classes.ts'
import { noHeaders } from '../record.ts'
import { type StagedOutput } from '../task/record-scope.ts'
import { type StreamTask } from '../task/stream-task.ts'
import { type SealedStore, type TaskGeneration } from '../task/task-generation.ts'

export interface Generation {
  readonly tasks: readonly TaskGeneration[]
  readonly batches: readonly ProduceBatch[]
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
    const generation = isWorthIt ? task.seal() : undefined
    if (generation !== undefined) sealed.push(generation)
  }
  if (sealed.length === 0) return undefined
  const batches = new BatchesByPartition()
  for (const { task, outputs, stores } of sealed) {
    for (const output of outputs) batches.of(output.topic, output.partition).push(output)
    for (const { changelogTopic, writes } of stores) {
      const records = batches.of(changelogTopic, task.partition)
      for (const { key, value = null } of writes) {
        records.push({ key, value, timestampMs: nowMs, headers: noHeaders })
      }
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
  for (const { stores } of tasks) {
    for (const { store, writes } of stores) {
      const rowOverheadBytes = 32 + store.name.length
      for (const { key, value } of writes) {
        bytes += key.length + (value?.length ?? 0) + rowOverheadBytes
      }
      bytes += positionBytes
    }
  }
  return bytes
}

/** The position's key and its value, twice: expected and next. */
const positionBytes = 1_024

const addRows = (batch: WriteBatch, prefix: Uint8Array, { writes }: SealedStore): void => {
  for (const { key, value } of writes) {
    if (value === undefined) batch.delete(prefix, key)
    else batch.put(prefix, key, value)
  }
}

/** The input that caused an output the broker refused, if it was an output of a record. */
export const causeOf = (
  { batches }: Generation,
  refused: {
    readonly topic?: string
    readonly partition?: number
    readonly recordIndex?: number
  },
): RecordPosition | undefined => {
  const batch = batches.find(
    ({ topic, partition }) => topic === refused.topic && partition === refused.partition,
  )
  const record = batch?.records[refused.recordIndex ?? -1]
  return record !== undefined && 'cause' in record ? (record as StagedOutput).cause : undefined
}

class BatchesByPartition {
  readonly #topics = new Map<string, ProduceRecord[][]>()

  of(topic: string, partition: number): ProduceRecord[] {
    let partitions = this.#topics.get(topic)
    if (partitions === undefined) this.#topics.set(topic, (partitions = []))
    return (partitions[partition] ??= [])
  }

  all(): ProduceBatch[] {
    const batches: ProduceBatch[] = []
    for (const [topic, partitions] of this.#topics) {
      partitions.forEach((records, partition) => batches.push({ topic, partition, records }))
    }
    return batches
  }
}
