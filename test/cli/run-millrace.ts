/**
 * Runs the real command in a child process, as a user would.
 *
 * `millrace` waits for the end; `startMillrace` gives a process to talk to. State directories are
 * temporary and belong to the test.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..', '..')
const main = join(root, 'src', 'cli', 'main.ts')
const compileCache = join(root, 'node_modules', '.cache', 'node')

export interface Ended {
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface Running {
  readonly process: ChildProcess
  readonly ended: Promise<Ended>
  /** Resolves with the match once stderr or stdout has it. */
  waitFor(pattern: RegExp): Promise<RegExpMatchArray>
}

export interface SpawnOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** What comes over a pipe as stdin; a pipe that stays open for `null`; nothing if absent. */
  readonly stdin?: string | Buffer | null
}

export const startMillrace = (args: readonly string[], options: SpawnOptions = {}): Running => {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main, ...args], {
    cwd: options.cwd ?? root,
    env: { NODE_COMPILE_CACHE: compileCache, ...process.env, ...options.env },
    stdio: [options.stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  })
  if (options.stdin !== null) child.stdin?.end(options.stdin)
  let [stdout, stderr] = ['', '']
  const looks = new Set<() => void>()
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    for (const look of looks) look()
  })
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
    for (const look of looks) look()
  })
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (exitCode, signal) => resolve({ exitCode, signal, stdout, stderr }))
  })
  const waitFor = (pattern: RegExp): Promise<RegExpMatchArray> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const match = pattern.exec(stdout) ?? pattern.exec(stderr)
        if (match === null) return
        looks.delete(look)
        resolve(match)
      }
      looks.add(look)
      void ended.then(() => reject(new Error(`ended without ${pattern}: ${stdout}\n${stderr}`)))
      look()
    })
  return { process: child, ended, waitFor }
}

export const millrace = (args: readonly string[], options: SpawnOptions = {}): Promise<Ended> =>
  startMillrace(args, options).ended

export const temporaryDirectory = (): { readonly path: string; remove(): void } => {
  const path = mkdtempSync(join(tmpdir(), 'millrace-cli-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}
