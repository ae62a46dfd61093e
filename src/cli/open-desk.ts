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
import { deadLetterTopic } from './shop-topics.ts'
import { stderrLogger } from './stderr-logger.ts'

export interface OpenDeskOptions {
  /** Of the dead letters. */
  readonly topic: string
  /** Ends waiting for Kafka. */
  readonly interrupted: Promise<void>
}

/** @param parts  closes what was opened */
export const openDesk = async (
  settings: Settings,
  { topic, interrupted }: OpenDeskOptions,
  parts: AsyncDisposableStack,
): Promise<DeadLetterAccess> => {
  const { bootstrap, connectTimeoutMs, stateDir } = settings
  const logger = stderrLogger(settings.logLevel)
  if (bootstrap !== undefined) {
    const security = kafkaSecurityOf(settings)
    const broker = await connectKafka({ bootstrap, connectTimeoutMs, security, interrupted })
    parts.defer(() => broker.close())
    const desk = shopDesk({ broker, logger, topic })
    parts.defer(() => desk.close())
    return desk
  }
  const address = await runningAddress(stateDir)
  if (address !== undefined) {
    if (topic === deadLetterTopic) return new RemoteDesk(address)
    throw new CommandError(
      `the process that holds ${stateDir} serves ${deadLetterTopic} only: stop it first`,
    )
  }
  const broker = await openStoppedBroker(settings, parts)
  const desk = shopDesk({ broker, logger, topic })
  parts.defer(() => desk.close())
  return desk
}
