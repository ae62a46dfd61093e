/**
 * The dead letters that a `millrace dlq` command works on: on Kafka, in another process, in files.
 *
 * A process that holds the state directory is asked over HTTP; else the files are opened, and
 * closed behind the command.
 */

import type { DeadLetterAccess } from '../dlq/dead-letter-access.ts'
import type { Settings } from '../config/settings.ts'
import { CommandError } from './failure.ts'
import { kafkaSecurityOf } from './kafka-security.ts'
import { connectKafka } from './open-kafka.ts'
import { openStoppedBroker } from './open-stopped-broker.ts'
import { RemoteDesk } from './remote-desk.ts'
import { runningAddress } from './running-address.ts'
import { shopDesk } from './shop-desk.ts'
import { stderrLogger } from './stderr-logger.ts'
import { directoryNames, ecomNames, givenNames } from './topic-names.ts'

export interface OpenDeskOptions {
  /** Of the dead letters; default the shop's. */
  readonly topic: string | undefined
  /** Ends waiting for Kafka. */
  readonly interrupted: Promise<void>
}

/** @param parts  closes what was opened */
export const openDesk = async (
  settings: Settings,
  { topic: given, interrupted }: OpenDeskOptions,
  parts: AsyncDisposableStack,
): Promise<DeadLetterAccess> => {
  const { bootstrap, connectTimeoutMs, stateDir } = settings
  const logger = stderrLogger(settings.logLevel)
  if (bootstrap !== undefined) {
    const security = kafkaSecurityOf(settings)
    const broker = await connectKafka({ bootstrap, connectTimeoutMs, security, interrupted })
    parts.defer(() => broker.close())
    const names = givenNames(settings) ?? ecomNames
    const desk = shopDesk({ broker, logger, names, ...(given !== undefined && { topic: given }) })
    parts.defer(() => desk.close())
    return desk
  }
  const names = directoryNames(settings)
  const topic = given ?? names.deadLetters
  const address = await runningAddress(stateDir)
  if (address !== undefined) {
    if (topic === names.deadLetters) return new RemoteDesk(address)
    throw new CommandError(
      `the process that holds ${stateDir} serves ${names.deadLetters} only: stop it first`,
    )
  }
  const broker = await openStoppedBroker(settings, parts)
  const desk = shopDesk({ broker, logger, names, topic })
  parts.defer(() => desk.close())
  return desk
}
