/**
 * The tasks of W3 over an engine, fed and committed by hand: no broker, no loop, no waiting.
 *
 * 1. Records come as views into packed bytes, as from a fetch. 2. A generation is sealed when the
 * one before is applied, and written while the next is processed. 3. What would be produced is
 * counted, outputs by their status, and forgotten.
 */

import type { Engine } from '../../state/engine.ts'
import type { SlotMemory } from '../../state/slot-memory.ts'
import { StoreCounters } from '../../state/store-counters.ts'
import type { RawRecord } from '../../src/broker/port.ts'
import type { RecordView } from '../../src/broker/records/record-view.ts'
import { partitionOfText } from '../../src/broker/partitioner.ts'
import { headerBytes } from '../../src/broker/records/batch-header.ts'
import { PackedRecords, type PackedSegment } from '../../src/broker/records/packed-records.ts'
import { packedCuts, type PackedPlace, packedViews } from '../../src/broker/records/packed-views.ts'
import { systemClock } from '../../src/clock.ts'
import { silentLogger } from '../../src/logger.ts'
import { resolveConfig } from '../../src/runtime-config.ts'
import { type Generation, releaseMemory, sealGeneration } from '../../src/runtime/generation.ts'
import { openInputs, openStores, sinksOf, taskIdentity } from '../../src/runtime/open-task.ts'
import { bytes } from '../../src/serde/bytes.ts'
import { GlobalTables } from '../../src/stores/global-rows.ts'
import { StreamTime } from '../../src/stores/stream-time.ts'
import { RecordScope } from '../../src/task/record-scope.ts'
import { StreamTask } from '../../src/task/stream-task.ts'
import { TaskCounters } from '../../src/task/task-counters.ts'
import { DriverTopics } from '../../src/testing/driver-topics.ts'
import { unsentBatch } from '../../src/testing/unsent-batch.ts'
import { w3 } from '../workloads/w3.ts'

const partitions = 4
const inputTopics = ['orders', 'payments'] as const
const workload = w3(inputTopics, ['settlements'])
const segmentBytesMax = 1_000_000

const topics = new DriverTopics(workload, partitions)

/** The records of a batch, some at a time, as fetchers bring them. */
const viewsOf = (place: PackedPlace): { next(): readonly RawRecord[] } => {
  const cuts = packedCuts(place, place.buffer.length, { bytesMax: Infinity, recordsMax: 256 })
  let [cut, offset] = [0, 0]
  return {
    next() {
      const piece = cuts[cut++]
      if (piece === undefined) return []
      const moved = (packedViews(piece) as RecordView[]).map((view) => view.movedBy(offset))
      offset += moved.length
      return moved
    },
  }
}

export interface JoinTasksOptions {
  readonly engine: Engine
  readonly cachedSlotsMax: number
  readonly memory: SlotMemory
}

export class JoinTasks {
  readonly #engine: Engine
  readonly #storeCounters = new StoreCounters()
  readonly #taskCounters = new TaskCounters()
  readonly #tasks: readonly StreamTask[]
  readonly #fed = new Map<string, PackedRecords>()
  readonly #offsets = new Map<string, bigint>()
  #applying: Promise<void> | undefined
  #before = { ...this.#storeCounters, records: 0 }
  counts = { outputs: 0, changelogRecords: 0, changelogBytes: 0 }
  readonly statuses = { settled: 0, short: 0, expired: 0 }

  constructor(options: JoinTasksOptions) {
    this.#engine = options.engine
    this.#tasks = Array.from({ length: partitions }, (_, partition) =>
      this.#openTask(partition, options),
    )
  }

  /** Since `reset`. */
  get recordsProcessed(): number {
    return this.#taskCounters.recordsProcessed - this.#before.records
  }

  reset(): void {
    this.#before = { ...this.#storeCounters, records: this.#taskCounters.recordsProcessed }
    this.counts = { outputs: 0, changelogRecords: 0, changelogBytes: 0 }
  }

  /** Since `reset`, of the store's slots. */
  get slotCounts(): Readonly<Record<string, number>> {
    const { gets, getMisses, puts, deletes } = this.#storeCounters
    return {
      slotGets: gets - this.#before.gets,
      slotMisses: getMisses - this.#before.getMisses,
      slotPuts: puts - this.#before.puts,
      slotDeletes: deletes - this.#before.deletes,
    }
  }

  /** @param side  0: an order, 1: a payment */
  feed(side: 0 | 1, timestampMs: number, key: string, value: string): void {
    const place = `${side}-${partitionOfText(key, partitions)}`
    let packed = this.#fed.get(place)
    if (packed === undefined) {
      packed = new PackedRecords({ segmentBytesMax, expectedBytes: segmentBytesMax })
      this.#fed.set(place, packed)
    }
    packed.append(timestampMs, key, value)
  }

  /** Hands what was fed to the tasks. */
  flush(): void {
    for (const [fedAt, packed] of this.#fed) {
      for (const segment of packed.segments()) this.#enqueue(fedAt, segment)
    }
    this.#fed.clear()
  }

  process(): void {
    const nowMs = Date.now()
    for (const task of this.#tasks) while (task.processNext(nowMs));
  }

  /** Seals what was processed and begins to write it. */
  async commit(): Promise<void> {
    await this.applied()
    const generation = sealGeneration(this.#tasks, Date.now())
    if (generation !== undefined) this.#applying = this.#apply(generation)
  }

  /** The last generation is in the store. */
  async applied(): Promise<void> {
    await this.#applying
  }

  #enqueue(fedAt: string, { buffer, firstMs, recordCount }: PackedSegment): void {
    const [side, partition] = fedAt.split('-').map(Number) as [number, number]
    const place = { buffer, firstMs, recordCount, start: headerBytes }
    const baseOffset = this.#offsets.get(fedAt) ?? 0n
    const nextOffset = baseOffset + BigInt(recordCount)
    this.#offsets.set(fedAt, nextOffset)
    const topic = inputTopics[side]!
    const input = this.#tasks[partition]!.inputs.find(({ queue }) => queue.topic === topic)!
    input.queue.enqueue({
      topic,
      partition,
      baseOffset,
      nextOffset,
      recordCount,
      records: [], // all of them would be kept alive: the cursor brings some at a time
      cursor: () => ({ next: viewsOf(place).next }),
      sizeBytes: buffer.length,
      logStartOffset: 0n,
      leaderEpoch: 0,
      lastStableOffset: nextOffset,
      highWatermark: nextOffset,
    })
  }

  async #apply(generation: Generation): Promise<void> {
    this.#count(generation)
    await this.#engine.commit(unsentBatch(generation, 0))
    for (const sealed of generation.tasks) sealed.task.applied(sealed)
    releaseMemory(generation, { forgetsProduced: true })
  }

  #count({ tasks }: Generation): void {
    for (const { outputs, stores } of tasks) {
      for (const { records } of outputs.partitions) {
        this.counts.outputs += records.recordCount
        records.eachPlace(({ buffer, valueStart, valueEnd }) => {
          const text = buffer.toString('latin1', valueStart, valueEnd)
          if (text.includes('"status":"settled"')) this.statuses.settled += 1
          else if (text.includes('"status":"short"')) this.statuses.short += 1
          else this.statuses.expired += 1
        })
      }
      for (const { rows } of stores) {
        this.counts.changelogRecords += rows.recordCount
        this.counts.changelogBytes += rows.sizeBytes
      }
    }
  }

  #openTask(partition: number, { engine, cachedSlotsMax, memory }: JoinTasksOptions): StreamTask {
    const records = new RecordScope()
    const time = new StreamTime()
    const identity = taskIdentity(workload.plan.subTopologies, `0_${partition}`)
    const start = { offset: 0n }
    const offsets = new Map(inputTopics.map((topic) => [`${topic}-${partition}`, start]))
    const deadLetters = { topic: 'dead', partitions, maxMessageBytes: segmentBytesMax }
    return new StreamTask({
      id: identity.id,
      applicationId: 'bench',
      topology: workload,
      sub: identity.sub,
      partition,
      records,
      time,
      config: resolveConfig({ cachedSlotsMax, maxTaskIdleMs: 0 }),
      globals: new GlobalTables([]),
      inputs: openInputs(identity, topics, offsets),
      metadata: { streamTimeMs: -Infinity, latestNowMs: -Infinity, schedules: {} },
      stores: openStores(identity, {
        engine,
        topics,
        clusterId: 'bench',
        undo: records.undoLog,
        time,
        cachedSlotsMax,
        slotMemory: memory,
        countersOf: () => this.#storeCounters,
        stores: workload.plan.stores,
      }),
      sinks: sinksOf(identity, topics),
      deadLetters: { ...deadLetters, serdes: { key: bytes, value: bytes } },
      refusedInputs: new Map(),
      clock: systemClock,
      counters: this.#taskCounters,
      logger: silentLogger,
    })
  }
}
