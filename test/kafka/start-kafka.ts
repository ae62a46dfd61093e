/**
 * `scripts/kafka.mjs start` as a call, for suites and benchmarks that want brokers of their own.
 *
 * KAFKA_BOOTSTRAP is not looked at: whoever calls this wants brokers that are started here.
 */

import { spawn } from 'node:child_process'
import { join } from 'node:path'
import type { NoKafka, RealKafka } from './real-kafka.ts'

const script = join(import.meta.dirname, '..', '..', 'scripts', 'kafka.mjs')

/** @param args  as the script takes them, without the port: free ones are taken */
export const startKafka = (args: readonly string[]): Promise<RealKafka | NoKafka> =>
  new Promise((resolve) => {
    const { KAFKA_BOOTSTRAP: _given, ...env } = process.env
    const child = spawn(process.execPath, [script, 'start', '--port', '0', ...args], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let [output, errors] = ['', '']
    child.stdout.on('data', (chunk) => (output += String(chunk)))
    child.stderr.on('data', (chunk) => (errors += String(chunk)))
    child.on('error', (error) => resolve({ skipped: error.message }))
    child.on('close', (status) =>
      resolve(status === 0 ? (JSON.parse(output) as RealKafka) : { skipped: errors.trim() }),
    )
  })
