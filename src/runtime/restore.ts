/**
 * Brings local stores up to the end of their changelogs, before their tasks run.
 *
 * Called by the task manager after the old owner is fenced and the committed offsets are known.
 * 1. It reads read_committed until the *position*, control batches counted, reaches the high
 * watermark: the last stable offset is not enough, since the markers of the last transaction may
 * still be on their way. 2. Rows and position move in one batch, so a crash in the middle of a
 * restore goes on where it was. 3. All partitions are fetched together, in one fetch per turn.
 */

import { namespacePrefix } from '../../state/key-layout.ts'
import { type Engine } from '../../state/engine.ts'
import { WriteBatch } from '../../state/write-batch.ts'
import { type Broker, type RawBatch } from '../broker/port.ts'
import { type Clock } from '../clock.ts'
import { type ChangelogHead } from '../task/changelog-head.ts'
import { type RestoreProgress } from './restore-progress.ts'

export interface RestoreJob {
  readonly taskId: string
  readonly storeName: string
  readonly head: ChangelogHead
  /** First offset not applied yet. */
  readonly fromOffset: bigint
  /** Where the changelog ended when the old owner was fenced. */
  readonly highWatermark: bigint
}

export interface RestoreOptions {
  readonly broker: Broker
  readonly engine: Engine
  readonly clock: Clock
  readonly clientId: string
  readonly batchBytes: number
  readonly maxWaitMs: number
  readonly progress: RestoreProgress
  /** The tasks went to another instance meanwhile. */
  readonly signal?: AbortSignal
}

/**
 * @throws {BrokerError | StoreError} nothing is lost: open the task again
 * @throws the signal's reason, between two batches
 */
export const restoreStores = async (
  jobs: readonly RestoreJob[],
  options: RestoreOptions,
): Promise<void> => {
  const { broker, progress, clientId, batchBytes, maxWaitMs, signal } = options
  let open = jobs.map((job) => new RestoreCursor(job)).filter(({ isDone }) => !isDone)
  if (open.length === 0) return
  progress.begin(open.map(({ job, offset }) => [job.storeName, Number(job.highWatermark - offset)]))
  const fetcher = broker.fetcher(clientId)
  const wakeUp = (): void => fetcher.wakeUp()
  signal?.addEventListener('abort', wakeUp)
  try {
    while (open.length > 0) {
      signal?.throwIfAborted()
      const batches = await fetcher.fetch(
        open.map(
          ({
            job: {
              head: {
                identity: { topic, partition },
              },
            },
            offset,
          }) => ({ topic, partition, offset, maxBytes: batchBytes }),
        ),
        { isolation: 'read_committed', maxWaitMs },
      )
      const moved = open.filter((cursor, index) => cursor.take(batches[index]!))
      await applyRestored(moved, options)
      open = open.filter(({ isDone }) => !isDone)
    }
  } finally {
    signal?.removeEventListener('abort', wakeUp)
    await fetcher.close()
    progress.end()
  }
}

class RestoreCursor {
  readonly job: RestoreJob
  offset: bigint
  /** Offsets that the last batch went on by. */
  advanced = 0
  batch: RawBatch | undefined

  constructor(job: RestoreJob) {
    this.job = job
    this.offset = job.fromOffset
  }

  get isDone(): boolean {
    return this.offset >= this.job.highWatermark
  }

  /** @returns true if the position moved */
  take(batch: RawBatch): boolean {
    if (batch.nextOffset <= this.offset) return false
    this.batch = batch
    this.advanced = Number(batch.nextOffset - this.offset)
    this.offset = batch.nextOffset
    return true
  }
}

const applyRestored = async (
  moved: readonly RestoreCursor[],
  { engine, clock, progress }: RestoreOptions,
): Promise<void> => {
  if (moved.length === 0) return
  const writes = new WriteBatch()
  for (const { job, offset, batch } of moved) {
    const prefix = namespacePrefix(job.taskId, job.storeName)
    for (const { key, value } of batch!.records) {
      if (key === null) continue
      if (value === null) writes.delete(prefix, key)
      else writes.put(prefix, key, value)
    }
    const { leaderEpoch } = batch!
    job.head.stage(writes, { offset, leaderEpoch, appliedAtMs: clock.nowMs() })
  }
  await engine.bulkLoad(writes)
  for (const { job, batch, advanced } of moved) {
    job.head.moved()
    progress.restored(job.storeName, { records: batch!.records.length, offsets: advanced })
  }
}
