/**
 * What kind of failure a record met: it decides whether trying again can help.
 *
 * ```
 *   poison     the record itself is at fault: the same bytes fail every time; edit or discard it
 *   business   a rule refused it as things stand: replay it when they have changed, or discard it
 *   transient  whatever it met may be gone at the next attempt: worth a retry, then a replay
 * ```
 * Asked by the failure policy, which retries transient failures only, and written into the dead
 * letter. One table; an application adds its own errors to it (`RuntimeConfig.failureClasses`).
 */

import type { RecordError } from './classes.ts'
import type { RecordErrorCode } from './codes.ts'

export const failureClassNames = ['poison', 'business', 'transient'] as const

export type FailureClass = (typeof failureClassNames)[number]

/** By `code` or `name` of what user code or a serde threw, or by one of our record error codes. */
export type FailureClasses = Readonly<Record<string, FailureClass>>

const byRecordCode = {
  STREAMS_DESERIALIZATION: 'poison',
  STREAMS_TIMESTAMP: 'poison',
  STREAMS_PRODUCTION: 'poison',
  STREAMS_PROCESSING: 'transient', // user code threw, and nobody says more about it
} as const satisfies Record<RecordErrorCode, FailureClass>

const builtIn: FailureClasses = {
  ...byRecordCode,
  // a bug that this record meets: the code must change before it can pass
  TypeError: 'poison',
  RangeError: 'poison',
  ReferenceError: 'poison',
  SyntaxError: 'poison',
}

/** @param own  of the application; wins over the table, and the closer name over the wider one */
export const failureClassOf = (
  error: Pick<RecordError, 'code' | 'cause'>,
  own: FailureClasses,
): FailureClass => {
  const names = [causeCodeOf(error), error.cause instanceof Error ? error.cause.name : undefined]
  const closest = [...names, error.code].find((name) => name !== undefined && has(own, name))
  if (closest !== undefined) return own[closest]!
  const known = names.find((name) => name !== undefined && has(builtIn, name))
  return builtIn[known ?? error.code]!
}

/** As `failureClassOf`, for a dead letter that was written before classes were. */
export const classOfRecordCode = (code: string): FailureClass =>
  has(byRecordCode, code) ? byRecordCode[code as RecordErrorCode] : 'poison'

/** The application's own code of what was thrown, if it has one. */
export const causeCodeOf = ({ cause }: Pick<RecordError, 'cause'>): string | undefined => {
  const code = cause instanceof Error ? (cause as { readonly code?: unknown }).code : undefined
  return typeof code === 'string' ? code : undefined
}

const has = (table: FailureClasses, name: string): boolean => Object.hasOwn(table, name)
