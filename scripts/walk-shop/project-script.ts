/** The project's scripts that bring up what a walk needs, `scripts/kafka.mjs` and its like. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

/** What the script could not do, in its own words. */
export class ScriptError extends Error {
  override readonly name = 'ScriptError'
}

/**
 * Runs it to its end.
 *
 * @returns  the JSON line of its output
 * @throws {ScriptError} it failed, for want of Java or Maven for example
 */
export const runScript = async (name: string, args: readonly string[]): Promise<unknown> => {
  const file = join(import.meta.dirname, '..', name)
  // a Kafka is asked for here, whatever the environment names: `--bootstrap` takes a running one
  const { KAFKA_BOOTSTRAP: _named, ...env } = process.env
  const child = spawn(process.execPath, [file, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // Ctrl-C is for this process: it ends what was started in its turn
  })
  let [output, errors] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  const [status] = (await once(child, 'close')) as [number | null]
  if (status !== 0) throw new ScriptError(errors.trim())
  return JSON.parse(output)
}
