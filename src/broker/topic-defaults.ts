/** What Kafka sets a topic to when nobody says otherwise; the embedded broker does the same. */

import type { TopicSettings } from './port.ts'

export const topicDefaults: TopicSettings = {
  cleanupPolicy: 'delete',
  retentionMs: 604_800_000,
  maxMessageBytes: 1_048_588,
  deleteRetentionMs: 86_400_000,
  minInsyncReplicas: 1,
  compression: 'producer',
}
