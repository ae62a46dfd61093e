/**
 * A real Apicurio for one test file, ended with its worker.
 *
 * Where none can be had the reason is returned, for the suite to show; `KAFKA_REQUIRED=1` (as in
 * CI) makes it an error.
 */

import { spawn } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface RealRegistry {
  readonly url: string
  readonly version: string
}

const script = join(import.meta.dirname, '..', '..', 'scripts', 'registry.mjs')

/** @throws what hindered the start, if KAFKA_REQUIRED is 1 */
export const realRegistry = async (): Promise<RealRegistry | { readonly skipped: string }> => {
  const directory = join(tmpdir(), `millrace-registry-${process.pid}`)
  const args = ['start', '--port', '0', '--data', directory, '--owner', String(process.pid)]
  const found = await run(args)
  if (!('skipped' in found)) return found
  if (process.env['KAFKA_REQUIRED'] === '1') throw new Error(`no registry: ${found.skipped}`)
  process.stderr.write(`\n*** Apicurio suites are SKIPPED: ${found.skipped}\n\n`)
  return found
}

const run = (args: readonly string[]): Promise<RealRegistry | { readonly skipped: string }> =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    let [output, errors] = ['', '']
    child.stdout.on('data', (chunk) => (output += String(chunk)))
    child.stderr.on('data', (chunk) => (errors += String(chunk)))
    child.on('error', (error) => resolve({ skipped: error.message }))
    child.on('close', (status) =>
      resolve(status === 0 ? (JSON.parse(output) as RealRegistry) : { skipped: errors.trim() }),
    )
  })
