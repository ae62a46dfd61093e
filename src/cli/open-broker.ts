/**
 * The embedded broker of a state directory, unless it lost what it had acknowledged.
 *
 * Used by `shop-instance.ts` and `connect-shop.ts`. 1. `broker-commits` lies beside the database,
 * so that a log that was cut, deleted or replaced by an older copy is noticed. 2. It is refused
 * while `state/` holds stores, which may be ahead of it. Without stores it is what there is: they
 * are rebuilt from the changelogs that are left, and the loss is told. 3. Parts are closed in the
 * reverse order by the stack that is given.
 */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { StoreLossError } from '../../state/errors.ts'
import { engineOf } from '../../state/made-by.ts'
import { EmbeddedBroker } from '../broker/embedded/embedded-broker.ts'
import { lossOf, LogWitness } from '../broker/embedded/log-witness.ts'
import { clusterKey } from '../broker/embedded/rows.ts'
import { systemClock } from '../clock.ts'
import type { Settings } from '../config/settings.ts'
import { type EngineSettings, openEngine } from './open-engine.ts'
import { stateMemoryOf } from './state-memory.ts'

type BrokerSettings = EngineSettings & Pick<Settings, 'stateMemoryBytes'>

/** @throws {StoreLossError} acknowledged records are gone; the message has both ways out */
export const openEmbeddedBroker = async (
  settings: BrokerSettings,
  parts: AsyncDisposableStack,
): Promise<EmbeddedBroker> => {
  const { stateDir } = settings
  if (isBrokerMissing(stateDir)) throw allLost(stateDir, 'there is no database in it any more')
  const witness = LogWitness.open(join(stateDir, 'broker-commits'))
  parts.defer(() => witness.close())
  const hasStores = hasDatabase(stateDir, 'state')
  const memory = stateMemoryOf(settings, { hasBroker: true })
  const engine = await openEngine(settings, 'broker', memory)
  parts.defer(() => engine.close())
  const loss = lossOf(engine, witness)
  if (loss !== undefined) {
    if (hasStores && engine.get(clusterKey) === undefined) throw allLost(stateDir, loss)
    if (hasStores) throw tailLost(stateDir, loss)
    const where = join(stateDir, 'broker')
    process.stderr.write(
      `millrace: the broker in ${where} lost data that was acknowledged: ${loss}; `
        + 'accepted, since there are no stores\n',
    )
  }
  const acceptsLoss = loss !== undefined
  const broker = await EmbeddedBroker.open({
    engine,
    clock: systemClock,
    witness,
    acceptsLoss,
    cacheBytesMax: memory.logCacheBytes,
  })
  parts.defer(() => broker.close())
  return broker
}

/** Stores without the topics they were made from; those of a replica on Kafka have an id. */
export const isBrokerMissing = (stateDir: string): boolean => {
  const isOfKafka = existsSync(join(stateDir, 'instance-id'))
  return hasDatabase(stateDir, 'state') && !hasDatabase(stateDir, 'broker') && !isOfKafka
}

const hasDatabase = (stateDir: string, name: 'state' | 'broker'): boolean =>
  engineOf(join(stateDir, name)) !== undefined

const allLost = (stateDir: string, loss: string): StoreLossError =>
  new StoreLossError(
    `the broker in ${join(stateDir, 'broker')}`,
    loss,
    `restore ${stateDir} as a whole from a backup, or start anew with another --state-dir`,
  )

const tailLost = (stateDir: string, loss: string): StoreLossError =>
  new StoreLossError(
    `the broker in ${join(stateDir, 'broker')}`,
    loss,
    `restore ${stateDir} as a whole from a backup; or accept the loss: delete `
      + `${join(stateDir, 'state')} and start again, then the stores are rebuilt from what is `
      + 'left, and whoever sent records since then must send them again',
  )
