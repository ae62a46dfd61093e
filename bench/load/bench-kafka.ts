/**
 * The Kafka that a benchmark runs on: the one KAFKA_BOOTSTRAP names, or a broker of its own.
 *
 * The own one is started by `scripts/kafka.mjs` (KAFKA_CACHE says where the jars lie) with its data
 * in a temporary directory, and ends with this process, however that goes.
 */

import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KafkaBroker } from '../../src/broker/kafka/kafka-broker.ts'
import { UsageError } from '../../src/config/usage-error.ts'
import { startKafka } from '../../test/kafka/start-kafka.ts'

export interface BenchKafka {
  /** `host:port`, with commas. */
  readonly bootstrap: string
  readonly broker: KafkaBroker
}

/** @throws {UsageError} no broker can be had: the message says why */
export const openBenchKafka = async (): Promise<BenchKafka> => {
  const bootstrap = process.env['KAFKA_BOOTSTRAP'] ?? (await ownKafka())
  return { bootstrap, broker: await KafkaBroker.open({ bootstrap, clientId: 'millrace-bench' }) }
}

const ownKafka = async (): Promise<string> => {
  const data = mkdtempSync(join(tmpdir(), 'millrace-bench-kafka-'))
  const found = await startKafka(['--data', data, '--owner', String(process.pid)])
  if (!('skipped' in found)) return found.bootstrap
  throw new UsageError(`no Kafka: ${found.skipped}; KAFKA_BOOTSTRAP may name one`)
}
