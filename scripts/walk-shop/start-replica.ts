/**
 * One `millrace run shop` on Kafka, in Avro, with its own state directory and port.
 *
 * Shipments wait for the walk to move them. The process ends when asked to, or with this one: it
 * sees the channel between them close.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { StateDirectory } from '../../state/directory.ts'

const command = join(import.meta.dirname, '..', '..', 'bin', 'millrace')
const readyMaxMs = 300_000
const stopMaxMs = 30_000
const pollMs = 100

export interface ReplicaOptions {
  readonly stateDir: string
  readonly bootstrap: string
  readonly registryUrl: string | undefined
  readonly signal: AbortSignal
  readonly ends: AsyncDisposableStack
}

export interface Replica {
  readonly address: string
  /** Its id in the group, by which answers name an owner. */
  readonly instanceId: string
}

/** @throws  it ended, or was not ready in time: with what it said */
export const startReplica = async (options: ReplicaOptions): Promise<Replica> => {
  const { stateDir, signal, ends } = options
  const child = spawn(command, argsOf(options), {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    detached: true, // Ctrl-C is for this process: it stops its replicas in its turn
  })
  child.channel?.unref()
  ends.defer(() => stop(child))
  let errors = ''
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (errors += text))
  const endMs = performance.now() + readyMaxMs
  for (;;) {
    const address = StateDirectory.readLock(stateDir)?.address
    if (address !== undefined && (await isReady(address))) {
      const instanceId = readFileSync(join(stateDir, 'instance-id'), 'utf8').trim()
      return { address, instanceId }
    }
    if (hasEnded(child) || performance.now() > endMs) {
      throw new Error(`the replica of ${stateDir} is not ready: ${errors.trim()}`)
    }
    await sleep(pollMs, undefined, { signal })
  }
}

const argsOf = ({ stateDir, bootstrap, registryUrl }: ReplicaOptions): readonly string[] => [
  'run',
  'shop',
  '--bootstrap',
  bootstrap,
  '--serialization',
  'avro',
  ...(registryUrl === undefined ? [] : ['--schema-registry', registryUrl, '--register-schemas']),
  '--record-headers',
  '--carrier-mode',
  'manual',
  '--state-dir',
  stateDir,
  '--port',
  '0',
  // nobody moves what is open when the walk is over
  '--drain',
  '0s',
]

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
