/**
 * Failures of a broker, classified once; callers switch on `action`, never on code or message.
 */

import type { ErrorAction } from '../errors/codes.ts'

export const brokerErrorCodes = {
  BROKER_UNAVAILABLE: 'retry', // no connection, leader moving: wait and ask again
  BROKER_NOT_AUTHORIZED: 'stop', // wrong credentials, or an ACL is missing: the message names it
  BROKER_CLOSED: 'stop', // used after close: a bug in the caller
  BROKER_UNKNOWN_TOPIC: 'stop', // create it: millrace topics apply
  BROKER_OFFSET_OUT_OF_RANGE: 'stop', // records were deleted unread; never reset silently
  BROKER_RECORD_TOO_LARGE: 'skip', // abort, then the cause goes to the dead letters
  BROKER_INVALID_RECORD: 'skip', // bad timestamp or null key where compaction needs one
  BROKER_INVALID_REQUEST: 'stop', // a bug in the caller, or other partition counts than wanted
  BROKER_PRODUCER_FENCED: 'rejoin', // a newer owner of the transactional id exists
  BROKER_FENCED: 'rejoin', // generation is old: tasks belong to someone else
  BROKER_INSTANCE_FENCED: 'stop', // another process joined under the instance id: ids must differ
  BROKER_UNKNOWN_MEMBER: 'rejoin', // removed from the group: join without a member id
  BROKER_CONCURRENT_TRANSACTIONS: 'retry', // the previous end is still being written
  BROKER_UNKNOWN_OUTCOME: 'reopenTask', // time-out or lost connection: never guessed
  BROKER_TRANSACTION_TIMED_OUT: 'reopenTask', // the broker aborted it
} as const satisfies Record<string, ErrorAction>

export type BrokerErrorCode = keyof typeof brokerErrorCodes

export interface BrokerErrorDetails {
  readonly topic?: string
  readonly partition?: number
  /** Of a rejected record: its index within the ProduceBatch of topic and partition. */
  readonly recordIndex?: number
  readonly cause?: unknown
}

export class BrokerError extends Error {
  override readonly name = 'BrokerError'
  readonly code: BrokerErrorCode
  readonly action: ErrorAction
  readonly details: BrokerErrorDetails

  constructor(code: BrokerErrorCode, message: string, details: BrokerErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.action = brokerErrorCodes[code]
    this.details = details
  }
}

/** A heartbeat that failed so says that the member has no place in the group any more. */
export const endsMembership = (error: unknown): error is BrokerError =>
  error instanceof BrokerError
  && (error.action === 'rejoin' || error.code === 'BROKER_INSTANCE_FENCED')
