/**
 * The worker processes of one fault test: started, killed, stopped, let go on, asked.
 *
 * 1. A worker is known by its name; started again under it, it has the state directory and the
 * transactional id of before. 2. `end` leaves no process and no file behind. 3. What workers warn
 * of and why they failed is kept, for tests to look at and for messages.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { RuntimeConfig } from '../../../src/runtime-config.ts'
import { until } from './until.ts'
import type { Dump, FromWorker, ToWorker, WorkerOptions } from './worker-messages.ts'

const script = fileURLToPath(new URL('./worker.ts', import.meta.url))

export interface FleetOptions extends Pick<
  WorkerOptions,
  'name' | 'bootstrap' | 'requestTimeoutMs' | 'retryTimeoutMs'
> {
  /** Between two reports of the punctuator, in ms; default 100. */
  readonly reportEveryMs?: number
  readonly config?: Partial<RuntimeConfig>
}

const quickConfig = {
  commitIntervalMs: 30,
  commitMinIntervalMs: 5,
  fetchMaxWaitMs: 100,
  sessionTimeoutMs: 1_000,
  heartbeatIntervalMs: 100,
  transactionTimeoutMs: 2_000,
} as const

export class Worker {
  readonly name: string
  readonly warnings: { readonly message: string; readonly code: string; readonly text: string }[] =
    []
  readonly #child: ChildProcess
  readonly #exited: Promise<unknown>
  #state = 'created'
  #failed: { readonly code: string; readonly message: string } | undefined
  #dump: Dump | undefined
  #stderr = ''

  constructor(options: WorkerOptions) {
    this.name = options.clientId
    this.#child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', script, JSON.stringify(options)],
      { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] },
    )
    this.#exited = once(this.#child, 'exit')
    this.#child.stderr!.on('data', (chunk) => (this.#stderr += String(chunk)))
    this.#child.on('message', (message) => this.#heard(message as FromWorker))
  }

  get state(): string {
    return this.isAlive ? this.#state : 'gone'
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** Why it gave up. */
  get failed(): { readonly code: string; readonly message: string } | undefined {
    return this.#failed
  }

  async running(): Promise<void> {
    const isRunning = (): boolean => {
      if (!this.isAlive || this.#failed !== undefined) throw new Error(this.toString())
      return this.#state === 'running'
    }
    await until(`worker ${this.name} runs`, isRunning, { because: () => this.toString() })
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#exited
  }

  freeze(): void {
    this.#child.kill('SIGSTOP')
  }

  thaw(): void {
    this.#child.kill('SIGCONT')
  }

  async gone(): Promise<void> {
    await until(`worker ${this.name} ends`, () => !this.isAlive)
  }

  /** Clean end. */
  async close(): Promise<void> {
    this.#tell('close')
    await this.gone()
    if (this.#child.exitCode !== 0) throw new Error(this.toString())
  }

  /** Everything in its store now, or when it ended cleanly; undefined if it was killed. */
  async dump(): Promise<Dump | undefined> {
    if (!this.isAlive) return this.#child.exitCode === null ? undefined : this.#dump
    this.#dump = undefined
    this.#tell('dump')
    await until(`worker ${this.name} dumps its store`, () => this.#dump !== undefined)
    return this.#dump
  }

  /** What it told when it ended by itself. */
  get lastDump(): Dump | undefined {
    return this.#dump
  }

  toString(): string {
    const last = this.warnings.slice(-3).map(({ message, text }) => `${message}: ${text}`)
    const reason = this.#failed === undefined ? '' : `, ${this.#failed.message}`
    return `worker ${this.name} is ${this.state}${reason}; ${last.join('; ')}${this.#stderr}`
  }

  #tell(message: ToWorker): void {
    this.#child.send(message)
  }

  #heard(message: FromWorker): void {
    if (message.kind === 'state') this.#state = message.state
    else if (message.kind === 'warning') this.warnings.push(message)
    else if (message.kind === 'dump') this.#dump = message.rows
    else this.#failed = message
  }
}

export class Fleet {
  readonly #options: FleetOptions
  readonly #directory = mkdtempSync(join(tmpdir(), 'millrace-faults-'))
  readonly #workers = new Map<string, Worker>()
  readonly #past: Worker[] = []

  constructor(options: FleetOptions) {
    this.#options = options
  }

  get alive(): readonly Worker[] {
    return [...this.#workers.values()].filter(({ isAlive }) => isAlive)
  }

  /** The store of each worker, by name. */
  async dumps(): Promise<readonly { readonly worker: string; readonly dump: Dump }[]> {
    const found = await Promise.all(
      [...this.#workers].map(async ([worker, started]) => ({ worker, dump: await started.dump() })),
    )
    return found.flatMap(({ worker, dump }) => (dump === undefined ? [] : [{ worker, dump }]))
  }

  /** Of all workers that ever were. */
  get warnings(): readonly string[] {
    const all = [...this.#past, ...this.#workers.values()]
    return all.flatMap(({ warnings }) => warnings.map(({ code, text }) => `${code} ${text}`))
  }

  start(worker: string, config: Partial<RuntimeConfig> = {}): Worker {
    const { reportEveryMs = 100, config: ofAll, ...rest } = this.#options
    const before = this.#workers.get(worker)
    if (before !== undefined) this.#past.push(before)
    const started = new Worker({
      ...rest,
      reportEveryMs,
      instanceId: worker,
      clientId: worker,
      stateDir: this.#stateDir(worker),
      config: { ...quickConfig, ...ofAll, ...config },
    })
    this.#workers.set(worker, started)
    return started
  }

  /** Its disk is lost; it must not run. */
  wipe(worker: string): void {
    rmSync(this.#stateDir(worker), { recursive: true, force: true })
  }

  /** A second disk with the same rows; the first must not run. */
  copy(worker: string, name: string): void {
    cpSync(this.#stateDir(worker), this.#stateDir(name), { recursive: true })
  }

  /** Its disk is of no interest any more. */
  forget(worker: string): void {
    this.#past.push(this.#workers.get(worker)!)
    this.#workers.delete(worker)
  }

  async end(): Promise<void> {
    await Promise.all(this.alive.map((worker) => worker.kill()))
    rmSync(this.#directory, { recursive: true, force: true })
  }

  #stateDir(worker: string): string {
    return join(this.#directory, worker)
  }
}
