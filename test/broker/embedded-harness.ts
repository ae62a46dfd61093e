/**
 * Embedded brokers for the suites: in memory or on a disk, on a manual clock, killed and reopened.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  EmbeddedBroker,
  type EmbeddedBrokerOptions,
} from '../../src/broker/embedded/embedded-broker.ts'
import type { Broker } from '../../src/broker/port.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import type { Engine } from '../../state/engine.ts'
import { MemoryDisk } from '../../state/memory/memory-disk.ts'
import { MemoryEngine } from '../../state/memory/memory-engine.ts'
import type { DiskEngine } from '../../state/made-by.ts'
import type { BrokerHarness } from '../contract/broker/harness.ts'
import { openEngineKind } from '../contract/engine-kinds.ts'

export interface EngineSource {
  open(): Promise<Engine>
  /** Lets go of the engine as a kill would, as far as it can be done within a process. */
  crash(engine: Engine): Promise<void>
  dispose(): void
}

export const memorySource = (disk: MemoryDisk = new MemoryDisk()): EngineSource => ({
  open: async () => MemoryEngine.create(disk),
  crash: async () => disk.crash(),
  dispose: () => {},
})

export const diskSource = (kind: DiskEngine): EngineSource => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-broker-'))
  return {
    open: () => openEngineKind(kind, directory),
    crash: (engine) => engine.close(),
    dispose: () => rmSync(directory, { recursive: true, force: true }),
  }
}

export type EmbeddedOptions = Omit<EmbeddedBrokerOptions, 'engine' | 'clock'>

/** The event loop goes round a few times: markers, journal groups, worker answers. */
export const turns = async (count = 8): Promise<void> => {
  for (let i = 0; i < count; i++) await new Promise<void>((resolve) => setImmediate(resolve))
}

export class EmbeddedHarness implements BrokerHarness {
  readonly clock = new ManualClock()
  readonly #source: EngineSource
  readonly #options: EmbeddedOptions
  #engine: Engine | undefined
  #broker: EmbeddedBroker | undefined
  #names = 0

  private constructor(source: EngineSource, options: EmbeddedOptions) {
    this.#source = source
    this.#options = options
  }

  static async open(source: EngineSource, options: EmbeddedOptions = {}): Promise<EmbeddedHarness> {
    const harness = new EmbeddedHarness(source, { seed: 1, maintenanceIntervalMs: 0, ...options })
    await harness.#start()
    return harness
  }

  get embedded(): EmbeddedBroker {
    return this.#broker!
  }

  async broker(): Promise<Broker> {
    return this.embedded
  }

  uniqueName(prefix: string): string {
    this.#names += 1
    return `${prefix}-${this.#names}`
  }

  /** In steps, with turns of the loop between: what a timer starts may set the next one. */
  async passTime(ms: number): Promise<void> {
    const stepMs = Math.max(1, ms / 10)
    for (let leftMs = ms; leftMs > 0; leftMs -= stepMs) {
      this.clock.advanceBy(Math.min(stepMs, leftMs))
      await turns(2)
    }
  }

  nowMs(): number {
    return this.clock.nowMs()
  }

  async restart(): Promise<void> {
    this.embedded.kill()
    await this.#source.crash(this.#engine!)
    await this.#start()
  }

  maintain(): Promise<void> {
    return this.embedded.maintain({ force: true })
  }

  async dispose(): Promise<void> {
    await this.embedded.close()
    await this.#engine!.close()
    this.#source.dispose()
  }

  async #start(): Promise<void> {
    this.#engine = await this.#source.open()
    const { clock } = this
    this.#broker = await EmbeddedBroker.open({ ...this.#options, clock, engine: this.#engine })
  }
}
