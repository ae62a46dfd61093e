/**
 * The shop of a state directory for a command that only looks: running or not.
 *
 * A process that holds the directory is asked over HTTP; else the files are opened, read, and
 * closed. Nothing is processed.
 */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ShopAccess } from '../../topologies/shop/http/shop-access.ts'
import { shopTopology } from '../../topologies/shop/shop.ts'
import { StateDirectory } from '../../state/directory.ts'
import { systemClock } from '../clock.ts'
import { type Settings } from '../config/settings.ts'
import { CommandError } from './failure.ts'
import { LocalShop } from './local-shop.ts'
import { RemoteShop } from './remote-shop.ts'
import { isBrokerMissing, openEmbeddedBroker } from './open-broker.ts'
import { openEngine } from './open-engine.ts'
import { openSchemaAccess, openShopSerdes } from './schema-access.ts'
import { applicationId } from './shop-instance.ts'
import { shopConfigOf } from './shop-settings.ts'
import { storedState } from './store-source.ts'

const addressWaitMs = 30_000
const addressPollMs = 100

/** Runs `use` with the shop, and closes what was opened for it. */
export const withShop = async <T>(
  settings: Settings,
  use: (shop: ShopAccess) => Promise<T>,
): Promise<T> => {
  const running = await runningShop(settings.stateDir)
  if (running !== undefined) return use(running)
  await using parts = new AsyncDisposableStack()
  return await use(await openFiles(settings, parts))
}

/**
 * The shop of the process that holds the directory; undefined if nobody does.
 *
 * @throws {CommandError} it does not say where it listens
 */
export const runningShop = async (stateDir: string): Promise<RemoteShop | undefined> => {
  const endMs = performance.now() + addressWaitMs
  for (;;) {
    const holder = StateDirectory.readLock(stateDir)
    if (holder === undefined) return undefined
    if (holder.address !== undefined) return new RemoteShop(holder.address)
    if (performance.now() > endMs) {
      throw new CommandError(`process ${holder.pid} holds ${stateDir} but does not listen`)
    }
    await sleep(addressPollMs)
  }
}

const openFiles = async (settings: Settings, parts: AsyncDisposableStack): Promise<LocalShop> => {
  const { stateDir } = settings
  if (!existsSync(join(stateDir, 'broker')) && !isBrokerMissing(stateDir)) {
    if (existsSync(join(stateDir, 'instance-id'))) throw ofReplica(stateDir)
    throw new CommandError(`there is no state in ${stateDir}; name another with --state-dir`)
  }
  const directory = StateDirectory.lock(stateDir)
  parts.defer(() => directory.unlock())
  const broker = await openEmbeddedBroker(settings, parts)
  await openShopSerdes(await openSchemaAccess(settings, broker, parts))
  const engine = await openEngine(settings, 'state')
  parts.defer(() => engine.close())
  const { plan } = shopTopology(shopConfigOf(settings))
  const shop = await LocalShop.open({
    broker,
    clock: systemClock,
    stores: await storedState(engine, broker, plan),
    source: 'millrace',
    applicationId,
    seesAll: true,
    progress: () => ({ isReady: false, lagRecords: -1 }),
  })
  parts.defer(() => shop.close())
  return shop
}

/** Its rows alone would not tell whether they are current: the log is on Kafka. */
const ofReplica = (stateDir: string): CommandError =>
  new CommandError(
    `the state in ${stateDir} belongs to a replica on Kafka and can be read while that runs; `
      + 'start it with millrace run --bootstrap, or ask another replica',
  )
