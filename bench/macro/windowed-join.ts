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

/**
 * What comes, in order of time; outside of the heap, where the collector would pass it each time.
 *
 * As the harness makes it: 5 % without a payment, 5 % short, 0.5 % twice, 1 to 60 s late.
 */
const madeArrivals = (): Float64Array => {
  const prng = new Prng(4)
  const packed = new Float64Array(3 * orderCount)
  let count = 0
  const add = (isPayment: boolean, afterMs: number, index: number): void => {
    // sorts by time, then orders first; an exact integer below 2^53
    packed[count++] = ((index * orderEveryMs + afterMs) * 2 + Number(isPayment)) * 2 ** 22 + index
  }
  for (let index = 0; index < orderCount; index++) {
    add(false, 0, index)
    if (prng.int(100) < 5) continue
    const paidAfterMs = 1_000 + prng.int(59_000)
    add(true, paidAfterMs, index)
    if (prng.int(1_000) < 5) add(true, paidAfterMs + 1_000 + prng.int(29_000), index)
  }
  return packed.subarray(0, count).sort()
}

const atMsOf = (packed: number): number => startMs + Math.floor(packed / 2 ** 23)

const feed = (packed: number): void => {
  const index = packed % 2 ** 22
  const isPayment = Math.floor(packed / 2 ** 22) % 2 === 1
  const ts = atMsOf(packed)
  const digits = String(index).padStart(8, '0')
  const [orderId, due] = [`o-${digits}`, 100 + ((index * 7_919) % 100_000)]
  if (isPayment) {
    const amount = index % 20 === 7 ? due - 1 - (index % 99) : due
    const payment = { paymentId: `p-${digits}`, orderId, amount, method: 'card', ts }
    return tasks.feed(1, ts, orderId, JSON.stringify(payment))
  }
  const customer = `c-${(index * 31) % 50_000}`
  const order = { orderId, customer, amount: due, items: 1 + (index % 5), ts }
  tasks.feed(0, ts, orderId, JSON.stringify(order))
}

const arrivals = madeArrivals()
const directory = mkdtempSync(join(process.env['STATE_PARENT'] ?? tmpdir(), 'windowed-join-'))
const rocks = await RocksEngine.open(directory, { memoryBytes })
const engine = new CountingEngine(rocks)
const memory = new SlotMemory(256 * 1_048_576)
const tasks = new JoinTasks({ engine, cachedSlotsMax, memory })

const endMs = atMsOf(arrivals.at(-1)!)
const firstMeasured = arrivals.findIndex((packed) => atMsOf(packed) >= endMs - measuredMs)
let threads = threadCpuMicros()
let feedMicros = 0 // making the input is no part of the join
for (let from = 0; from < arrivals.length; from += commitRecords) {
  if (from <= firstMeasured && from + commitRecords > firstMeasured) {
    await tasks.applied()
    engine.reset()
    tasks.reset()
    threads = threadCpuMicros()
    feedMicros = 0
  }
  const before = process.threadCpuUsage()
  arrivals.subarray(from, from + commitRecords).forEach(feed)
  tasks.flush()
  const { user, system } = process.threadCpuUsage(before)
  feedMicros += user + system
  tasks.process()
  await tasks.commit()
}
await tasks.applied()
const cpu = [...threadCpuMicros()].map(([name, micros]) => {
  const own = micros - (threads.get(name) ?? 0)
  return [`${name} CPU µs`, name === 'main' ? own - feedMicros : own] as const
})
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
