/** Where the process that holds a state directory can be reached. */

import { setTimeout as sleep } from 'node:timers/promises'
import { StateDirectory } from '../../state/directory.ts'
import { CommandError } from './failure.ts'

const addressWaitMs = 30_000
const addressPollMs = 100

/**
 * Waits a while for a process that is starting.
 *
 * @returns such as `http://127.0.0.1:4004`; undefined if nobody holds the directory
 * @throws {CommandError} it does not say where it listens
 */
export const runningAddress = async (stateDir: string): Promise<string | undefined> => {
  const endMs = performance.now() + addressWaitMs
  for (;;) {
    const holder = StateDirectory.readLock(stateDir)
    if (holder === undefined) return undefined
    if (holder.address !== undefined) return holder.address
    if (performance.now() > endMs) {
      throw new CommandError(`process ${holder.pid} holds ${stateDir} but does not listen`)
    }
    await sleep(addressPollMs)
  }
}
