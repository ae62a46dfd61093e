/**
 * How long partitions stand still on Kafka when a second instance starts, stops or is killed.
 *
 * Goal: clean stop ≤ 0.5 s, kill -9 ≤ 1.5 s with a session of 6 s. Method: W2 under RATE records/s
 * (default 2,000), one instance alone, then a second one, started and ended by SIGTERM, then a
 * third one, started and killed: another, since the members of a group remove a dead instance at
 * once only once a minute. Of each stretch the longest time in which a reader of committed records
 * got nothing from a partition; `steadyGapMs` is one instance alone, undisturbed. A stretch lasts
 * SECONDS (default 15) after the event, or, for the start, from before the process until it has
 * had work for 5 s. SESSION_MS is the session time-out (6,000). KAFKA_BOOTSTRAP names the broker,
 * else one is started. Every record is checked: once, in order, with the right value; else nothing
 * is reported and the exit status is 1.
 */

import { openBenchKafka } from '../load/bench-kafka.ts'
import type { EngineProcess } from '../load/engine-process.ts'
import { GapMeter } from '../load/gap-meter.ts'
import { livePartitions, LiveRun } from '../load/live-run.ts'
import { preciseNowMs } from '../load/paced-load.ts'
import { numberSetting } from '../load/setting.ts'
import { report } from '../report.ts'

const ratePerSec = numberSetting('RATE', 2_000)
const stretchMs = numberSetting('SECONDS', 15) * 1_000
const warmUpMs = numberSetting('WARM_UP_SECONDS', 10) * 1_000
const sessionTimeoutMs = numberSetting('SESSION_MS', 6_000)
const [settleMs, worksMaxMs] = [5_000, 60_000]

const gaps = new GapMeter(livePartitions, preciseNowMs())
const figures: Record<string, number> = {}

/** Ends the stretch of that name: its longest gap, and that of each partition. */
const note = (name: string): void => {
  const longestMs = gaps.take(preciseNowMs())
  figures[`${name}GapMs`] = Math.max(...longestMs)
  for (const [partition, ms] of longestMs.entries()) figures[`${name}GapMs:${partition}`] = ms
}

/** Another instance, once it has done a share of the work for a while. */
const startAnother = async (run: LiveRun, name: string): Promise<EngineProcess> => {
  const engine = await run.startEngine(name)
  const endMs = performance.now() + worksMaxMs
  while (engine.recordsProcessed() === 0) {
    if (performance.now() > endMs) throw new Error(`the ${name} instance got nothing to do`)
    await run.pause(100)
  }
  await run.pause(settleMs)
  return engine
}

const measure = async (run: LiveRun): Promise<number> => {
  await run.startEngine('first')
  run.startLoad()
  await run.pause(warmUpMs)
  gaps.take(preciseNowMs())
  await run.pause(stretchMs)
  note('steady')
  const stopped = await startAnother(run, 'second')
  note('started')
  await stopped.end('SIGTERM')
  await run.pause(stretchMs)
  note('stopped')
  const killed = await startAnother(run, 'third')
  gaps.take(preciseNowMs())
  await killed.end('SIGKILL')
  await run.pause(stretchMs)
  note('killed')
  return await run.finish()
}

const kafka = await openBenchKafka()
const run = await LiveRun.open(kafka, {
  workload: 'w2',
  ratePerSec,
  sessionTimeoutMs,
  tellsMetrics: true,
  onAnswer: (partition, _dueMs, nowMs) => gaps.seen(partition, nowMs),
})
try {
  const verifiedRecords = await measure(run)
  report({
    name: 'macro/rebalance-pause',
    note: `w2, ${ratePerSec} records/s, session ${sessionTimeoutMs} ms`,
    figures: { ...figures, verifiedRecords },
  })
} finally {
  await run.close()
  await kafka.broker.close()
}
