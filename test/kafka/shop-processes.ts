/**
 * Processes of the command line in a directory of one test, and how they ended.
 *
 * `end` leaves no process and no file behind.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const main = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts')

export interface Outcome {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

export class ShopProcesses {
  readonly directory = mkdtempSync(join(tmpdir(), 'millrace-shop-'))
  readonly #children: ChildProcess[] = []

  millrace(...args: readonly string[]): ChildProcess {
    const child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', main, ...args],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    )
    this.#children.push(child)
    return child
  }

  async end(): Promise<void> {
    await Promise.all(this.#children.map(kill))
    rmSync(this.directory, { recursive: true, force: true })
  }
}

/** Reads both outputs, so it must be called for each child: a full pipe would stop it. */
export const outcome = async (child: ChildProcess): Promise<Outcome> => {
  let [stdout, stderr] = ['', '']
  child.stdout!.on('data', (chunk) => (stdout += String(chunk)))
  child.stderr!.on('data', (chunk) => (stderr += String(chunk)))
  const [status] = await once(child, 'close')
  return { status: status as number | null, stdout, stderr }
}

export const kill = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}
