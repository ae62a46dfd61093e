/**
 * The end of a transaction: EndTxn, until its answer is known, or known to be lost.
 *
 * Used by `KafkaTransactionalProducer`. 1. A lost answer is asked for again with the same epoch,
 * which is safe. 2. When a later answer contradicts, the outcome is unknown, and so it is told.
 */

import { BrokerError } from '../errors.ts'
import { type Cluster, isUnavailable } from './cluster.ts'
import { brokerErrorOf, kafkaFailure, noError } from './errors.ts'
import { call } from './protocol/call.ts'
import type { EndTxn, EndTxnAnswer, EndTxnRequest } from './protocol/end-txn.ts'

export interface EndTransactionOptions {
  readonly cluster: Cluster
  readonly purpose: string
  readonly endTxn: EndTxn
  readonly request: EndTxnRequest
  /** An error code that says that it ended as wanted. */
  isEnded?(errorCode: number): boolean
}

/**
 * @throws {BrokerError} BROKER_UNKNOWN_OUTCOME: initialise, then read the committed offsets;
 * BROKER_PRODUCER_FENCED, BROKER_TRANSACTION_TIMED_OUT: it was not committed
 */
export const endTransaction = async (options: EndTransactionOptions): Promise<EndTxnAnswer> => {
  const { cluster, purpose, endTxn, request, isEnded } = options
  const { transactionalId, isCommit } = request
  const doing = `${isCommit ? 'commit' : 'abort'} of ${transactionalId}`
  const backoff = cluster.backoff({ firstMs: 2, mostMs: 100 })
  let isUncertain = false
  for (;;) {
    const answer = await cluster
      .askCoordinator({
        kind: 'transaction',
        key: transactionalId,
        purpose,
        doing,
        isRepeatable: false,
        request: (connection) => call(endTxn, connection, request),
        errorCode: ({ errorCode }) => {
          // a coordinator that moves may have written it all the same
          if (kafkaFailure(errorCode).handling === 'coordinator') isUncertain = true
          return errorCode
        },
      })
      .catch((error: unknown) => lostAnswer(error, doing))
    if (answer instanceof BrokerError) {
      isUncertain = true
      await backoff.pause(answer)
      continue
    }
    const { errorCode } = answer
    if (errorCode === noError || isEnded?.(errorCode) === true) return answer
    const refused = brokerErrorOf(errorCode, doing)
    const failure = isUncertain ? unknownOutcome(refused) : refused
    if (kafkaFailure(errorCode).handling === 'fail') throw failure
    await backoff.pause(unknownOutcome(refused))
  }
}

/** @throws what is not about the connection */
const lostAnswer = (error: unknown, doing: string): BrokerError => {
  if (!isUnavailable(error)) throw error
  return new BrokerError('BROKER_UNKNOWN_OUTCOME', `${doing}: no answer: ${error.message}`, {
    cause: error,
  })
}

const unknownOutcome = (cause: BrokerError): BrokerError =>
  new BrokerError('BROKER_UNKNOWN_OUTCOME', `an answer was lost, and then: ${cause.message}`, {
    cause,
  })
