/**
 * One record's way through the runtime and a memory store: queue, decode, scope, count, seal.
 *
 * Goal: ≤ 4 µs per record. Method: a task of `stream → aggregate`, 100,000 keys, records fed in
 * batches of 1,000, a commit each 10,000; warm-up of one pass, then five passes, median.
 */

import { MemoryDisk } from '../../state/memory/memory-disk.ts'
import { MemoryEngine } from '../../state/memory/memory-engine.ts'
import { RawRecord } from '../../src/broker/port.ts'
import { systemClock } from '../../src/clock.ts'
import { aggregate, json, keyValueStore, stream, topic, topology, utf8 } from '../../src/index.ts'
import { silentLogger } from '../../src/logger.ts'
import { noHeaders } from '../../src/record.ts'
import { resolveConfig } from '../../src/runtime-config.ts'
import { sealGeneration } from '../../src/runtime/generation.ts'
import { openStores, taskIdentity } from '../../src/runtime/open-task.ts'
import { bytes } from '../../src/serde/bytes.ts'
import { InputProgress } from '../../src/task/input-progress.ts'
import { RecordQueue } from '../../src/task/record-queue.ts'
import { GlobalTables } from '../../src/stores/global-rows.ts'
import { RecordScope } from '../../src/task/record-scope.ts'
import { StreamTask } from '../../src/task/stream-task.ts'
import { TaskCounters } from '../../src/task/task-counters.ts'
import { DriverTopics } from '../../src/testing/driver-topics.ts'
import { unsentBatch } from '../../src/testing/unsent-batch.ts'
import { report } from '../report.ts'
import { StreamTime } from '../../src/stores/stream-time.ts'

const keys = 100_000
const recordsPerPass = 400_000
const clicks = topic('clicks', { key: utf8, value: json<number>() })
const counts = keyValueStore('counts', { key: utf8, value: json<number>() })
const counting = topology('counting', () => [
  stream(clicks).pipe(
    aggregate(
      counts,
      () => 0,
      (count) => count + 1,
    ),
  ),
])
const topics = new DriverTopics(counting, 1)

const disk = new MemoryDisk()
const engine = MemoryEngine.create(disk)
const queue = new RecordQueue('clicks', 0, 0n)
const records = new RecordScope()
const config = resolveConfig({ cachedSlotsMax: 2 * keys })
const { sub } = taskIdentity(counting.plan.subTopologies, '0_0')
const source = { logicalName: 'clicks', serdes: clicks, acceptsNull: false }
const time = new StreamTime()
const task = new StreamTask({
  id: '0_0',
  applicationId: 'bench',
  topology: counting,
  sub,
  partition: 0,
  records,
  config,
  globals: new GlobalTables([]),
  inputs: [{ queue, source, progress: new InputProgress() }],
  time,
  metadata: { streamTimeMs: -Infinity, latestNowMs: -Infinity, schedules: {} },
  stores: openStores(
    { id: '0_0', sub, partition: 0 },
    {
      engine,
      topics,
      clusterId: 'bench',
      undo: records.undoLog,
      time,
      cachedSlotsMax: config.cachedSlotsMax,
      stores: counting.plan.stores,
    },
  ),
  sinks: new Map(),
  deadLetters: {
    topic: 'dead',
    partitions: 1,
    maxMessageBytes: 1_000_000,
    serdes: { key: bytes, value: bytes },
  },
  refusedInputs: new Map(),
  clock: systemClock,
  counters: new TaskCounters(),
  logger: silentLogger,
})

let offset = 0n
const feed = (count: number): void => {
  const batch: RawRecord[] = []
  for (let i = 0; i < count; i++) {
    const key = Buffer.from(`key-${(Math.imul(Number(offset) + i, 2654435761) >>> 0) % keys}`)
    batch.push(new RawRecord(i, 1_000, key, Buffer.from('1'), noHeaders))
  }
  queue.enqueue({
    topic: 'clicks',
    partition: 0,
    baseOffset: offset,
    records: batch,
    sizeBytes: 0,
    nextOffset: offset + BigInt(count),
    logStartOffset: 0n,
    leaderEpoch: 0,
    lastStableOffset: offset + BigInt(count),
    highWatermark: offset + BigInt(count),
  })
  offset += BigInt(count)
}

const commit = (): void => {
  const generation = sealGeneration([task], 0)!
  disk.apply(unsentBatch(generation, 0).finish())
  for (const { head, slots } of generation.tasks[0]!.stores) {
    head.moved()
    slots.applied()
  }
}

const pass = (): { processMs: number; commitMs: number } => {
  let [processMs, commitMs] = [0, 0]
  for (let done = 0; done < recordsPerPass; done += 1_000) {
    feed(1_000)
    const startedMs = performance.now()
    const nowMs = Date.now()
    while (task.processNext(nowMs)) {
      /* until the queue is empty */
    }
    processMs += performance.now() - startedMs
    if ((done + 1_000) % 10_000 !== 0) continue
    const commitStartedMs = performance.now()
    commit()
    commitMs += performance.now() - commitStartedMs
  }
  return { processMs, commitMs }
}

pass()
const passes = Array.from({ length: 5 }, pass)
const median = (values: number[]): number => values.sort((a, b) => a - b)[2]!
const processUs = (median(passes.map(({ processMs }) => processMs)) * 1_000) / recordsPerPass
const commitUs = (median(passes.map(({ commitMs }) => commitMs)) * 1_000) / recordsPerPass
report({
  name: 'micro/runtime-record',
  figures: {
    processMicrosPerRecord: processUs,
    commitMicrosPerRecord: commitUs,
    totalMicrosPerRecord: processUs + commitUs,
  },
})
