/**
 * From a dead letter to the record that is sent again: same topic, partition, key, time, headers.
 *
 * Used by the desk. The record goes to the partition it came from, wherever its key would go: the
 * state that belongs to it lies there. Headers say that it is a replay, and count.
 */

import type { ProduceRecord, TopicDescription, TopicSettings } from '../broker/port.ts'
import { replayHeaders } from '../errors/dead-letter-headers.ts'
import type { DeadLetter } from './dead-letter.ts'

export interface ReplayTerms {
  /** Replays of one record after which it is refused. */
  readonly attemptsMax: number
  /** Replay it all the same. */
  readonly isForced: boolean
  /** Gives the record the time of the replay instead of its own. */
  readonly isTimedNow: boolean
  readonly nowMs: number
}

/** What the broker says of the topics that letters came from. */
export interface ReplayTargets {
  readonly described: ReadonlyMap<string, TopicDescription>
  readonly settings: ReadonlyMap<string, TopicSettings>
}

export const attemptOf = ({ replay }: DeadLetter): number => (replay?.attempt ?? 0) + 1

export const firstOf = ({ replay, id }: DeadLetter): string => replay?.first ?? id

/** @returns why it must not be replayed, for people; undefined if it may */
export const replayRefusal = (
  letter: DeadLetter,
  { described, settings }: ReplayTargets,
  terms: ReplayTerms,
): string | undefined => {
  const { source, replay, timestampMs } = letter
  if (source === undefined) return 'it does not say where it came from'
  const { topic, partition } = source
  const found = described.get(topic)
  if (found === undefined) return `there is no topic ${topic}`
  if (partition >= found.partitions) return `there is no partition ${partition} of ${topic}`
  const attempts = replay?.attempt ?? 0
  if (attempts >= terms.attemptsMax && !terms.isForced) {
    return `its record was replayed ${attempts} times already (first ${replay!.first}): --force`
  }
  const { cleanupPolicy, retentionMs } = settings.get(topic) ?? found.config
  const keptMs = retentionMs === undefined || retentionMs < 0 ? Infinity : retentionMs
  const isDeleting = cleanupPolicy !== 'compact'
  if (isDeleting && !terms.isTimedNow && terms.nowMs - timestampMs >= keptMs) {
    return `it is older than ${topic} keeps records, which would delete it unread: --now`
  }
  return undefined
}

/** @param value  of the last edit, else the letter's own */
export const replayRecord = (
  letter: DeadLetter,
  value: Uint8Array | null,
  { isTimedNow, nowMs }: ReplayTerms,
): ProduceRecord => {
  const { topic, partition } = letter.source!
  const told = {
    [replayHeaders.of]: letter.id,
    [replayHeaders.first]: firstOf(letter),
    [replayHeaders.attempt]: String(attemptOf(letter)),
    [replayHeaders.to]: `${topic}-${partition}`,
  }
  return {
    timestampMs: isTimedNow ? nowMs : Math.max(0, letter.timestampMs),
    key: letter.key,
    value,
    headers: [
      ...letter.headers,
      ...Object.entries(told).map(([key, text]) => ({ key, value: Buffer.from(text) })),
    ],
  }
}
