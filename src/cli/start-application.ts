/**
 * Starts the application of an instance, and ends the start when nobody waits for it any more.
 *
 * Called by `shop-instance.ts`. 1. An interrupted start ends as soon as it is known to wait for the
 * broker or the registry of schemas, however long after the interruption. 2. What only takes its
 * time, as restoring does, is finished.
 */

import { systemClock } from '../clock.ts'
import type { Application } from '../runtime/application.ts'
import type { BrokerWatch } from '../runtime/broker-watch.ts'
import { sleep } from '../runtime/sleep.ts'
import { CommandError } from './failure.ts'

export interface StartOptions {
  readonly watch: BrokerWatch | undefined
  /** Nobody waits any more. */
  readonly interrupted: Promise<void>
  /** Each rejects when a part cannot go on. */
  readonly failures: readonly Promise<never>[]
  /** Abandons everything at once: closing would wait for the broker. */
  cut(): void
}

const lookEveryMs = 100

/** @throws {CommandError} it was interrupted while it waited; the message says for what */
export const startApplication = async (
  app: Application,
  { watch, interrupted, failures, cut }: StartOptions,
): Promise<void> => {
  let isOver = false
  let cutWhile: string | undefined
  const endWaiting = async (): Promise<void> => {
    await interrupted
    while (!isOver && app.state === 'starting' && app.trouble === undefined) {
      await sleep(systemClock, lookEveryMs)
    }
    if (isOver || app.state !== 'starting') return
    cutWhile = app.trouble
    await app.close()
  }
  const endSilence = async (): Promise<void> => {
    await interrupted
    await watch?.untilSilent()
    if (isOver || watch?.isSilent !== true) return
    cutWhile = 'Kafka does not answer'
    cut()
  }
  const ends = [endWaiting(), endSilence()]
  for (const end of ends) end.catch(() => {}) // the start tells what went wrong
  try {
    await Promise.race([app.start(), ...failures])
  } catch (error) {
    if (cutWhile === undefined) throw error
    throw new CommandError(`ended before it ran, while ${cutWhile}`)
  } finally {
    isOver = true
  }
}
