/**
 * How long a record of W1 and W2 takes on Kafka at a steady load, from when it was to be sent to
 * when a reader of committed records has it.
 *
 * Goal: W2 at 5,000 records/s, exactly-once, commit interval 100 ms: p50 ≤ 15 ms, p99 ≤ 50 ms.
 * Method: `bench/engine` in a process of its own, producer and reader in this one. RATE records a
 * second (default 5,000) for SECONDS (20) after WARM_UP_SECONDS (10); a record's time counts from
 * the moment it was due, sent late or not. WORKLOAD is w1, w2 or both (default). KAFKA_BOOTSTRAP
 * names the broker, else one is started. Every record is checked: once, in order, with the right
 * value; if not, nothing is reported and the exit status is 1. CPU and memory are the engine's.
 */

import { type BenchKafka, openBenchKafka } from '../load/bench-kafka.ts'
import { LiveRun } from '../load/live-run.ts'
import { chosen, numberSetting } from '../load/setting.ts'
import { quantile } from '../quantile.ts'
import { report } from '../report.ts'

const ratePerSec = numberSetting('RATE', 5_000)
const seconds = numberSetting('SECONDS', 20)
const warmUpSeconds = numberSetting('WARM_UP_SECONDS', 10)
const workloads = chosen('WORKLOAD', ['w1', 'w2'])

const measure = async (kafka: BenchKafka, workload: 'w1' | 'w2'): Promise<void> => {
  let fromMs = Infinity
  const takenMs: number[] = []
  const run = await LiveRun.open(kafka, {
    workload,
    ratePerSec,
    onAnswer(_partition, dueMs, nowMs) {
      if (dueMs >= fromMs) takenMs.push(nowMs - dueMs)
    },
  })
  try {
    const engine = await run.startEngine('only')
    fromMs = run.startLoad() + warmUpSeconds * 1_000
    await run.pause(warmUpSeconds * 1_000)
    const cpuStartSec = engine.cpuSec()
    await run.pause(seconds * 1_000)
    const cpuSec = engine.cpuSec() - cpuStartSec
    const peakRssBytes = engine.peakRssBytes()
    const records = await run.finish()
    report({
      name: 'macro/latency',
      note: `${workload}, ${ratePerSec} records/s`,
      figures: {
        p50Ms: quantile(takenMs, 0.5),
        p99Ms: quantile(takenMs, 0.99),
        p999Ms: quantile(takenMs, 0.999),
        maxMs: quantile(takenMs, 1),
        measuredRecords: takenMs.length,
        verifiedRecords: records,
        recordsPerSec: ratePerSec,
        cpuSecPerMillion: (cpuSec / (ratePerSec * seconds)) * 1e6,
        peakRssBytes,
      },
    })
  } finally {
    await run.close()
  }
}

const kafka = await openBenchKafka()
try {
  for (const workload of workloads) await measure(kafka, workload)
} finally {
  await kafka.broker.close()
}
