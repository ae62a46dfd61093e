/**
 * Whether an application has processed all that a partition held at the time of asking.
 *
 * Used where no task answers (`stored-reads.ts`) to tell "not there" from "not there yet". The end
 * of the log is read first, then the group's committed offset until it is there. A running instance
 * tells by the offsets of its tasks instead: stores follow a commit a moment later.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Broker, TopicPartition } from '../broker/port.ts'

const lookEveryMs = 20

export interface ProcessedQuestion {
  readonly groupId: string
  readonly partition: TopicPartition
  readonly withinMs: number
}

/** @throws {BrokerError} the broker does not answer */
export const hasProcessed = async (
  broker: Broker,
  { groupId, partition, withinMs }: ProcessedQuestion,
): Promise<boolean> => {
  const endMs = performance.now() + withinMs
  const { logStartOffset, highWatermark } = await broker.topics.offsets(partition)
  if (logStartOffset === highWatermark) return true
  for (;;) {
    const [committed] = await broker.groups.committedOffsets(groupId, [partition])
    if (committed !== undefined && committed.offset >= highWatermark) return true
    if (performance.now() >= endMs) return false
    await sleep(lookEveryMs)
  }
}
