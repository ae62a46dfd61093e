/**
 * Half an hour of steady work on the embedded broker with RocksDB: does anything grow?
 *
 * Goal: memory, file handles, cursors and disk stay where they are, and state stays within 1.1
 * times `--state-memory`. Method: RATE orders a second (default 300) of CUSTOMERS customers
 * (default 30,000) run through `soak-topology.ts`, whose data is bounded by retention, windows and
 * that set, for MINUTES (default 30, at least 1). Every 5 s a sample is taken, and some 60 times in
 * all one of the heap after a full collection. The first quarter of the run, 5 minutes at most, is
 * warm-up: caches fill.
 *
 * Verdict: bounded, if of every figure the median of the last quarter is at most 1.1 times that of
 * the first plus its slack (`soak-sampler.ts`), no sample of the state's memory is above 1.1 times
 * the budget, and at the end no more than 10 s of input wait: a machine too slow for RATE shows
 * nothing. Else the process ends with status 1, and the note names what grew. STATE_MEMORY
 * (default 64MiB) is the budget, small so that it is used up; SAMPLES names a file for all samples.
 */

import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { divideMemory } from '../../state/memory-budget.ts'
import { RocksEngine } from '../../state/rocksdb/rocks-engine.ts'
import { EmbeddedBroker } from '../../src/broker/embedded/embedded-broker.ts'
import { stderrLogger } from '../../src/cli/stderr-logger.ts'
import { parseSizeBytes } from '../../src/config/size.ts'
import { Application, seconds, systemClock } from '../../src/index.ts'
import { report } from '../report.ts'
import { SoakLoad } from './soak-load.ts'
import {
  heapRetainedBytes,
  type SoakFigure,
  type SoakSample,
  slackOf,
  takeSample,
} from './soak-sampler.ts'
import { counts, orders, payments, soakTopology, totals } from './soak-topology.ts'
import { type Trend, trendOf } from './soak-verdict.ts'

const minutes = Number(process.env['MINUTES'] ?? 30)
const ratePerSec = Number(process.env['RATE'] ?? 300)
const customers = Number(process.env['CUSTOMERS'] ?? 30_000)
const budgetBytes = parseSizeBytes(process.env['STATE_MEMORY'] ?? '64MiB')
if (!(minutes >= 1 && ratePerSec > 0 && customers > 0) || budgetBytes === undefined) {
  throw new RangeError(
    'MINUTES is at least 1, RATE and CUSTOMERS are above 0, STATE_MEMORY is such as 64MiB',
  )
}
const [sampleSeconds, partitions] = [5, 4]
const samplesPerCollection = Math.max(1, Math.round(minutes / 5)) // each costs a pause
const warmUpSeconds = Math.min(300, minutes * 15)
const budgetMax = 1.1
const waitingSecondsMax = 10

const memory = divideMemory(budgetBytes, { hasBroker: true })
const directory = mkdtempSync(join(tmpdir(), 'millrace-soak-'))
const [brokerEngine, engine] = [
  await RocksEngine.open(join(directory, 'broker'), {
    memoryBytes: memory.brokerEngineBytes,
    compaction: 'universal',
  }),
  await RocksEngine.open(join(directory, 'state'), { memoryBytes: memory.storeEngineBytes }),
]
const broker = await EmbeddedBroker.open({
  engine: brokerEngine,
  clock: systemClock,
  cacheBytesMax: memory.logCacheBytes,
  maintenanceIntervalMs: seconds(5), // what ends by time ends soon, so that a short run shows it
  dirtyRecordsMin: 2_000,
})
await broker.topics.create(
  [orders, payments, totals, counts].map(({ name }) => ({
    name,
    partitions,
    config: { cleanupPolicy: 'delete', retentionMs: seconds(60) },
  })),
)
const application = new Application({
  applicationId: 'soak',
  topology: soakTopology,
  broker,
  engine,
  slotCacheBytes: memory.slotCacheBytes,
  config: { cachedSlotsMax: 1_000_000 }, // bytes are the bound here
  logger: stderrLogger('warn'),
})
await application.start()
const producer = broker.producer('soak-load')
const load = new SoakLoad({ producer, ratePerSec, customers, partitions })
const fault = Promise.withResolvers<never>()
await load.fill()

const samples: SoakSample[] = []
const retained: number[] = []

const sampleAll = async (): Promise<void> => {
  const parts = { application, broker, engine, directory }
  const end = performance.now() + minutes * 60_000
  for (let taken = 0; performance.now() < end; taken++) {
    await pause(sampleSeconds * 1_000)
    const sample = takeSample(parts)
    const isCollected = taken % samplesPerCollection === 0
    const heapBytes = isCollected ? heapRetainedBytes() : undefined
    const file = process.env['SAMPLES']
    if (file !== undefined) {
      const line = { at: new Date().toISOString(), ...sample, heapRetainedBytes: heapBytes }
      appendFileSync(file, `${JSON.stringify(line)}\n`)
    }
    if (taken * sampleSeconds < warmUpSeconds) continue
    samples.push(sample)
    if (heapBytes !== undefined) retained.push(heapBytes)
  }
}

const trends = (): readonly Trend[] =>
  (Object.keys(slackOf) as SoakFigure[]).map((name) => {
    const slack = slackOf[name]
    if (name === 'heapRetainedBytes') {
      const everySeconds = sampleSeconds * samplesPerCollection
      return trendOf({ name, slack, values: retained }, everySeconds)
    }
    return trendOf({ name, slack, values: samples.map((sample) => sample[name]) }, sampleSeconds)
  })

const startedMs = performance.now()
const filled = load.orders
load.start(fault.reject)
await Promise.race([sampleAll(), application.stopped, fault.promise])
const ranSeconds = (performance.now() - startedMs) / 1_000
const sent = load.orders - filled
await load.stop()
const { counters, commits } = application.metrics()
await application.close()
await broker.close()
await engine.close()
await brokerEngine.close()
rmSync(directory, { recursive: true, force: true })

const found = trends()
const stateMemoryMaxBytes = Math.max(...samples.map(({ stateMemoryBytes }) => stateMemoryBytes))
const unbounded = found.filter(({ isBounded }) => !isBounded).map(({ name }) => name)
if (stateMemoryMaxBytes > budgetMax * budgetBytes) unbounded.push('state memory over its budget')
const { last: waiting } = found.find(({ name }) => name === 'lagRecords')!
if (waiting > waitingSecondsMax * ratePerSec) unbounded.push('input waits: RATE is too high')
const figures: Record<string, number> = {
  minutes,
  samples: samples.length,
  ordersPerSec: sent / ranSeconds,
  recordsProcessed: counters.recordsProcessed,
  deadLetters: counters.deadLetters,
  commits,
  stateMemoryBudgetBytes: budgetBytes,
  stateMemoryMaxBytes,
  bounded: unbounded.length === 0 ? 1 : 0,
}
for (const { name, first, last, perHour } of found) {
  figures[`${name}First`] = first
  figures[`${name}Last`] = last
  figures[`${name}PerHour`] = Math.round(perHour)
}
report({
  name: 'macro/soak',
  note: unbounded.length === 0 ? 'bounded' : `unbounded: ${unbounded.join(', ')}`,
  figures,
})
process.exitCode = unbounded.length === 0 ? 0 : 1
