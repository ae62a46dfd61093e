/**
 * One `millrace run shop` in Avro, with its own state directory and port.
 *
 * Used for the replicas, and for one on the embedded broker whose built-in registry is wanted. The
 * process ends when asked to, or with this one: it sees the channel between them close.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { StateDirectory } from '../../state/directory.ts'

const command = join(import.meta.dirname, '..', '..', 'bin', 'millrace')
const readyMaxMs = 300_000
const stopMaxMs = 30_000
const pollMs = 100

export interface ShopOptions {
  readonly stateDir: string
  /** Beyond those every such shop has. */
  readonly flags: readonly string[]
  readonly signal: AbortSignal
  readonly ends: AsyncDisposableStack
}

export interface RunningShop {
  readonly address: string
  /** Its id in the group, by which answers name an owner; none on the embedded broker. */
  readonly instanceId: string | undefined
  /** Ends it before the walk is over. */
  stop(): Promise<void>
}

/** @throws  it ended, or was not ready in time: with what it said */
export const startShop = async (options: ShopOptions): Promise<RunningShop> => {
  const { stateDir, flags, signal, ends } = options
  const args = ['run', 'shop', '--state-dir', stateDir, ...common, ...flags]
  const child = spawn(command, args, {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: { MILLRACE_MASTER_KEY: walkKey, ...process.env },
    detached: true, // Ctrl-C is for this process: it stops its shops in its turn
  })
  child.channel?.unref()
  ends.defer(() => stop(child))
  let errors = ''
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (errors += text))
  const endMs = performance.now() + readyMaxMs
  for (;;) {
    const address = StateDirectory.readLock(stateDir)?.address
    if (address !== undefined && (await isReady(address))) {
      return { address, instanceId: instanceIdOf(stateDir), stop: () => stop(child) }
    }
    if (hasEnded(child) || performance.now() > endMs) {
      throw new Error(`the shop of ${stateDir} is not ready: ${errors.trim()}`)
    }
    await sleep(pollMs, undefined, { signal })
  }
}

/** The same for all replicas, and for every walk over one Kafka: it guards nothing real. */
const walkKey = Buffer.alloc(32, 'walk').toString('base64')

/** Nobody moves what is open when the walk is over, so it is not waited for. */
const common = ['--serialization', 'avro', '--port', '0', '--drain', '0s']

const instanceIdOf = (stateDir: string): string | undefined => {
  const path = join(stateDir, 'instance-id')
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined
}

const isReady = async (address: string): Promise<boolean> => {
  try {
    return (await fetch(`${address}/health/ready`)).ok
  } catch {
    return false // it does not listen yet
  }
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean =>
  exitCode !== null || signalCode !== null

const stop = async (child: ChildProcess): Promise<void> => {
  if (hasEnded(child)) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), stopMaxMs)
  await ended
  clearTimeout(timer)
}
