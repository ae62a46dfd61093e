/**
 * InitProducerId of a transactional id, and which transactions its cluster speaks.
 *
 * Used by `KafkaTransactionalProducer`. What the transaction before left open is aborted first: as
 * long as that takes the coordinator answers CONCURRENT_TRANSACTIONS, which is waited out. How it
 * ended is looked up before every attempt: an attempt that succeeds makes the coordinator forget.
 */

import { apiVersionsV3, type Connection } from '@platformatic/kafka'
import type { Cluster } from './cluster.ts'
import { brokerErrorOf, kafkaFailure, noError } from './errors.ts'
import { type LastEnd, lastEnd } from './last-end.ts'
import { ProducerIdentity } from './producer-identity.ts'
import { call } from './protocol/call.ts'
import { initProducerId } from './protocol/init-producer-id.ts'
import { type TransactionRequests, transactionRequests } from './protocol/transactions.ts'

export interface TransactionalId {
  readonly cluster: Cluster
  readonly transactionalId: string
  readonly transactionTimeoutMs: number
  readonly purpose: string
}

export interface Initialised {
  readonly identity: ProducerIdentity
  /** Of the transaction before. */
  readonly lastEnd: LastEnd
}

/**
 * @param owner  asks for a higher epoch, if it is the owner still; absent: the new owner
 * @throws {BrokerError} BROKER_PRODUCER_FENCED, BROKER_NOT_AUTHORIZED, BROKER_UNAVAILABLE
 */
export const initTransactionalId = async (
  id: TransactionalId,
  owner?: ProducerIdentity,
): Promise<Initialised> => {
  const { cluster, transactionalId, transactionTimeoutMs } = id
  const doing = `init of producer ${transactionalId}`
  const backoff = cluster.backoff({ firstMs: 2, mostMs: 100 })
  for (;;) {
    const answer = await askCoordinator(id, doing, async (connection) => ({
      end: await lastEnd(connection, transactionalId),
      ...(await call(initProducerId, connection, { transactionalId, transactionTimeoutMs, owner })),
    }))
    const { errorCode, producerId, epoch, end } = answer
    if (errorCode === noError) {
      return { identity: new ProducerIdentity(producerId, epoch, true), lastEnd: end }
    }
    const failure = brokerErrorOf(errorCode, doing)
    if (kafkaFailure(errorCode).handling === 'fail') throw failure
    await backoff.pause(failure)
  }
}

/** Asked of the coordinator, at every `init`: the cluster may have been upgraded. */
export const transactionsOf = async (id: TransactionalId): Promise<TransactionRequests> => {
  const doing = `versions for producer ${id.transactionalId}`
  const answer = await askCoordinator(id, doing, (connection) =>
    call(apiVersionsV3.api, connection, 'millrace', '1'),
  )
  if (answer.errorCode !== noError) throw brokerErrorOf(answer.errorCode, doing)
  return transactionRequests(answer)
}

const askCoordinator = <Answer extends { readonly errorCode: number }>(
  { cluster, transactionalId, purpose }: TransactionalId,
  doing: string,
  request: (connection: Connection) => Promise<Answer>,
): Promise<Answer> =>
  cluster.askCoordinator({
    kind: 'transaction',
    key: transactionalId,
    purpose,
    doing,
    isRepeatable: true,
    request,
    errorCode: ({ errorCode }) => errorCode,
  })
