/** Vaults and tables of data keys over a real embedded broker in memory; a vault is a replica. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, onTestFinished } from 'vitest'
import { MemoryDisk } from '../../state/memory/memory-disk.ts'
import { MemoryEngine } from '../../state/memory/memory-engine.ts'
import { EmbeddedBroker } from '../../src/broker/embedded/embedded-broker.ts'
import type { Broker } from '../../src/broker/port.ts'
import { readCommitted } from '../../src/broker/read-committed.ts'
import { DataKeyChanges } from '../../src/cli/data-key-changes.ts'
import type { DataKeyTable } from '../../src/cli/data-key-table.ts'
import { openVault } from '../../src/cli/open-vault.ts'
import { createShopTopics } from '../../src/cli/shop-topics.ts'
import { stderrLogger } from '../../src/cli/stderr-logger.ts'
import { systemClock } from '../../src/clock.ts'
import { type FlagValues, resolveSettings } from '../../src/config/settings.ts'
import type { PersonalData } from '../../topologies/shop/personal/personal-data.ts'
import { dataKeysTopic } from '../../topologies/shop/shared/topics.ts'

export const folder = mkdtempSync(join(tmpdir(), 'millrace-vault-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

export const key = (fill: number): string => Buffer.alloc(32, fill).toString('base64')
export const calls = { check: () => {}, inTime: <T>(work: Promise<T>): Promise<T> => work }
export const owner = { customerId: 'ann', orderId: 'o-1' }
export const given = {
  orderId: 'o-1',
  shippingAddress: 'Long Street 1, Hull, GB',
  notes: 'enc:1:x',
}

export const openBroker = async (): Promise<EmbeddedBroker> => {
  const engine = MemoryEngine.create(new MemoryDisk())
  const broker = await EmbeddedBroker.open({ engine, clock: systemClock, seed: 1 })
  onTestFinished(() => broker.close())
  await createShopTopics(broker)
  return broker
}

interface Opening {
  readonly flags?: FlagValues
  readonly env?: Readonly<Record<string, string>>
  readonly keepsKey?: boolean
}

export const vaultOn = async (broker: Broker, opening: Opening = {}): Promise<PersonalData> => {
  const { flags = {}, env = { MILLRACE_MASTER_KEY: key(1) }, keepsKey = false } = opening
  const parts = new AsyncDisposableStack()
  onTestFinished(() => parts.disposeAsync())
  const settings = resolveSettings({ flags: { stateDir: folder, ...flags }, env })
  const place = { broker, keepsKey, isSealing: settings.erasure, isStarting: true, parts }
  return (await openVault(settings, place))(calls)
}

export const changesOf = (broker: Broker, table: DataKeyTable): DataKeyChanges =>
  new DataKeyChanges({ broker, clock: systemClock, logger: stderrLogger('silent'), table })

export const keyRecords = async (broker: Broker): Promise<string> => {
  const at = { topic: dataKeysTopic.name, partition: 0 }
  const { lastStableOffset: to } = await broker.topics.offsets(at)
  let text = ''
  for await (const { record } of readCommitted(broker, { ...at, from: 0n, to })) {
    text += `${Buffer.from(record.value!).toString()}\n`
  }
  return text
}
