/**
 * What W3 costs per record between fetch and produce, by count and by CPU time, without a broker.
 *
 * Goal: tell where a windowed join's CPU goes, and compare two versions on a machine that others
 * use: counts are exact, CPU time is not wall time. Method: W3's topology as four tasks over one
 * RocksDB; ORDERS orders (default 300,000) 14 ms apart with payments as the peer harness makes
 * them, fed in order of time; a generation each COMMIT_RECORDS records (default 10,000), written
 * while the next is processed. Figures are those of the last 2,700 s of event time, three times a
 * bucket of rows. Outputs are counted by status against what was made.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RocksEngine } from '../../state/rocksdb/rocks-engine.ts'
import { SlotMemory } from '../../state/slot-memory.ts'
import { Prng } from '../../src/index.ts'
import { report } from '../report.ts'
import { threadCpuMicros } from '../thread-cpu.ts'
import { CountingEngine } from './counting-engine.ts'
import { JoinTasks } from './join-tasks.ts'

const orderCount = Number(process.env['ORDERS'] ?? 300_000)
const commitRecords = Number(process.env['COMMIT_RECORDS'] ?? 10_000)
const cachedSlotsMax = Number(process.env['CACHED_SLOTS'] ?? 50_000)
const memoryBytes = 1_048_576 * Number(process.env['STATE_MIB'] ?? 96)
const orderEveryMs = 14
const measuredMs = 2_700_000
const startMs = 1_795_000_000_000

interface Arrival {
  readonly side: 0 | 1
  readonly atMs: number
  readonly index: number
  readonly amount: number
}

/** As the harness: 5 % without a payment, 5 % short, 0.5 % twice, 1 to 60 s late. */
const arrivals = (): readonly Arrival[] => {
  const prng = new Prng(4)
  const all: Arrival[] = []
  for (let index = 0; index < orderCount; index++) {
    const atMs = startMs + index * orderEveryMs
    const amount = 100 + prng.int(100_000)
    all.push({ side: 0, atMs, index, amount })
    if (prng.int(100) < 5) continue
    const paid = prng.int(100) < 5 ? amount - 1 - prng.int(99) : amount
    const paidMs = atMs + 1_000 + prng.int(59_000)
    all.push({ side: 1, atMs: paidMs, index, amount: paid })
    if (prng.int(1_000) >= 5) continue
    all.push({ side: 1, atMs: paidMs + 1_000 + prng.int(29_000), index, amount: paid })
  }
  return all.sort((a, b) => a.atMs - b.atMs || a.side - b.side)
}

const textOf = ({ side, atMs, index, amount }: Arrival): readonly [key: string, value: string] => {
  const digits = String(index).padStart(8, '0')
  const [orderId, items] = [`o-${digits}`, 1 + (index % 5)]
  const customer = `c-${(index * 31) % 50_000}`
  const value =
    side === 0
      ? { orderId, customer, amount, items, ts: atMs }
      : { paymentId: `p-${digits}`, orderId, amount, method: 'card', ts: atMs }
  return [orderId, JSON.stringify(value)]
}

const all = arrivals()
const directory = mkdtempSync(join(process.env['STATE_PARENT'] ?? tmpdir(), 'windowed-join-'))
const rocks = await RocksEngine.open(directory, { memoryBytes })
const engine = new CountingEngine(rocks)
const memory = new SlotMemory(256 * 1_048_576)
const tasks = new JoinTasks({ engine, cachedSlotsMax, memory })

const endMs = all.at(-1)!.atMs
const firstMeasured = all.findIndex(({ atMs }) => atMs >= endMs - measuredMs)
let threads = threadCpuMicros()
for (let from = 0; from < all.length; from += commitRecords) {
  const slice = all.slice(from, from + commitRecords)
  if (from <= firstMeasured && from + commitRecords > firstMeasured) {
    await tasks.applied()
    engine.reset()
    tasks.reset()
    threads = threadCpuMicros()
  }
  for (const arrival of slice) tasks.feed(arrival.side, arrival.atMs, ...textOf(arrival))
  tasks.flush()
  tasks.process()
  await tasks.commit()
}
await tasks.applied()
const cpu = [...threadCpuMicros()].map(
  ([name, us]) => [`${name} CPU µs`, us - (threads.get(name) ?? 0)] as const,
)
const records = tasks.recordsProcessed
const per = (count: number): number => Number((count / records).toFixed(4))
report({
  name: 'macro/windowed-join',
  note: `generations of ${commitRecords} records; counts and CPU µs are per record`,
  figures: {
    records,
    cpuUs: per(cpu.reduce((sum, [, us]) => sum + us, 0)),
    ...Object.fromEntries(cpu.map(([name, us]) => [name, per(us)])),
    ...Object.fromEntries(
      Object.entries({ ...engine.counts, ...tasks.slotCounts, ...tasks.counts }).map(
        ([name, count]) => [name, per(count)],
      ),
    ),
    ...tasks.statuses,
  },
})
await rocks.close()
rmSync(directory, { recursive: true })
