/**
 * One workload over inputs that are all there: how fast it is through, and whether it is right.
 *
 * 1. The inputs are written before the engine starts. 2. Progress is where the committed outputs
 * end, asked every 50 ms: the clock stops with the last move before everything was found. 3. All
 * outputs are read and checked, after the clock has stopped.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Broker, TopicPartition } from '../../src/broker/port.ts'
import { readCommitted } from '../../src/broker/read-committed.ts'
import { TopicBatches } from './topic-batches.ts'
import type { WorkloadData } from './workload-data.ts'

/** The engine while it runs, and what it has used of the machine. */
export interface DrainingEngine {
  cpuSec(): number
  peakRssBytes(): number
  /** Empty while nothing is wrong. */
  complaint(): string
}

export interface DrainedTopics {
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly partitions: number
}

export interface Drained {
  readonly seconds: number
  readonly recordsPerSec: number
  /** From a quarter of the output to 95 of 100. */
  readonly steadyRecordsPerSec: number
  readonly cpuSecPerMillion: number
  readonly steadyCpuSecPerMillion: number
  readonly peakRssBytes: number
}

interface Sample {
  readonly atMs: number
  readonly cpuSec: number
  /** Sum of the ends of all outputs. */
  readonly end: number
}

const [sliceRecords, sampleMs, quietMs, silenceMaxMs] = [20_000, 50, 2_000, 120_000]
const [steadyFrom, steadyTo] = [0.25, 0.95]

/** Writes all inputs, as fast as they are taken. */
export const fillInputs = async (
  broker: Broker,
  data: WorkloadData,
  { inputs, partitions }: DrainedTopics,
): Promise<void> => {
  const producer = broker.producer('bench-fill')
  const batches = new TopicBatches(inputs, partitions)
  for (const input of data.inputs()) {
    batches.add(input)
    if (batches.count >= sliceRecords) await producer.send(batches.take())
  }
  await producer.send(batches.take())
  await producer.close()
}

/**
 * Starts the engine and waits until its outputs are complete and right.
 *
 * @throws {Error} an output is not right, the engine ended, or nothing came for two minutes
 */
export const drain = async (
  broker: Broker,
  data: WorkloadData,
  topics: DrainedTopics,
  start: () => Promise<DrainingEngine>,
): Promise<Drained> => {
  const outputs = topics.outputs.flatMap((topic) =>
    Array.from({ length: topics.partitions }, (_, partition) => ({ topic, partition })),
  )
  const read = outputs.map(() => 0n)
  const startMs = performance.now()
  const engine = await start()
  const samples: Sample[] = [{ atMs: startMs, cpuSec: 0, end: 0 }]
  for (;;) {
    await sleep(sampleMs)
    const complaint = engine.complaint()
    if (complaint !== '') throw new Error(complaint)
    const last = samples.at(-1)!
    const end = await sumOfEnds(broker, outputs)
    const atMs = performance.now()
    if (end > last.end) {
      samples.push({ atMs, cpuSec: engine.cpuSec(), end })
      continue
    }
    if (atMs - last.atMs > silenceMaxMs) throw new Error(data.missing() || 'nothing more came')
    if (last.end === 0 || atMs - last.atMs < quietMs) continue
    await checkNew(broker, data, outputs, read)
    if (data.missing() === '') return figuresOf(samples, data.records, engine.peakRssBytes())
  }
}

const sumOfEnds = async (broker: Broker, outputs: readonly TopicPartition[]): Promise<number> => {
  const offsets = await Promise.all(outputs.map((output) => broker.topics.offsets(output)))
  return offsets.reduce((sum, { lastStableOffset }) => sum + Number(lastStableOffset), 0)
}

/** Stocks after outcomes or before: partitions are read one after the other, each in its order. */
const checkNew = async (
  broker: Broker,
  data: WorkloadData,
  outputs: readonly TopicPartition[],
  read: bigint[],
): Promise<void> => {
  for (const [index, { topic, partition }] of outputs.entries()) {
    const { lastStableOffset: to } = await broker.topics.offsets({ topic, partition })
    const output = Math.floor((index * data.outputCount) / outputs.length)
    const range = { topic, partition, from: read[index]!, to, waitMs: quietMs }
    for await (const { record } of readCommitted(broker, range)) {
      data.see(output, partition, record)
    }
    read[index] = to
  }
}

const figuresOf = (samples: readonly Sample[], records: number, peakRssBytes: number): Drained => {
  const [first, last] = [samples[0]!, samples.at(-1)!]
  const [from, to] = [at(samples, steadyFrom * last.end), at(samples, steadyTo * last.end)]
  const steadyRecords = ((to.end - from.end) / last.end) * records
  const seconds = (last.atMs - first.atMs) / 1_000
  return {
    seconds,
    recordsPerSec: records / seconds,
    steadyRecordsPerSec: (steadyRecords / (to.atMs - from.atMs)) * 1_000,
    cpuSecPerMillion: (last.cpuSec / records) * 1e6,
    steadyCpuSecPerMillion: ((to.cpuSec - from.cpuSec) / steadyRecords) * 1e6,
    peakRssBytes,
  }
}

/** When so much had come: between two samples as if evenly. */
const at = (samples: readonly Sample[], end: number): Sample => {
  const index = Math.max(
    1,
    samples.findIndex((sample) => sample.end >= end),
  )
  const [before, after] = [samples[index - 1]!, samples[index]!]
  const share = (end - before.end) / (after.end - before.end)
  const between = (from: number, to: number): number => from + share * (to - from)
  const atMs = between(before.atMs, after.atMs)
  return { atMs, cpuSec: between(before.cpuSec, after.cpuSec), end }
}
