/**
 * A failed record as a dead letter: original key, value and headers, plus where and why.
 *
 * Headers are Kafka's six of KIP-1034 (`__streams.errors.*`) and ours (`__millrace.*`), all UTF-8.
 * 1. Key and value bytes are unchanged, so that a replay is the same record. 2. Written in the
 * record's own transaction. 3. Headers of an earlier failure of the same record are replaced; those
 * of a replay stay, if this is the record that was replayed: they count how often it was.
 */

import type { Header, Headers } from '../record.ts'
import type { RecordError, RecordPosition } from './classes.ts'
import { errorHeaderPrefixes, errorHeaders, replayHeaders } from './dead-letter-headers.ts'
import { causeCodeOf, type FailureClass } from './failure-class.ts'

const stackCharactersMax = 4_096

export interface DeadLetterFacts {
  readonly failureClass: FailureClass
  readonly attempts: number
  /** Of the record. */
  readonly timestampMs: number
  readonly applicationId: string
  readonly applicationVersion: string
}

export const deadLetterHeaders = (
  original: Headers,
  error: RecordError,
  facts: DeadLetterFacts,
): Headers => {
  const cause = error.cause instanceof Error ? error.cause : error
  const causeCode = causeCodeOf(error)
  const fields: Readonly<Record<string, string>> = {
    [errorHeaders.exception]: cause.name,
    [errorHeaders.message]: error.message,
    [errorHeaders.stack]: (cause.stack ?? '').slice(0, stackCharactersMax),
    [errorHeaders.topic]: error.position.topic,
    [errorHeaders.partition]: String(error.position.partition),
    [errorHeaders.offset]: String(error.position.offset),
    [errorHeaders.code]: error.code,
    ...(causeCode !== undefined && { [errorHeaders.cause]: causeCode }),
    [errorHeaders.class]: facts.failureClass,
    [errorHeaders.task]: error.taskId,
    [errorHeaders.node]: error.node,
    [errorHeaders.attempts]: String(facts.attempts),
    [errorHeaders.timestampMs]: String(facts.timestampMs),
    [errorHeaders.application]: facts.applicationId,
    [errorHeaders.version]: facts.applicationVersion,
  }
  return [
    ...withoutErrors(original),
    ...replayOf(original, error.position),
    ...Object.entries(fields).map(([key, value]): Header => ({
      key,
      value: Buffer.from(value),
    })),
  ]
}

/** What the record had before it failed. */
export const withoutErrors = (headers: Headers): Headers =>
  headers.filter(({ key }) => !errorHeaderPrefixes.some((prefix) => key.startsWith(prefix)))

const replayNames: ReadonlySet<string> = new Set(Object.values(replayHeaders))

const replayOf = (headers: Headers, { topic, partition }: RecordPosition): Headers => {
  const to = headers.find(({ key }) => key === replayHeaders.to)?.value
  if (to === undefined || to === null) return []
  if (Buffer.from(to).toString() !== `${topic}-${partition}`) return []
  return headers.filter(({ key }) => replayNames.has(key))
}
