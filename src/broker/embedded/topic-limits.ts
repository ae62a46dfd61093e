/** Which settings of a topic are possible: the same bounds as Kafka's. */

import { BrokerError } from '../errors.ts'
import type { TopicConfig } from '../port.ts'

const leastOf = {
  retentionMs: -1,
  maxMessageBytes: 0,
  deleteRetentionMs: 0,
  minInsyncReplicas: 1,
} as const satisfies Partial<Record<keyof TopicConfig, number>>

/** @throws {BrokerError} BROKER_INVALID_REQUEST: names the setting and its bound */
export const checkSettings = (topic: string, config: Partial<TopicConfig>): void => {
  for (const [name, least] of Object.entries(leastOf)) {
    const value = config[name as keyof typeof leastOf]
    if (value === undefined || (Number.isInteger(value) && value >= least)) continue
    throw new BrokerError(
      'BROKER_INVALID_REQUEST',
      `topic ${topic}: ${name} is ${value}, but must be a whole number from ${least}`,
      { topic },
    )
  }
}
