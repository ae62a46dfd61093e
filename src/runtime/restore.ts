/**
 * Brings local stores up to the end of their changelogs, before their tasks run.
 *
 * Called by the task manager after the old owner is fenced and the committed offsets are known.
 * 1. It reads read_committed until the *position*, control batches counted, reaches the high
 * watermark: the last stable offset is not enough, since the markers of the last transaction may
 * still be on their way. 2. Rows and position move in one batch, so a crash in the middle of a
 * restore goes on where it was. 3. All partitions are fetched together, in one fetch per turn,
 * while what the turns before brought is written: at most one write is in flight, and what comes
 * meanwhile is the next. 4. Tasks that run get the event loop between two partitions.
 */

import { namespacePrefix } from '../../state/key-layout.ts'
import type { Engine } from '../../state/engine.ts'
import { WriteBatch } from '../../state/write-batch.ts'
import type { Broker, Fetcher, RawBatch } from '../broker/port.ts'
import type { Clock } from '../clock.ts'
import { type ChangelogHead, positionBytes } from '../task/changelog-head.ts'
import { ChangelogRows } from './changelog-rows.ts'
import type { RestoreProgress } from './restore-progress.ts'
import { macrotask } from './sleep.ts'

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

/** Fetched and not written: above it the next fetch waits. More would make longer sorted runs. */
const pendingBytesMax = 16_777_216

/**
 * @throws {BrokerError | StoreError} nothing is lost: open the task again
 * @throws the signal's reason, between two batches
 */
export const restoreStores = async (
  jobs: readonly RestoreJob[],
  options: RestoreOptions,
): Promise<void> => {
  const { broker, progress, clientId, signal } = options
  const open = jobs.map((job) => new RestoreCursor(job)).filter(({ isDone }) => !isDone)
  if (open.length === 0) return
  progress.begin(open.map(({ job, offset }) => [job.storeName, Number(job.highWatermark - offset)]))
  const fetcher = broker.fetcher(clientId)
  const wakeUp = (): void => fetcher.wakeUp()
  signal?.addEventListener('abort', wakeUp)
  const writer = new RestoreWriter(open, options)
  try {
    await fetchAll(open, fetcher, writer, options)
    await writer.flush()
  } finally {
    signal?.removeEventListener('abort', wakeUp)
    await writer.settled()
    await fetcher.close()
    progress.end()
  }
}

const fetchAll = async (
  cursors: readonly RestoreCursor[],
  fetcher: Fetcher,
  writer: RestoreWriter,
  { batchBytes: maxBytes, maxWaitMs, signal }: RestoreOptions,
): Promise<void> => {
  let open = cursors
  while (open.length > 0) {
    signal?.throwIfAborted()
    const wanted = open.map(({ job, offset }) => {
      const { topic, partition } = job.head.identity
      return { topic, partition, offset, maxBytes }
    })
    const batches = await fetcher.fetch(wanted, { isolation: 'read_committed', maxWaitMs })
    for (let i = 0; i < open.length; i++) {
      if (open[i]!.take(batches[i]!)) await macrotask()
    }
    await writer.next()
    open = open.filter(({ isDone }) => !isDone)
  }
}

const rowOverheadBytes = 9

class RestoreCursor {
  readonly job: RestoreJob
  readonly rows = new ChangelogRows()
  readonly prefix: Uint8Array
  /** Of the next fetch. */
  offset: bigint
  /** Offsets gone on by since the last write. */
  advanced = 0
  leaderEpoch = -1
  /** The position has moved since it was written. */
  hasMoved = false

  constructor(job: RestoreJob) {
    this.job = job
    this.prefix = namespacePrefix(job.taskId, job.storeName)
    this.offset = job.fromOffset
  }

  get isDone(): boolean {
    return this.offset >= this.job.highWatermark
  }

  /** About what its rows and its position take in a write batch. */
  get writeBytes(): number {
    const { rows, prefix } = this
    return rows.sizeBytes + rows.recordCount * (rowOverheadBytes + prefix.length) + positionBytes
  }

  /** @returns true if the position moved */
  take(batch: RawBatch): boolean {
    if (batch.nextOffset <= this.offset) return false
    this.advanced += Number(batch.nextOffset - this.offset)
    this.rows.add(batch)
    this.offset = batch.nextOffset
    this.leaderEpoch = batch.leaderEpoch
    this.hasMoved = true
    return true
  }
}

/** Writes what the cursors hold, one batch at a time; a failure is thrown by the next call. */
class RestoreWriter {
  readonly #cursors: readonly RestoreCursor[]
  readonly #options: RestoreOptions
  /** The last write; rejected, and never another begun, if it failed. */
  #writing: Promise<void> = Promise.resolve()
  #isWriting = false

  constructor(cursors: readonly RestoreCursor[], options: RestoreOptions) {
    this.#cursors = cursors
    this.#options = options
  }

  /** Begins a write unless one is in flight; waits for that one if too much has come since. */
  async next(): Promise<void> {
    const pendingBytes = this.#cursors.reduce((sum, { rows }) => sum + rows.sizeBytes, 0)
    if (this.#isWriting && pendingBytes < pendingBytesMax) return
    await this.#writing
    await this.#begin()
  }

  /** Writes all there is. */
  async flush(): Promise<void> {
    await this.#writing
    await this.#begin()
    await this.#writing
  }

  /** Nothing is in flight any more, whatever became of it. */
  async settled(): Promise<void> {
    await this.#writing.catch(ignore)
  }

  async #begin(): Promise<void> {
    const { engine, clock, progress } = this.#options
    const moved = this.#cursors.filter(({ hasMoved }) => hasMoved)
    if (moved.length === 0) return
    const writes = new WriteBatch(moved.reduce((sum, cursor) => sum + cursor.writeBytes, 0))
    const done: (readonly [store: string, part: { records: number; offsets: number }])[] = []
    for (const cursor of moved) {
      const { job, rows, prefix, offset, leaderEpoch } = cursor
      done.push([job.storeName, { records: rows.recordCount, offsets: cursor.advanced }])
      cursor.advanced = 0
      rows.moveTo(writes, prefix)
      job.head.stage(writes, { offset, leaderEpoch, appliedAtMs: clock.nowMs() })
      cursor.hasMoved = false
      await macrotask()
    }
    this.#isWriting = true
    this.#writing = engine
      .bulkLoad(writes)
      .then(() => {
        for (const { job } of moved) job.head.moved()
        for (const [name, part] of done) progress.restored(name, part)
      })
      .finally(() => {
        this.#isWriting = false
      })
    this.#writing.catch(ignore) // the next call throws it
  }
}

const ignore = (): void => {}
