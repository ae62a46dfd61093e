/**
 * One replica of the fault tests' application, as a process that may be killed, stopped and cut.
 *
 * Started by `Fleet` with its options as JSON. It tells its parent, over the IPC channel, its
 * states and warnings, dumps its store when asked, and closes cleanly on demand. It ends when its
 * parent does.
 */

import { mkdirSync } from 'node:fs'
import type { Engine } from '../../../state/engine.ts'
import { RocksEngine } from '../../../state/rocksdb/rocks-engine.ts'
import { KafkaBroker } from '../../../src/broker/kafka/kafka-broker.ts'
import { Application } from '../../../src/runtime/application.ts'
import { faultTopology } from './fault-topology.ts'
import type { Dump, FromWorker, WorkerOptions } from './worker-messages.ts'

const options = JSON.parse(process.argv[2]!) as WorkerOptions
const memoryBytes = 8 * 1_048_576
const everything = { gte: Uint8Array.of(0), lt: Uint8Array.of(0xff) }

const tell = (message: FromWorker): void => {
  if (process.connected) process.send!(message)
}

const dump = (engine: Engine): Dump => {
  const rows: [string, string][] = []
  const cursor = engine.scan(everything)
  for (let found = cursor.next(1_000); found.length > 0; found = cursor.next(1_000)) {
    for (const [key, value] of found) {
      rows.push([Buffer.from(key).toString('latin1'), Buffer.from(value).toString()])
    }
  }
  cursor.close()
  return rows
}

const warn = (details: object, message: string): void => {
  const { err, ...rest } = details as { readonly err?: Error & { readonly code?: string } }
  tell({ kind: 'warning', message, code: err?.code ?? '', text: describe(err, rest) })
}

const describe = (error: Error | undefined, rest: object): string =>
  `${error?.message ?? ''} ${JSON.stringify(rest)}`

const run = async (): Promise<void> => {
  mkdirSync(options.stateDir, { recursive: true })
  const engine = await RocksEngine.open(options.stateDir, { memoryBytes })
  const broker = await KafkaBroker.open({
    bootstrap: options.bootstrap,
    clientId: options.clientId,
    requestTimeoutMs: options.requestTimeoutMs ?? 5_000,
    ...(options.retryTimeoutMs === undefined ? {} : { retryTimeoutMs: options.retryTimeoutMs }),
  })
  const application = new Application({
    applicationId: options.name,
    instanceId: options.instanceId,
    topology: faultTopology(options.name, options.reportEveryMs),
    broker,
    engine,
    config: options.config,
    logger: { debug() {}, info() {}, warn, error: warn },
  })
  application.onStateChange((state) => tell({ kind: 'state', state }))
  process.on('message', (wanted) => {
    if (wanted === 'dump') tell({ kind: 'dump', rows: dump(engine) })
    if (wanted === 'close') void application.close()
  })
  application.start().catch(() => {}) // `stopped` tells why
  try {
    await application.stopped
  } finally {
    tell({ kind: 'dump', rows: dump(engine) })
    await broker.close()
    await engine.close()
  }
}

process.on('disconnect', () => process.exit(3))
run().then(
  () => process.exit(0),
  (error: Error & { readonly code?: string }) => {
    if (!process.connected) process.exit(1)
    const failed = { kind: 'failed', code: error.code ?? '', message: error.message } as const
    process.send!(failed satisfies FromWorker, undefined, undefined, () => process.exit(1))
  },
)
