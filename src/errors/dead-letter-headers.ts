/**
 * Names of the headers of dead letters, for those who write them and those who read them.
 *
 * Kafka's six of KIP-1034 (`__streams.errors.*`) and ours (`__millrace.*`); every value is UTF-8.
 * Headers of a replay go with the record to its topic, and from there into its next dead letter.
 */

export const errorHeaderPrefixes = ['__streams.errors.', '__millrace.'] as const

export const errorHeaders = {
  exception: '__streams.errors.exception',
  message: '__streams.errors.message',
  stack: '__streams.errors.stacktrace',
  topic: '__streams.errors.topic',
  partition: '__streams.errors.partition',
  offset: '__streams.errors.offset',
  code: '__millrace.code',
  /** The application's own code of what was thrown; absent without one. */
  cause: '__millrace.cause',
  class: '__millrace.class',
  task: '__millrace.task',
  node: '__millrace.node',
  attempts: '__millrace.attempts',
  /** Time of the record, in ms; the letter's own time is that of the failure. */
  timestampMs: '__millrace.timestamp-ms',
  application: '__millrace.application',
  version: '__millrace.version',
} as const

export const replayHeaders = {
  /** Id of the dead letter that was replayed. */
  of: '__millrace.replay-of',
  /** Id of the first dead letter of this record. */
  first: '__millrace.replay-first',
  /** How many times it was replayed by now. */
  attempt: '__millrace.replay-attempt',
  /** `topic-partition` it was replayed to: what is made of it elsewhere is another record. */
  to: '__millrace.replay-to',
} as const
