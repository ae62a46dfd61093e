/**
 * The restore of a lost disk: rows per second from the changelogs of four tasks into RocksDB.
 *
 * Goal: ≥ 700,000 rows/s. Method: the topology of W2R keeps ROWS rows (default 1,000,000 of 100
 * bytes, in random order of their keys, each written TIMES times) on the embedded broker; then it
 * is started with an empty directory. The clock runs while the application says that it restores,
 * asked every 2 ms; `startSec` is all of the start. The state engine has STATE_MIB of memory.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RocksEngine } from '../../state/rocksdb/rocks-engine.ts'
import { EmbeddedBroker } from '../../src/broker/embedded/embedded-broker.ts'
import { partitionOf } from '../../src/broker/partitioner.ts'
import type { ProduceRecord } from '../../src/broker/port.ts'
import { Application, Prng, systemClock } from '../../src/index.ts'
import { noHeaders } from '../../src/record.ts'
import { report } from '../report.ts'
import { w2r } from '../workloads/w2r.ts'

const rows = Number(process.env['ROWS'] ?? 1_000_000)
const times = Number(process.env['TIMES'] ?? 1)
const stateBytes = Number(process.env['STATE_MIB'] ?? 96) << 20
const [partitions, sliceRows] = [4, 20_000]

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms)
  })

const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
const brokerEngine = await RocksEngine.open(join(directory, 'broker'), {
  memoryBytes: 24 << 20,
  compaction: 'universal',
})
const broker = await EmbeddedBroker.open({ engine: brokerEngine, clock: systemClock })
const config = { cleanupPolicy: 'delete' } as const
const topics = ['values', 'copies'].map((name) => ({ name, partitions, config }))
await broker.topics.create(topics)

const launch = async (state: string): Promise<{ stop(): Promise<void>; app: Application }> => {
  const engine = await RocksEngine.open(join(directory, state), { memoryBytes: stateBytes })
  const app = new Application({
    applicationId: 'restore',
    broker,
    engine,
    topology: w2r(['values'], ['copies']),
  })
  const stop = async (): Promise<void> => {
    await app.close()
    await engine.close()
  }
  return { stop, app }
}

/** Keys of all rows, in an order that has nothing to do with theirs. */
const keys = Uint32Array.from({ length: rows }, (_, i) => i)
const prng = new Prng(1)
for (let i = rows - 1; i > 0; i--) {
  const other = prng.int(i + 1)
  const swapped = keys[i]!
  keys[i] = keys[other]!
  keys[other] = swapped
}
const value = new Uint8Array(100).fill(120)
const producer = broker.producer('bench')
const fill = async (): Promise<void> => {
  for (let from = 0; from < rows; from += sliceRows) {
    const batches: ProduceRecord[][] = Array.from({ length: partitions }, () => [])
    const timestampMs = Date.now()
    for (const index of keys.subarray(from, from + sliceRows)) {
      const key = Buffer.from(`user-${String(index).padStart(8, '0')}`)
      batches[partitionOf(key, partitions)]!.push({ key, value, timestampMs, headers: noHeaders })
    }
    await producer.send(
      batches.map((records, partition) => ({ topic: 'values', partition, records })),
    )
  }
}

const first = await launch('first')
await first.app.start()
for (let i = 0; i < times; i++) await fill()
while (first.app.lagRecords() !== 0) await pause(20)
await pause(300)
await first.stop()

const second = await launch('second')
let [peakRssBytes, beganMs, endedMs] = [0, NaN, NaN]
const meter = setInterval(() => {
  peakRssBytes = Math.max(peakRssBytes, process.memoryUsage.rss())
  if (!second.app.metrics().restore.isRunning) return
  endedMs = performance.now()
  if (Number.isNaN(beganMs)) beganMs = endedMs
}, 2)
const [cpuStart, mainStart] = [process.cpuUsage(), process.threadCpuUsage()]
const startedMs = performance.now()
await second.app.start()
const startMs = performance.now() - startedMs
const { restore } = second.app.metrics()
const cpu = process.cpuUsage(cpuStart)
const main = process.threadCpuUsage(mainStart)
clearInterval(meter)
await second.stop()
await broker.close()
await brokerEngine.close()
rmSync(directory, { recursive: true, force: true })
report({
  name: 'macro/restore',
  figures: {
    rows,
    records: restore.recordsRestored,
    recordsPerSec: (restore.recordsRestored / (endedMs - beganMs)) * 1_000,
    restoreSec: (endedMs - beganMs) / 1_000,
    startSec: startMs / 1_000,
    cpuSecPerMillion: (cpu.user + cpu.system) / restore.recordsRestored,
    mainThreadSecPerMillion: (main.user + main.system) / restore.recordsRestored,
    peakRssBytes,
  },
})
