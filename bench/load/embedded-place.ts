/**
 * An embedded broker with RocksDB in a temporary directory, and workloads that run in this process.
 *
 * Settings are those of `bench/engine.ts`. CPU and memory are this process's: broker, engine, and
 * what the benchmark keeps of its inputs.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RocksEngine } from '../../state/rocksdb/rocks-engine.ts'
import { EmbeddedBroker } from '../../src/broker/embedded/embedded-broker.ts'
import { stderrLogger } from '../../src/cli/stderr-logger.ts'
import { Application, systemClock, type Topology } from '../../src/index.ts'
import { workloadMemory } from '../workloads/workload-topologies.ts'
import type { DrainingEngine } from './drained-run.ts'

const brokerEngineBytes = 24 << 20
const commitIntervalMs = 100

export class EmbeddedPlace {
  readonly broker: EmbeddedBroker
  readonly #directory: string
  readonly #brokerEngine: RocksEngine

  private constructor(broker: EmbeddedBroker, directory: string, brokerEngine: RocksEngine) {
    this.broker = broker
    this.#directory = directory
    this.#brokerEngine = brokerEngine
  }

  static async open(): Promise<EmbeddedPlace> {
    const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-embedded-'))
    const engine = await RocksEngine.open(join(directory, 'broker'), {
      memoryBytes: brokerEngineBytes,
      compaction: 'universal',
    })
    const broker = await EmbeddedBroker.open({ engine, clock: systemClock })
    return new EmbeddedPlace(broker, directory, engine)
  }

  /** Runs until its `end` is called, which commits. */
  async start(
    applicationId: string,
    topology: Topology,
  ): Promise<DrainingEngine & { end(): Promise<void> }> {
    const { stateEngineBytes: memoryBytes, slotCacheBytes, cachedSlotsMax } = workloadMemory
    const cpuStart = process.cpuUsage()
    const engine = await RocksEngine.open(join(this.#directory, applicationId), { memoryBytes })
    const application = new Application({
      applicationId,
      topology,
      broker: this.broker,
      engine,
      slotCacheBytes,
      config: { commitIntervalMs, cachedSlotsMax },
      logger: stderrLogger('warn'),
    })
    await application.start()
    let [peakRssBytes, complaint] = [0, '']
    application.stopped.catch((error: unknown) => (complaint = String(error)))
    const meter = setInterval(() => {
      peakRssBytes = Math.max(peakRssBytes, process.memoryUsage.rss())
    }, 100)
    return {
      cpuSec: () => {
        const { user, system } = process.cpuUsage(cpuStart)
        return (user + system) / 1e6
      },
      peakRssBytes: () => peakRssBytes,
      complaint: () => complaint,
      end: async () => {
        clearInterval(meter)
        await application.close()
        await engine.close()
      },
    }
  }

  async close(): Promise<void> {
    await this.broker.close()
    await this.#brokerEngine.close()
    rmSync(this.#directory, { recursive: true, force: true })
  }
}
