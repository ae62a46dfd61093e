/**
 * A failed record as a dead letter: original key, value and headers, plus where and why.
 *
 * Headers are Kafka's six of KIP-1034 (`__streams.errors.*`) and ours (`__millrace.*`), all UTF-8.
 * 1. Key and value bytes are unchanged, so that a replay is the same record. 2. Written in the
 * record's own transaction. 3. Headers of an earlier failure of the same record are replaced.
 */

import { type Header, type Headers } from '../record.ts'
import { type RecordError } from './classes.ts'

const prefixes = ['__streams.errors.', '__millrace.'] as const
const stackCharactersMax = 4_096

export interface DeadLetterFacts {
  readonly attempts: number
  readonly applicationId: string
  readonly applicationVersion: string
}

export const deadLetterHeaders = (
  original: Headers,
  error: RecordError,
  facts: DeadLetterFacts,
): Headers => {
  const cause = error.cause instanceof Error ? error.cause : error
  const fields: Readonly<Record<string, string>> = {
    '__streams.errors.exception': cause.name,
    '__streams.errors.message': error.message,
    '__streams.errors.stacktrace': (cause.stack ?? '').slice(0, stackCharactersMax),
    '__streams.errors.topic': error.position.topic,
    '__streams.errors.partition': String(error.position.partition),
    '__streams.errors.offset': String(error.position.offset),
    '__millrace.code': error.code,
    '__millrace.task': error.taskId,
    '__millrace.node': error.node,
    '__millrace.attempts': String(facts.attempts),
    '__millrace.application': facts.applicationId,
    '__millrace.version': facts.applicationVersion,
  }
  const kept = original.filter(({ key }) => !prefixes.some((prefix) => key.startsWith(prefix)))
  return [
    ...kept,
    ...Object.entries(fields).map(([key, value]): Header => ({
      key,
      value: Buffer.from(value),
    })),
  ]
}
