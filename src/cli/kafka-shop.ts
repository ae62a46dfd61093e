/**
 * The whole shop on Kafka, seen from outside of its replicas: commands go in, changelogs tell.
 *
 * Used by `load --bootstrap`. The rows lie in a temporary folder while the command runs.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { shopTopology } from '../../topologies/shop/shop.ts'
import type { TopicNames } from '../../topologies/shop/shared/topic-names.ts'
import type { Broker } from '../broker/port.ts'
import { systemClock } from '../clock.ts'
import type { Settings } from '../config/settings.ts'
import { ChangelogView } from './changelog-view.ts'
import { LocalShop } from './local-shop.ts'
import { openEngine } from './open-engine.ts'
import { openVault } from './open-vault.ts'
import { openSchemaAccess, openShopSerdes } from './schema-access.ts'
import { shopConfigOf, shopStamp } from './shop-settings.ts'
import { applicationId } from './shop-topics.ts'
import { stateMemoryOf } from './state-memory.ts'
import { StoredReads } from './stored-reads.ts'

export interface KafkaShop {
  readonly shop: LocalShop
  /** Rejects if the view can no longer be followed. */
  readonly failed: Promise<never>
}

/** @param parts  closes what was opened */
export const openKafkaShop = async (
  settings: Settings,
  { broker, names }: { readonly broker: Broker; readonly names: TopicNames },
  parts: AsyncDisposableStack,
): Promise<KafkaShop> => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-view-'))
  parts.defer(() => rmSync(directory, { recursive: true, force: true }))
  const memory = stateMemoryOf(settings, { hasBroker: false })
  const engine = await openEngine(
    { ...settings, stateDir: directory, fsync: false },
    'state',
    memory,
  )
  parts.defer(() => engine.close())
  await openShopSerdes(await openSchemaAccess(settings, broker, parts), names)
  const { erasure: isSealing } = settings
  const sealing = { isSealing, isStarting: true }
  const vault = await openVault(settings, { broker, keepsKey: false, ...sealing, parts })
  const { plan } = shopTopology(shopConfigOf(settings))
  const view = await ChangelogView.open({
    broker,
    engine,
    applicationId,
    deadLetterTopic: names.deadLetters,
    plan,
    topicNames: names.byCatalogue,
  })
  parts.defer(() => view.close())
  const shop = await LocalShop.open({
    broker,
    clock: systemClock,
    stores: view.stores,
    reads: new StoredReads({ broker, stores: view.stores, applicationId }),
    source: 'millrace',
    names,
    seesAll: true,
    stamp: shopStamp(settings),
    vault,
    progress: () => ({ isReady: view.lagRecords >= 0, lagRecords: view.lagRecords }),
  })
  parts.defer(() => shop.close())
  return { shop, failed: view.failed }
}
