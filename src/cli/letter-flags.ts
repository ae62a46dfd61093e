/** Flags that say which dead letters a command is about, and what they mean. */

import { userInfo, hostname } from 'node:os'
import type { Command } from 'commander'
import { parseDurationMs } from '../config/duration.ts'
import { nearest } from '../config/nearest.ts'
import { UsageError } from '../config/usage-error.ts'
import { type LetterSelection, type LetterStatus, letterStatuses } from '../dlq/letter-selection.ts'
import { deadLetterTopic } from './shop-topics.ts'

export interface LetterFlags {
  readonly dlq: string
  readonly topic?: string
  readonly task?: string
  readonly error?: string
  readonly since?: string
  readonly until?: string
  readonly key?: string
  readonly contains?: string
}

export const addLetterFlags = (command: Command): Command =>
  addTopicFlag(command)
    .option('--topic <name>', 'Only records of this topic.')
    .option('--task <id>', 'Only those that failed in this task, such as 0_3.')
    .option('--error <name>', 'Only this class (poison, business, transient), code or exception.')
    .option('--since <time>', 'Failed at or after this time: ISO 8601, or how long ago (2h).')
    .option('--until <time>', 'Failed before this time.')
    .option('--key <text>', 'Only records with this key.')
    .option('--contains <text>', 'Only with this text in the value or in the message.')

export const addTopicFlag = (command: Command): Command =>
  command.option('--dlq <topic>', 'Topic of the dead letters.', deadLetterTopic)

/** @throws {UsageError} a time that is none */
export const selectionOf = (flags: LetterFlags, nowMs: number): LetterSelection => {
  const { topic, task, error, key, contains, since, until } = flags
  return {
    ...(topic !== undefined && { topic }),
    ...(task !== undefined && { task }),
    ...(error !== undefined && { error }),
    ...(key !== undefined && { key }),
    ...(contains !== undefined && { contains }),
    ...(since !== undefined && { sinceMs: timeOf('--since', since, nowMs) }),
    ...(until !== undefined && { untilMs: timeOf('--until', until, nowMs) }),
  }
}

/** @returns undefined for `all` @throws {UsageError} there is no such status */
export const statusOf = (text: string): LetterStatus | undefined => {
  if (text === 'all') return undefined
  const status = letterStatuses.find((known) => known === text)
  if (status !== undefined) return status
  const best = nearest(text, [...letterStatuses, 'all'])
  throw new UsageError(`--status: unknown status '${text}'; the nearest known one is '${best}'`)
}

/** @throws {UsageError} no whole number from 1 to `most` */
export const countOf = (flag: string, text: string, most: number): number => {
  const count = Number(text)
  if (/^\d+$/.test(text) && count >= 1 && count <= most) return count
  throw new UsageError(`${flag}: "${text}" is not a whole number from 1 to ${most}`)
}

/** Who is named in the audit. */
export const actor = (): string => `${userInfo().username}@${hostname()}`

const timeOf = (flag: string, text: string, nowMs: number): number => {
  const agoMs = parseDurationMs(text)
  const timeMs = agoMs === undefined ? Date.parse(text) : nowMs - agoMs
  if (Number.isFinite(timeMs)) return Math.max(0, timeMs)
  throw new UsageError(
    `${flag}: "${text}" is neither a time such as 2026-01-31T12:00:00Z nor a duration such as 2h`,
  )
}
