/**
 * The embedded broker of a state directory for a command that administers it, while no shop runs.
 *
 * Used by `millrace topics` and `millrace schema`. Looking leaves nothing behind: a directory
 * without a broker is shown as an empty one and not made.
 */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { StateDirectory } from '../../state/directory.ts'
import { MemoryEngine } from '../../state/memory/memory-engine.ts'
import { EmbeddedBroker } from '../broker/embedded/embedded-broker.ts'
import { systemClock } from '../clock.ts'
import type { Settings } from '../config/settings.ts'
import { CommandError } from './failure.ts'
import { isBrokerMissing, openEmbeddedBroker } from './open-broker.ts'
import { claimNames } from './topic-names.ts'

/**
 * @param makes  whether a broker that is not there is made
 * @param parts  closes what is opened
 * @throws {StoreLockedError} a process has the directory
 * @throws {CommandError} it belongs to a replica on Kafka
 */
export const openLocalBroker = async (
  settings: Settings,
  makes: boolean,
  parts: AsyncDisposableStack,
): Promise<EmbeddedBroker> => {
  const { stateDir } = settings
  if (existsSync(join(stateDir, 'instance-id'))) {
    throw new CommandError(
      `${stateDir} belongs to a replica on Kafka: name its brokers with --bootstrap`,
    )
  }
  const isThere = existsSync(join(stateDir, 'broker')) || isBrokerMissing(stateDir)
  if (!isThere && !makes) {
    process.stderr.write(`millrace: there is no broker in ${stateDir} yet\n`)
    const empty = await EmbeddedBroker.open({ engine: MemoryEngine.create(), clock: systemClock })
    parts.defer(() => empty.close())
    return empty
  }
  const directory = StateDirectory.lock(stateDir)
  parts.defer(() => directory.unlock())
  if (makes) claimNames(settings)
  return openEmbeddedBroker(settings, parts)
}
