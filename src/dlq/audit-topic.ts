/**
 * The audit's topic: one partition, since its order is the truth, and kept for ever.
 *
 * Made by the first command that changes something, where the topics of an application do not have
 * it yet. A record that was lost from it would make a settled letter open again.
 */

import type { TopicPartition, Topics } from '../broker/port.ts'
import { fittedSpec, type WantedTopic } from '../runtime/topic-steps.ts'
import { auditTopicName } from './audit-entry.ts'
import { DeskError } from './desk-error.ts'

/** An edit carries a whole value, as text: up to four times what a record may have. */
const maxMessageBytes = 4 * 1_048_588

/** What the audit of a dead-letter topic is to be like. */
export const wantedAuditTopic = (deadLetterTopic: string): WantedTopic => ({
  name: auditTopicName(deadLetterTopic),
  kind: 'audit',
  partitions: 1,
  replicas: 3,
  boundBy: 'its order is the order of what was done',
  config: {
    cleanupPolicy: 'delete',
    retentionMs: -1,
    maxMessageBytes,
    compression: 'lz4',
    minInsyncReplicas: 2,
  },
})

/** Makes it unless it is there. */
export const auditTopic = async (topics: Topics, deadLetterTopic: string): Promise<void> => {
  const wanted = wantedAuditTopic(deadLetterTopic)
  if ((await topics.describe([wanted.name])).has(wanted.name)) return
  await topics.create([fittedSpec(wanted, await topics.replicasMax())])
}

/** @throws {DeskError} DLQ_REFUSED: entries may be or become deleted */
export const checkAuditKeepsAll = async (topics: Topics, place: TopicPartition): Promise<void> => {
  const { topic } = place
  const settings = (await topics.settings([topic])).get(topic)
  if (settings !== undefined) {
    const { cleanupPolicy, retentionMs } = settings
    if (cleanupPolicy !== 'delete' || retentionMs !== -1) {
      throw new DeskError(
        'DLQ_REFUSED',
        `${topic} has cleanup.policy ${cleanupPolicy} and retention.ms ${retentionMs}, which may `
          + 'forget what was replayed: set delete and -1 (millrace topics apply)',
      )
    }
  }
  const { logStartOffset } = await topics.offsets(place)
  if (logStartOffset === 0n) return
  throw new DeskError(
    'DLQ_REFUSED',
    `${topic} was cut: what is below offset ${logStartOffset} is gone, so nobody knows which `
      + 'letters were replayed; settle by hand, then move to a new dead-letter topic',
  )
}
