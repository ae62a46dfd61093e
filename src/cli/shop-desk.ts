/** The desk for the shop's dead letters, or for those of another topic on the same broker. */

import type { TopicNames } from '../../topologies/shop/shared/topic-names.ts'
import type { Broker } from '../broker/port.ts'
import { systemClock } from '../clock.ts'
import { DeadLetterDesk } from '../dlq/dead-letter-desk.ts'
import type { Logger } from '../logger.ts'
import { knownTopics } from './shop-topics.ts'

export interface ShopDeskOptions {
  readonly broker: Broker
  readonly logger: Logger
  readonly names: TopicNames
  /** Default the shop's. */
  readonly topic?: string
}

export const shopDesk = ({
  broker,
  logger,
  names,
  topic = names.deadLetters,
}: ShopDeskOptions): DeadLetterDesk =>
  new DeadLetterDesk({
    broker,
    clock: systemClock,
    logger,
    topic,
    topics: knownTopics(names),
  })
