/** Creates the topics of the shop where they are missing, as its catalogue says. */

import { topicCatalogue } from '../../topologies/shop/shared/topics.ts'
import { type Broker } from '../broker/port.ts'

export const deadLetterTopic = 'ecom.dlq'

const deadLetterPartitions = 3
const deadLetterRetentionMs = 14 * 86_400_000

/** Existing topics are left as they are. */
export const createShopTopics = (broker: Broker): Promise<void> =>
  broker.topics.create([
    ...topicCatalogue.map(({ topic, partitions, retentionMs }) => ({
      name: topic.name,
      partitions,
      config: { cleanupPolicy: 'delete' as const, retentionMs },
    })),
    {
      name: deadLetterTopic,
      partitions: deadLetterPartitions,
      config: { cleanupPolicy: 'delete', retentionMs: deadLetterRetentionMs },
    },
  ])
