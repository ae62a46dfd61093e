/**
 * `bench/engine` in a process of its own, by the engine contract of the peer benchmark, and what
 * it uses of the machine.
 *
 * CPU and memory are read from Linux' /proc, NaN elsewhere. Whoever starts one ends it: it runs
 * until it is told.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { RuntimeMetrics } from '../../src/index.ts'

export interface EngineOptions {
  readonly bootstrap: string
  readonly applicationId: string
  readonly workload: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  /** Made if it is not there; the same again is the same instance, with its state. */
  readonly stateDir: string
  readonly sessionTimeoutMs?: number
  /** It tells its metrics all the time; default false. */
  readonly tellsMetrics?: boolean
}

const command = join(import.meta.dirname, '..', 'engine')
const ticksPerSec = 100 // USER_HZ, the same on every Linux
const commitIntervalMs = 100
const metricsMs = 250

export class EngineProcess {
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>
  #errors = ''
  #recordsProcessed = 0

  private constructor(child: ChildProcess) {
    this.#child = child
    this.#ended = once(child, 'exit')
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (this.#errors += text))
  }

  /**
   * Resolves when it says that it runs; it may wait for its tasks still.
   *
   * @throws {Error} it ended before: the message has what it said
   */
  static async start(options: EngineOptions): Promise<EngineProcess> {
    mkdirSync(options.stateDir, { recursive: true })
    const child = spawn(command, [], {
      env: { ...process.env, ...contract(options) },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const engine = new EngineProcess(child)
    const running = new Promise<boolean>((resolve) => {
      createInterface(child.stdout!).on('line', (line) => {
        if (line.endsWith(' RUNNING')) resolve(true)
        else if (line.startsWith('{')) engine.#noteMetrics(line)
      })
    })
    const isRunning = await Promise.race([running, engine.#ended.then(() => false)])
    if (!isRunning) throw new Error(`bench/engine ended at its start: ${engine.#errors.trim()}`)
    return engine
  }

  /** Of all its threads until now, in seconds. */
  cpuSec(): number {
    const stat = this.#proc('stat')
    // the name, in brackets, may hold blanks
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSec
  }

  /** As it told last, where it `tellsMetrics`; 0 until then. */
  recordsProcessed(): number {
    return this.#recordsProcessed
  }

  /** The largest its resident memory was. */
  peakRssBytes(): number {
    return Number(/^VmHWM:\s*(\d+) kB$/m.exec(this.#proc('status'))?.[1]) * 1_024
  }

  /** SIGTERM commits and leaves the group, SIGKILL is a crash; resolves when it is gone. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    this.#child.kill(signal)
    await this.#ended
  }

  /** Empty if it ended as it was told; what it said last otherwise. */
  complaint(): string {
    const { exitCode, signalCode } = this.#child
    if (signalCode === 'SIGKILL' || exitCode === 0 || (exitCode === null && !signalCode)) return ''
    return `bench/engine ended with ${exitCode ?? signalCode}: ${this.#errors.trim().slice(-500)}`
  }

  #noteMetrics(line: string): void {
    const { counters } = JSON.parse(line) as Pick<RuntimeMetrics, 'counters'>
    this.#recordsProcessed = counters.recordsProcessed
  }

  #proc(file: string): string {
    try {
      return readFileSync(`/proc/${this.#child.pid}/${file}`, 'utf8')
    } catch {
      return ''
    }
  }
}

const contract = (options: EngineOptions): Readonly<Record<string, string>> => ({
  BOOTSTRAP: options.bootstrap,
  APP_ID: options.applicationId,
  WORKLOAD: options.workload,
  GUARANTEE: 'eos',
  COMMIT_MS: String(commitIntervalMs),
  INPUT: options.inputs.join(','),
  OUTPUT: options.outputs.join(','),
  STATE_DIR: options.stateDir,
  CACHE_BYTES: '0',
  THREADS: '1',
  TUNED: process.env['TUNED'] ?? '0',
  ...(options.tellsMetrics ? { ENGINE_METRICS_MS: String(metricsMs) } : {}),
  ...(options.sessionTimeoutMs === undefined
    ? {}
    : { SESSION_MS: String(options.sessionTimeoutMs) }),
})
