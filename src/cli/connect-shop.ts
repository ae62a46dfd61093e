/**
 * The shop of a state directory for a command that only looks: running or not.
 *
 * A process that holds the directory is asked over HTTP; else the files are opened, read, and
 * closed. Nothing is processed.
 */

import type { ShopAccess } from '../../topologies/shop/http/shop-access.ts'
import { shopTopology } from '../../topologies/shop/shop.ts'
import { systemClock } from '../clock.ts'
import type { Settings } from '../config/settings.ts'
import { LocalShop } from './local-shop.ts'
import { RemoteShop } from './remote-shop.ts'
import { openEngine } from './open-engine.ts'
import { openVault } from './open-vault.ts'
import { openStoppedBroker } from './open-stopped-broker.ts'
import { runningAddress } from './running-address.ts'
import { openSchemaAccess, openShopSerdes } from './schema-access.ts'
import { shopConfigOf } from './shop-settings.ts'
import { applicationId } from './shop-topics.ts'
import { stateMemoryOf } from './state-memory.ts'
import { StoredReads } from './stored-reads.ts'
import { storedState } from './store-source.ts'
import { directoryNames } from './topic-names.ts'

/** Runs `use` with the shop, and closes what was opened for it. */
export const withShop = async <T>(
  settings: Settings,
  use: (shop: ShopAccess) => Promise<T>,
): Promise<T> => {
  if (settings.url !== undefined) return use(new RemoteShop(settings.url.replace(/\/$/, '')))
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
  const address = await runningAddress(stateDir)
  return address === undefined ? undefined : new RemoteShop(address)
}

const openFiles = async (settings: Settings, parts: AsyncDisposableStack): Promise<LocalShop> => {
  const names = directoryNames(settings)
  const broker = await openStoppedBroker(settings, parts)
  await openShopSerdes(await openSchemaAccess(settings, broker, parts), names)
  const memory = stateMemoryOf(settings, { hasBroker: true })
  const engine = await openEngine(settings, 'state', memory)
  parts.defer(() => engine.close())
  const { erasure: isSealing } = settings
  const isStarting = false
  const vault = await openVault(settings, { broker, keepsKey: true, isSealing, isStarting, parts })
  const { plan } = shopTopology(shopConfigOf(settings))
  const stores = await storedState({
    engine,
    broker,
    applicationId,
    plan,
    topicNames: names.byCatalogue,
  })
  const shop = await LocalShop.open({
    broker,
    clock: systemClock,
    stores,
    reads: new StoredReads({ broker, stores, applicationId }),
    source: 'millrace',
    names,
    seesAll: true,
    vault,
    progress: () => ({ isReady: false, lagRecords: -1 }),
  })
  parts.defer(() => shop.close())
  return shop
}
