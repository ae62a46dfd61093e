/** Dead letters as the answers of the desk show them. */

import type { Topic } from '../topic.ts'
import type { AuditEntry } from './audit-entry.ts'
import type { LetterState } from './audit-ledger.ts'
import { dateMs, type DeadLetter } from './dead-letter.ts'
import type { LetterDetail, LetterView } from './dead-letter-access.ts'
import { payloadOf, textPayload } from './payload.ts'
import { firstOf } from './replay-record.ts'

export type KnownTopics = ReadonlyMap<string, Topic<unknown, unknown>>

export const letterView = (
  letter: DeadLetter,
  { status, isEdited }: LetterState,
  topics: KnownTopics,
): LetterView => {
  const { id, source, failure, failureClass, failedAtMs, replay } = letter
  const { code, cause, task, node, message } = failure
  return {
    id,
    status,
    isEdited,
    failedAt: new Date(failedAtMs).toISOString(),
    source: source === undefined ? '' : `${source.topic}-${source.partition}@${source.offset}`,
    topic: source?.topic ?? '',
    class: failureClass,
    code,
    cause,
    task,
    node,
    message,
    key: payloadOf(letter.key, topics.get(source?.topic ?? '')?.key),
    replays: replay?.attempt ?? 0,
    first: firstOf(letter),
  }
}

interface Knowledge {
  readonly state: LetterState
  readonly audit: readonly AuditEntry[]
  readonly topics: KnownTopics
}

export const letterDetail = (
  letter: DeadLetter,
  { state, audit, topics }: Knowledge,
): LetterDetail => {
  const { failure, headers, value } = letter
  const { exception, stack, attempts, application, version } = failure
  const serde = topics.get(letter.source?.topic ?? '')?.value
  const { amendment } = state
  return {
    ...letterView(letter, state, topics),
    timestamp: new Date(dateMs(letter.timestampMs)).toISOString(),
    exception,
    stack,
    attempts,
    application,
    version,
    headers: headers.map((header) => ({ key: header.key, value: payloadOf(header.value) })),
    value: payloadOf(value, serde),
    raw: value === null ? null : textPayload(value),
    ...(amendment !== undefined && {
      amended: payloadOf(amendment, serde),
      amendedRaw: textPayload(amendment),
    }),
    audit,
  }
}
