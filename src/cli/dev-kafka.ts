/**
 * The Kafka of `dev --kafka`: one broker of the project's own script, with its data in the state
 * directory.
 *
 * Started before the shop opens, stopped after it closed; the data stays, as the stores do. A
 * broker that an earlier run left behind (kill -9) is used again.
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { CommandError } from './failure.ts'

const script = join(import.meta.dirname, '..', '..', 'scripts', 'kafka.mjs')

export interface DevKafka {
  readonly bootstrap: string
  stop(): Promise<void>
}

/** @throws {CommandError} no Java or Maven here, or no start of the broker: the reason is said */
export const startDevKafka = async (stateDir: string): Promise<DevKafka> => {
  if (!existsSync(script)) throw new CommandError(`--kafka needs ${script}: use a full checkout`)
  const data = resolve(stateDir, 'kafka')
  process.stderr.write('millrace: starting Kafka (the first time fetches its jars)\n')
  const { bootstrap } = await run(['start', '--port', '0', '--data', data])
  if (bootstrap === undefined) throw new CommandError('scripts/kafka.mjs named no address')
  return {
    bootstrap,
    stop: async () => {
      process.stderr.write('millrace: stopping Kafka\n')
      await run(['stop', '--data', data])
    },
  }
}

const run = async (args: readonly string[]): Promise<{ readonly bootstrap?: string }> => {
  const child = spawn(process.execPath, [script, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true, // Ctrl-C is for this process: it ends the broker in its turn
  })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const [status] = (await once(child, 'close')) as [number | null]
  if (status !== 0) throw new CommandError(`kafka.mjs ${args[0]} failed: see above`)
  return JSON.parse(output) as { readonly bootstrap?: string }
}
