/**
 * Passes over a dead-letter topic: partition by partition, in the order of the offsets.
 *
 * There is no index: a pass costs the topic from the cursor on. Letters that were asked for by id
 * are fetched one by one.
 */

import type { Broker, TopicDescription } from '../broker/port.ts'
import { readCommitted } from '../broker/read-committed.ts'
import { type DeadLetter, deadLetterOf } from './dead-letter.ts'
import type { LetterCursor } from './letter-cursor.ts'
import { letterId, type LetterPosition, parseLetterId } from './letter-id.ts'

export interface ScannedLetter {
  readonly letter: DeadLetter
  /** Where a pass goes on behind it. */
  readonly next: LetterCursor
}

export async function* scanLetters(
  broker: Broker,
  topic: string,
  cursor: LetterCursor,
): AsyncGenerator<ScannedLetter> {
  for (let partition = cursor.partition; partition < cursor.ends.length; partition++) {
    const from = partition === cursor.partition ? cursor.offset : 0n
    const range = { topic, partition, from, to: cursor.ends[partition]! }
    for await (const { offset, record } of readCommitted(broker, range)) {
      const letter = deadLetterOf(topic, { partition, offset }, record)
      yield { letter, next: { ...cursor, partition, offset: offset + 1n } }
    }
  }
}

export interface FoundLetters {
  /** In the order of their places. */
  readonly letters: readonly DeadLetter[]
  readonly missing: readonly string[]
}

/** Letters by their ids; each once, however often it is named. */
export const findLetters = async (
  broker: Broker,
  topic: TopicDescription,
  ids: readonly string[],
): Promise<FoundLetters> => {
  const letters: DeadLetter[] = []
  const missing: string[] = []
  const wanted = new Map<string, LetterPosition>()
  for (const id of ids) {
    const position = parseLetterId(topic.name, id)
    if (position === undefined || position.partition >= topic.partitions) missing.push(id)
    else wanted.set(letterId(topic.name, position), position)
  }
  for (const [id, position] of [...wanted].toSorted(byPlace)) {
    const letter = await findLetter(broker, topic.name, position)
    if (letter === undefined) missing.push(id)
    else letters.push(letter)
  }
  return { letters, missing }
}

const findLetter = async (
  broker: Broker,
  topic: string,
  { partition, offset }: LetterPosition,
): Promise<DeadLetter | undefined> => {
  const { lastStableOffset } = await broker.topics.offsets({ topic, partition })
  if (offset >= lastStableOffset) return undefined
  const range = { topic, partition, from: offset, to: offset + 1n, maxBytes: 1 }
  for await (const found of readCommitted(broker, range)) {
    if (found.offset === offset) return deadLetterOf(topic, { partition, offset }, found.record)
  }
  return undefined
}

type Wanted = readonly [string, LetterPosition]

const byPlace = ([, a]: Wanted, [, b]: Wanted): number =>
  a.partition - b.partition || Number(a.offset - b.offset)
