/**
 * A real Kafka for the suites of one test run: started by the first that asks, ended with the run.
 *
 * Called by test files in their own worker processes. 1. One cluster per shape and run: workers
 * meet in a directory named after the run's main process. 2. A guard process ends it and removes
 * its data when the main process is gone, however it went. 3. Where no broker can be had the reason
 * is returned, for the suite to show; `KAFKA_REQUIRED=1` (as in CI) makes it an error.
 */

import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isMainThread } from 'node:worker_threads'
import { afterAll } from 'vitest'
import { startKafka } from './start-kafka.ts'

export interface RealKafkaOptions {
  readonly nodes?: 1 | 3
  readonly secure?: boolean
  /** Of Kafka; default that of `scripts/kafka.mjs`. */
  readonly version?: string
  /** The finalized `transaction.version`; default the newest. */
  readonly transactionVersion?: 0 | 1
  /** A cluster of this name apart from the shared one, for suites that kill brokers or count. */
  readonly apart?: string
  /** No other file uses this shape: the cluster, which is not idle when unused, ends with it. */
  readonly isOwn?: boolean
  /** Every broker has a listener more for a proxy, and is soon known to be dead. */
  readonly proxied?: boolean
}

export interface RealKafka {
  /** `host:port` of every broker, with commas. */
  readonly bootstrap: string
  /** Absent for brokers named by KAFKA_BOOTSTRAP: they are not ours to kill. */
  readonly nodes?: readonly KafkaNode[]
  readonly directory?: string
  /** Kafka's jars, and what runs them: for its own tools. */
  readonly libs?: string
  readonly java?: string
  readonly secure?: {
    /** Path of the certificate authority, PEM. */
    readonly ca: string
    readonly mechanism: string
    readonly admin: Credentials
    readonly plainUser: Credentials
  }
}

export interface KafkaNode {
  readonly id: number
  readonly port: number
  readonly pid: number
  /** What is sent to `proxyPort`, which is advertised, must be forwarded to `port`. */
  readonly proxied?: { readonly port: number; readonly proxyPort: number }
}

export interface Credentials {
  readonly username: string
  readonly password: string
}

export interface NoKafka {
  readonly skipped: string
}

const startMaxMs = 180_000
const pollMs = 100

/**
 * The cluster of this run. Call it at the top of a test file, and skip the suite on `skipped`.
 *
 * @throws what hindered the start, if KAFKA_REQUIRED is 1
 */
export const realKafka = async (options: RealKafkaOptions = {}): Promise<RealKafka | NoKafka> => {
  const given = process.env['KAFKA_BOOTSTRAP']
  const { nodes = 1, secure = false, version, transactionVersion, apart, proxied } = options
  const isUsual =
    nodes === 1
    && !secure
    && version === undefined
    && transactionVersion === undefined
    && apart === undefined
    && !proxied
  // a cluster of another shape is started all the same: what was given may not be killed or secured
  if (given !== undefined && isUsual) return { bootstrap: given }
  const found = await sharedKafka(options)
  if (!('skipped' in found)) {
    if (options.isOwn) afterAll(() => killBrokers(found))
    return found
  }
  if (process.env['KAFKA_REQUIRED'] === '1') throw new Error(`no Kafka: ${found.skipped}`)
  const what = version === undefined ? 'Kafka' : `Kafka ${version}`
  process.stderr.write(`\n*** ${what} suites are SKIPPED: ${found.skipped}\n\n`)
  return found
}

/**
 * Starts those of its brokers that do not run, with their data, and waits until they answer.
 *
 * @param onlyId  this one alone
 */
export const restartKafka = async (
  { directory, nodes }: RealKafka,
  onlyId?: number,
): Promise<RealKafka> => {
  const only = onlyId === undefined ? [] : ['--only', String(onlyId)]
  const args = ['--data', directory!, '--nodes', String(nodes!.length), ...only]
  const found = await startKafka(args)
  if ('skipped' in found) throw new Error(found.skipped)
  return found
}

/** As its file says: they may have been started again. */
const killBrokers = ({ directory }: RealKafka): void => {
  const file = readFileSync(join(directory!, 'cluster.json'), 'utf8')
  for (const { pid } of (JSON.parse(file) as { readonly nodes: readonly KafkaNode[] }).nodes) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // it is gone already
    }
  }
}

const sharedKafka = async (options: RealKafkaOptions): Promise<RealKafka | NoKafka> => {
  const { nodes = 1, secure = false, version, transactionVersion, apart, proxied } = options
  // a worker is a child of the run's main process, or a thread of it
  const ownerPid = isMainThread ? process.ppid : process.pid
  const shape = [
    String(nodes),
    ...(secure ? ['secure'] : []),
    ...(version === undefined ? [] : [version]),
    ...(transactionVersion === undefined ? [] : [`v${transactionVersion}`]),
    ...(apart === undefined ? [] : [apart]),
    ...(proxied ? ['proxied'] : []),
  ]
  const name = `millrace-kafka-${ownerPid}-${shape.join('-')}`
  const directory = join(tmpdir(), name)
  const result = join(directory, 'result.json')
  if (isFirst(directory)) {
    const where = ['--data', directory, '--owner', String(ownerPid), '--nodes', String(nodes)]
    const found = await startKafka([
      ...where,
      ...(secure ? ['--secure'] : []),
      ...(proxied ? ['--proxied'] : []),
      ...(version === undefined ? [] : ['--kafka-version', version]),
      ...(transactionVersion === undefined
        ? []
        : ['--feature', `transaction.version=${transactionVersion}`]),
    ])
    writeFileSync(`${result}.new`, JSON.stringify(found))
    renameSync(`${result}.new`, result)
    return found
  }
  const endMs = performance.now() + startMaxMs
  while (!existsSync(result)) {
    if (performance.now() > endMs) return { skipped: `${directory} was not finished by another` }
    await sleep(pollMs)
  }
  return JSON.parse(readFileSync(result, 'utf8')) as RealKafka | NoKafka
}

const isFirst = (directory: string): boolean => {
  try {
    mkdirSync(directory)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}
