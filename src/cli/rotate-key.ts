/**
 * The work of `millrace customer rotate-key`: opens the broker, puts all keys under the new one.
 *
 * On the Kafka of `--bootstrap`, whether its replicas run or not; else on the embedded broker of a
 * state directory that no process uses, whose kept key is replaced when all is done.
 */

import type { Broker } from '../broker/port.ts'
import { systemClock } from '../clock.ts'
import type { Settings } from '../config/settings.ts'
import { UsageError } from '../config/usage-error.ts'
import { DataKeyChanges } from './data-key-changes.ts'
import { DataKeyTable } from './data-key-table.ts'
import { kafkaSecurityOf } from './kafka-security.ts'
import {
  givenMasterKey,
  givenOldMasterKey,
  keptMasterKey,
  type MasterKey,
  masterKeyPath,
  replaceMasterKey,
} from './master-key.ts'
import { connectKafka } from './open-kafka.ts'
import { openStoppedBroker } from './open-stopped-broker.ts'
import { rotateMasterKey } from './rotate-master-key.ts'
import { stderrLogger } from './stderr-logger.ts'
import { StopSignals } from './stop-signals.ts'

/** @throws {UsageError} a key is missing, or they are one */
export const rotateKey = async (settings: Settings): Promise<void> => {
  const kept = settings.bootstrap === undefined ? keptMasterKey(settings.stateDir) : undefined
  const { from, to } = keysOf(settings, kept)
  await using parts = new AsyncDisposableStack()
  const broker = await openBroker(settings, parts)
  const table = new DataKeyTable(broker, systemClock)
  parts.defer(() => table.close())
  const logger = stderrLogger(settings.logLevel)
  const changes = new DataKeyChanges({ broker, clock: systemClock, logger, table })
  const onProgress = (done: number): void => tell(`${done} data keys are done`)
  const keys = await rotateMasterKey({ table, changes, from, to, onProgress })
  if (kept !== undefined && kept.fingerprint !== to.fingerprint) {
    replaceMasterKey(settings.stateDir, to)
    tell(`${masterKeyPath(settings.stateDir)} holds the new key now; keep a copy of it elsewhere`)
  }
  const { fingerprint: master } = to
  process.stdout.write(
    settings.output === 'json'
      ? `${JSON.stringify({ keys, master })}\n`
      : `data keys put under master key ${master}: ${keys}; none is left under the old one\n`,
  )
}

const keysOf = (
  settings: Settings,
  kept: MasterKey | undefined,
): { readonly from: MasterKey; readonly to: MasterKey } => {
  const to = givenMasterKey(settings)
  if (to === undefined) throw new UsageError('--master-key-file is missing: it names the new key')
  const from = givenOldMasterKey(settings) ?? kept
  if (from === undefined) {
    throw new UsageError('--old-master-key-file is missing: it names the key there is')
  }
  if (from.fingerprint === to.fingerprint) {
    throw new UsageError(`the new master key is the old one (${to.fingerprint}): nothing to change`)
  }
  return { from, to }
}

const openBroker = async (settings: Settings, parts: AsyncDisposableStack): Promise<Broker> => {
  const { bootstrap, connectTimeoutMs } = settings
  if (bootstrap === undefined) return openStoppedBroker(settings, parts)
  const interrupted = new StopSignals().requested
  const security = kafkaSecurityOf(settings)
  const broker = await connectKafka({ bootstrap, connectTimeoutMs, security, interrupted })
  parts.defer(() => broker.close())
  return broker
}

const tell = (text: string): void => void process.stderr.write(`millrace: ${text}\n`)
