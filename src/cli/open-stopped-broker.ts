/** The embedded broker of a state directory that no process uses, for a command beside it. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { StateDirectory } from '../../state/directory.ts'
import type { EmbeddedBroker } from '../broker/embedded/embedded-broker.ts'
import type { Settings } from '../config/settings.ts'
import { CommandError } from './failure.ts'
import { isBrokerMissing, openEmbeddedBroker } from './open-broker.ts'

/**
 * Locks the directory while the command runs.
 *
 * @throws {CommandError} there is no broker in it
 * @throws {StoreLockedError} a process came in between: ask that one
 */
export const openStoppedBroker = async (
  settings: Settings,
  parts: AsyncDisposableStack,
): Promise<EmbeddedBroker> => {
  const { stateDir } = settings
  if (!existsSync(join(stateDir, 'broker')) && !isBrokerMissing(stateDir)) {
    if (existsSync(join(stateDir, 'instance-id'))) throw ofReplica(stateDir)
    throw new CommandError(`there is no state in ${stateDir}; name another with --state-dir`)
  }
  const directory = StateDirectory.lock(stateDir)
  parts.defer(() => directory.unlock())
  return openEmbeddedBroker(settings, parts)
}

/** Its rows alone would not tell whether they are current: the log is on Kafka. */
const ofReplica = (stateDir: string): CommandError =>
  new CommandError(
    `the state in ${stateDir} belongs to a replica on Kafka and can be read while that runs; `
      + 'start it with millrace run --bootstrap, or ask another replica with --url',
  )
