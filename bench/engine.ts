/**
 * One workload of the peer benchmark on Kafka, as its contract asks: settings by environment, runs
 * until it is killed; SIGTERM commits and leaves the group.
 *
 * Started by `bench/engine`. 1. The workloads are ordinary topologies on the public API; only
 * settings a user has are used here. 2. GUARANTEE=alos runs exactly-once too: there is no weaker
 * mode. THREADS is ignored: more cores are more replicas. 3. Without TUNED the runtime's defaults
 * hold, but for the cache: CACHE_BYTES=0 forbids to merge updates, which this cache never does.
 * The other bounds of memory are in `workload-topologies.ts`. 4. ENGINE_METRICS=1 prints the
 * metrics at the end, ENGINE_METRICS_MS each so many ms.
 */

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { RocksEngine } from '../state/rocksdb/rocks-engine.ts'
import { KafkaBroker } from '../src/broker/kafka/kafka-broker.ts'
import { instanceIdOf } from '../src/cli/instance-id.ts'
import { stderrLogger } from '../src/cli/stderr-logger.ts'
import { Application, type RuntimeConfig } from '../src/index.ts'
import { workloadMemory, workloadTopologies } from './workloads/workload-topologies.ts'

const setting = (name: string): string => {
  const value = process.env[name]
  if (value !== undefined) return value
  throw new Error(`${name} is not set; see the engine contract of the peer benchmark`)
}

/** No larger fetches, buffers above 1 MiB are not used again; larger commits cost memory only. */
const tuning: Partial<RuntimeConfig> = { commitRecordsMax: 108_000, bufferedRecordsMax: 24_000 }

const configOf = (): Partial<RuntimeConfig> => {
  const session = process.env['SESSION_MS']
  const sessionTimeoutMs = Number(session)
  return {
    commitIntervalMs: Number(setting('COMMIT_MS')),
    cachedSlotsMax: workloadMemory.cachedSlotsMax,
    ...(process.env['TUNED'] === '1' ? tuning : {}),
    ...(session === undefined || session === ''
      ? {}
      : {
          sessionTimeoutMs,
          heartbeatIntervalMs: Math.min(3_000, Math.floor(sessionTimeoutMs / 10)),
        }),
  }
}

const workload = workloadTopologies[setting('WORKLOAD')]
if (workload === undefined) {
  throw new Error(
    `workload ${setting('WORKLOAD')} is not there; there are `
      + Object.keys(workloadTopologies).join(', '),
  )
}
const stateDir = setting('STATE_DIR')
mkdirSync(stateDir, { recursive: true })
const broker = await KafkaBroker.open({ bootstrap: setting('BOOTSTRAP') })
const engine = await RocksEngine.open(join(stateDir, 'state'), {
  memoryBytes: workloadMemory.stateEngineBytes,
})
const application = new Application({
  applicationId: setting('APP_ID'),
  instanceId: instanceIdOf(stateDir),
  topology: workload(setting('INPUT').split(','), setting('OUTPUT').split(',')),
  broker,
  engine,
  slotCacheBytes: workloadMemory.slotCacheBytes,
  config: configOf(),
  logger: stderrLogger('warn'),
})
process.on('SIGTERM', () => void application.close())
await application.start()
console.log(`${Date.now()} RUNNING`)
const metricsMs = Number(process.env['ENGINE_METRICS_MS'] ?? 0)
const tellMetrics = (): void => console.log(JSON.stringify(application.metrics()))
if (metricsMs > 0) setInterval(tellMetrics, metricsMs).unref()
await application.stopped
if (process.env['ENGINE_METRICS'] === '1') tellMetrics()
await broker.close()
await engine.close()
