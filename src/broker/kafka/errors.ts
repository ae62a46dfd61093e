/**
 * Kafka's error codes and lost connections, classified once.
 *
 * Called by everything of this folder that reads an answer. 1. `handling` is for the adapter: what
 * it tries before anybody hears of it. 2. `code` is for the runtime, when that did not help. 3. A
 * code that is not listed is a bug or a newer broker: it stops.
 */

import { BrokerError, type BrokerErrorCode, type BrokerErrorDetails } from '../errors.ts'

/**
 * `again`: the same request after a pause. `metadata`: after asking for leaders. `coordinator`:
 * after looking the coordinator up. `fail`: not by the adapter.
 */
export type Handling = 'again' | 'metadata' | 'coordinator' | 'fail'

export interface KafkaFailure {
  readonly name: string
  readonly handling: Handling
  readonly code: BrokerErrorCode
  /** What the operator does. */
  readonly advice?: string
}

export const noError = 0

/** Codes that single calls look at themselves. */
export const kafkaCodes = {
  offsetOutOfRange: 1,
  unknownTopic: 3,
  messageTooLarge: 10,
  illegalGeneration: 22,
  unknownMemberId: 25,
  rebalanceInProgress: 27,
  invalidTimestamp: 32,
  topicAlreadyExists: 36,
  outOfOrderSequence: 45,
  duplicateSequence: 46,
  invalidProducerEpoch: 47,
  invalidTransactionState: 48,
  concurrentTransactions: 51,
  operationNotAttempted: 55,
  groupIdNotFound: 69,
  fetchSessionIdNotFound: 70,
  invalidFetchSessionEpoch: 71,
  fetchSessionTopicIdError: 106,
  memberIdRequired: 79,
  invalidRecord: 87,
  unstableOffsetCommit: 88,
  producerFenced: 90,
} as const

type Row = readonly [name: string, handling: Handling, code: BrokerErrorCode, advice?: string]

const acl = (operation: string, resource: string): string =>
  `the principal lacks the ACL ${operation} on the ${resource}`

const rows: Readonly<Record<number, Row>> = {
  [-1]: ['UNKNOWN_SERVER_ERROR', 'again', 'BROKER_UNAVAILABLE', 'see the log of the broker'],
  1: ['OFFSET_OUT_OF_RANGE', 'fail', 'BROKER_OFFSET_OUT_OF_RANGE'],
  2: ['CORRUPT_MESSAGE', 'again', 'BROKER_UNAVAILABLE', 'bytes were damaged on their way'],
  3: ['UNKNOWN_TOPIC_OR_PARTITION', 'metadata', 'BROKER_UNKNOWN_TOPIC'],
  5: ['LEADER_NOT_AVAILABLE', 'metadata', 'BROKER_UNAVAILABLE'],
  6: ['NOT_LEADER_OR_FOLLOWER', 'metadata', 'BROKER_UNAVAILABLE'],
  7: ['REQUEST_TIMED_OUT', 'again', 'BROKER_UNAVAILABLE', 'replicas were too slow'],
  8: ['BROKER_NOT_AVAILABLE', 'metadata', 'BROKER_UNAVAILABLE'],
  9: ['REPLICA_NOT_AVAILABLE', 'metadata', 'BROKER_UNAVAILABLE'],
  10: ['MESSAGE_TOO_LARGE', 'fail', 'BROKER_RECORD_TOO_LARGE', 'raise max.message.bytes'],
  12: [
    'OFFSET_METADATA_TOO_LARGE',
    'fail',
    'BROKER_INVALID_REQUEST',
    'raise offset.metadata.max.bytes of the brokers',
  ],
  13: ['NETWORK_EXCEPTION', 'again', 'BROKER_UNAVAILABLE'],
  14: ['COORDINATOR_LOAD_IN_PROGRESS', 'again', 'BROKER_UNAVAILABLE'],
  15: ['COORDINATOR_NOT_AVAILABLE', 'coordinator', 'BROKER_UNAVAILABLE'],
  16: ['NOT_COORDINATOR', 'coordinator', 'BROKER_UNAVAILABLE'],
  17: ['INVALID_TOPIC_EXCEPTION', 'fail', 'BROKER_INVALID_REQUEST'],
  18: ['RECORD_LIST_TOO_LARGE', 'fail', 'BROKER_RECORD_TOO_LARGE'],
  19: ['NOT_ENOUGH_REPLICAS', 'again', 'BROKER_UNAVAILABLE', 'too few replicas are in sync'],
  20: ['NOT_ENOUGH_REPLICAS_AFTER_APPEND', 'again', 'BROKER_UNAVAILABLE'],
  22: ['ILLEGAL_GENERATION', 'fail', 'BROKER_FENCED'],
  23: [
    'INCONSISTENT_GROUP_PROTOCOL',
    'fail',
    'BROKER_INVALID_REQUEST',
    'the group is in use by another kind of consumer',
  ],
  24: ['INVALID_GROUP_ID', 'fail', 'BROKER_INVALID_REQUEST'],
  25: ['UNKNOWN_MEMBER_ID', 'fail', 'BROKER_UNKNOWN_MEMBER'],
  26: [
    'INVALID_SESSION_TIMEOUT',
    'fail',
    'BROKER_INVALID_REQUEST',
    'it must lie between group.min.session.timeout.ms and group.max.session.timeout.ms',
  ],
  27: ['REBALANCE_IN_PROGRESS', 'fail', 'BROKER_FENCED'],
  29: [
    'TOPIC_AUTHORIZATION_FAILED',
    'fail',
    'BROKER_NOT_AUTHORIZED',
    acl('Read, Write or Describe', 'topic'),
  ],
  30: ['GROUP_AUTHORIZATION_FAILED', 'fail', 'BROKER_NOT_AUTHORIZED', acl('Read', 'group')],
  31: [
    'CLUSTER_AUTHORIZATION_FAILED',
    'fail',
    'BROKER_NOT_AUTHORIZED',
    acl('Create, or IdempotentWrite', 'cluster'),
  ],
  32: [
    'INVALID_TIMESTAMP',
    'fail',
    'BROKER_INVALID_RECORD',
    'see message.timestamp.before.max.ms and message.timestamp.after.max.ms of the topic',
  ],
  33: ['UNSUPPORTED_SASL_MECHANISM', 'fail', 'BROKER_NOT_AUTHORIZED'],
  35: ['UNSUPPORTED_VERSION', 'fail', 'BROKER_INVALID_REQUEST', 'Kafka 3.6 or newer is needed'],
  36: ['TOPIC_ALREADY_EXISTS', 'fail', 'BROKER_INVALID_REQUEST'],
  37: ['INVALID_PARTITIONS', 'fail', 'BROKER_INVALID_REQUEST'],
  38: [
    'INVALID_REPLICATION_FACTOR',
    'fail',
    'BROKER_INVALID_REQUEST',
    'there are fewer brokers than replicas wanted',
  ],
  40: ['INVALID_CONFIG', 'fail', 'BROKER_INVALID_REQUEST'],
  41: ['NOT_CONTROLLER', 'again', 'BROKER_UNAVAILABLE'],
  42: ['INVALID_REQUEST', 'fail', 'BROKER_INVALID_REQUEST'],
  44: ['POLICY_VIOLATION', 'fail', 'BROKER_INVALID_REQUEST'],
  45: ['OUT_OF_ORDER_SEQUENCE_NUMBER', 'fail', 'BROKER_UNKNOWN_OUTCOME'],
  46: ['DUPLICATE_SEQUENCE_NUMBER', 'fail', 'BROKER_UNKNOWN_OUTCOME'],
  47: ['INVALID_PRODUCER_EPOCH', 'fail', 'BROKER_PRODUCER_FENCED'],
  48: ['INVALID_TXN_STATE', 'fail', 'BROKER_TRANSACTION_TIMED_OUT'],
  49: [
    'INVALID_PRODUCER_ID_MAPPING',
    'fail',
    'BROKER_UNKNOWN_OUTCOME',
    'the transactional id expired',
  ],
  50: [
    'INVALID_TRANSACTION_TIMEOUT',
    'fail',
    'BROKER_INVALID_REQUEST',
    'it must not be above transaction.max.timeout.ms',
  ],
  51: ['CONCURRENT_TRANSACTIONS', 'again', 'BROKER_CONCURRENT_TRANSACTIONS'],
  52: ['TRANSACTION_COORDINATOR_FENCED', 'coordinator', 'BROKER_UNAVAILABLE'],
  53: [
    'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
    'fail',
    'BROKER_NOT_AUTHORIZED',
    acl('Write and Describe', 'transactional id'),
  ],
  // another partition of the request was refused
  55: ['OPERATION_NOT_ATTEMPTED', 'again', 'BROKER_UNAVAILABLE'],
  56: ['KAFKA_STORAGE_ERROR', 'metadata', 'BROKER_UNAVAILABLE', 'a disk of the broker failed'],
  58: ['SASL_AUTHENTICATION_FAILED', 'fail', 'BROKER_NOT_AUTHORIZED'],
  59: ['UNKNOWN_PRODUCER_ID', 'fail', 'BROKER_UNKNOWN_OUTCOME'],
  60: ['REASSIGNMENT_IN_PROGRESS', 'again', 'BROKER_UNAVAILABLE'],
  69: ['GROUP_ID_NOT_FOUND', 'fail', 'BROKER_UNKNOWN_MEMBER'],
  70: ['FETCH_SESSION_ID_NOT_FOUND', 'again', 'BROKER_UNAVAILABLE'],
  71: ['INVALID_FETCH_SESSION_EPOCH', 'again', 'BROKER_UNAVAILABLE'],
  74: ['FENCED_LEADER_EPOCH', 'metadata', 'BROKER_UNAVAILABLE'],
  75: ['UNKNOWN_LEADER_EPOCH', 'metadata', 'BROKER_UNAVAILABLE'],
  76: ['UNSUPPORTED_COMPRESSION_TYPE', 'fail', 'BROKER_INVALID_REQUEST'],
  78: ['OFFSET_NOT_AVAILABLE', 'metadata', 'BROKER_UNAVAILABLE'],
  79: ['MEMBER_ID_REQUIRED', 'fail', 'BROKER_UNKNOWN_MEMBER'],
  81: ['GROUP_MAX_SIZE_REACHED', 'fail', 'BROKER_INVALID_REQUEST', 'raise group.max.size'],
  82: [
    'FENCED_INSTANCE_ID',
    'fail',
    'BROKER_INSTANCE_FENCED',
    'another process has joined under its instance id since',
  ],
  87: ['INVALID_RECORD', 'fail', 'BROKER_INVALID_RECORD'],
  88: ['UNSTABLE_OFFSET_COMMIT', 'again', 'BROKER_CONCURRENT_TRANSACTIONS'],
  89: ['THROTTLING_QUOTA_EXCEEDED', 'again', 'BROKER_UNAVAILABLE'],
  90: ['PRODUCER_FENCED', 'fail', 'BROKER_PRODUCER_FENCED'],
  100: ['UNKNOWN_TOPIC_ID', 'metadata', 'BROKER_UNKNOWN_TOPIC'],
  103: ['INCONSISTENT_TOPIC_ID', 'metadata', 'BROKER_UNKNOWN_TOPIC'],
  106: ['FETCH_SESSION_TOPIC_ID_ERROR', 'again', 'BROKER_UNAVAILABLE'],
  110: ['FENCED_MEMBER_EPOCH', 'fail', 'BROKER_FENCED'],
  113: ['STALE_MEMBER_EPOCH', 'fail', 'BROKER_FENCED'],
  120: ['TRANSACTION_ABORTABLE', 'fail', 'BROKER_TRANSACTION_TIMED_OUT'],
  129: ['REBOOTSTRAP_REQUIRED', 'metadata', 'BROKER_UNAVAILABLE'],
}

export const kafkaFailure = (errorCode: number): KafkaFailure => {
  const row = rows[errorCode]
  if (row === undefined) {
    return { name: `error ${errorCode}`, handling: 'fail', code: 'BROKER_INVALID_REQUEST' }
  }
  const [name, handling, code, advice] = row
  return advice === undefined ? { name, handling, code } : { name, handling, code, advice }
}

/** @param doing  what was tried, for the message: `fetch of orders-0 at 17` */
export const brokerErrorOf = (
  errorCode: number,
  doing: string,
  details: BrokerErrorDetails = {},
  serverMessage?: string | null,
): BrokerError => {
  const { name, code, advice } = kafkaFailure(errorCode)
  const reasons = [serverMessage, advice].filter((text) => typeof text === 'string' && text !== '')
  return new BrokerError(code, [`${doing}: ${name}`, ...reasons].join('; '), details)
}

/** What the connection layer threw: credentials or certificates refused stop, all else may pass. */
export const connectionErrorOf = (error: unknown, doing: string): BrokerError => {
  if (error instanceof BrokerError) return error
  const refused = inChain(error, 'PLT_KFK_AUTHENTICATION')
  if (refused !== undefined) {
    const reason = refused.message.startsWith('Cannot find a suitable SASL mechanism')
      ? 'the broker does not offer this SASL mechanism; use one of its sasl.enabled.mechanisms'
      : `the broker refused the credentials: ${refused.message}`
    return new BrokerError('BROKER_NOT_AUTHORIZED', `${doing}: ${reason}`, { cause: error })
  }
  const message = rootMessage(error)
  if (isHandshakeCut(message)) {
    const hint = 'a broker that starts or stops, or the port does not speak TLS'
    return new BrokerError('BROKER_UNAVAILABLE', `${doing}: ${message}; ${hint}`, { cause: error })
  }
  if (inChain(error, 'PLT_KFK_USER') !== undefined) {
    const hint = isNoTls(message) ? '; the port does not speak TLS' : ''
    return new BrokerError('BROKER_INVALID_REQUEST', `${doing}: ${message}${hint}`, {
      cause: error,
    })
  }
  return new BrokerError('BROKER_UNAVAILABLE', `${doing}: ${message}`, { cause: error })
}

/** So it ends at a port of plain text, but also in front of a broker that goes down. */
const isHandshakeCut = (message: string): boolean =>
  message.includes('disconnected before secure TLS')

/** The other side answered in its own words. */
const isNoTls = (message: string): boolean => message.includes('wrong version number')

/** The library wraps: causes of causes, and several errors in one. */
const inChain = (error: unknown, code: string): Error | undefined => {
  if (!(error instanceof Error)) return undefined
  if ('code' in error && error.code === code) return error
  const inside = error instanceof AggregateError ? error.errors : []
  for (const next of [error.cause, ...inside]) {
    const found = inChain(next, code)
    if (found !== undefined) return found
  }
  return undefined
}

const rootMessage = (error: unknown): string => {
  let root = error
  while (root instanceof Error && root.cause instanceof Error) root = root.cause
  return root instanceof Error ? root.message : String(root)
}
