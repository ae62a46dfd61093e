/**
 * Where a pass over a dead-letter topic goes on, as a text that callers hand back.
 *
 * It holds the end of every partition as of its first page: a letter that is replayed and fails
 * again at once comes behind that, so no pass meets it twice.
 */

import type { Broker, TopicDescription } from '../broker/port.ts'
import { DeskError } from './desk-error.ts'

export interface LetterCursor {
  readonly topicId: string
  readonly partition: number
  readonly offset: bigint
  /** By partition, exclusive. */
  readonly ends: readonly bigint[]
}

export const firstCursor = async (
  broker: Broker,
  { name: topic, topicId, partitions }: TopicDescription,
): Promise<LetterCursor> => {
  const numbers = Array.from({ length: partitions }, (_, partition) => partition)
  const offsets = await Promise.all(
    numbers.map((partition) => broker.topics.offsets({ topic, partition })),
  )
  const ends = offsets.map(({ lastStableOffset }) => lastStableOffset)
  return { topicId, partition: 0, offset: 0n, ends }
}

export const encodeCursor = ({ topicId, partition, offset, ends }: LetterCursor): string =>
  Buffer.from(JSON.stringify([topicId, partition, String(offset), ends.map(String)])).toString(
    'base64url',
  )

/** @throws {DeskError} DLQ_BAD_REQUEST: it is none, or of a topic that was made anew since */
export const decodeCursor = (text: string, topicId: string): LetterCursor => {
  try {
    const fields = JSON.parse(Buffer.from(text, 'base64url').toString()) as [
      string,
      number,
      string,
      readonly string[],
    ]
    const [ofTopic, partition, offset, ends] = fields
    if (ofTopic !== topicId || !Number.isInteger(partition)) throw new Error('of another topic')
    return { topicId, partition, offset: BigInt(offset), ends: ends.map(BigInt) }
  } catch (cause) {
    throw new DeskError('DLQ_BAD_REQUEST', `"${text}" is no cursor of this topic`, { cause })
  }
}
