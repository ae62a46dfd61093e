/**
 * Offsets that join a transaction: TxnOffsetCommit, all partitions in one request.
 *
 * Used by `KafkaTransactionalProducer`. 1. Member and generation go with every request: without
 * them a removed member would not be fenced. 2. A lost answer is asked for again: the same offsets
 * twice are the same offsets.
 */

import type { BrokerError } from '../errors.ts'
import type { CommittedOffset, GroupMetadata } from '../port.ts'
import type { Cluster } from './cluster.ts'
import { brokerErrorOf, kafkaFailure, noError } from './errors.ts'
import type { ProducerIdentity } from './producer-identity.ts'
import { call } from './protocol/call.ts'
import type { TxnOffsetCommit, TxnOffsetCommitAnswer } from './protocol/txn-offset-commit.ts'

export interface TransactionOffsetsOptions {
  readonly cluster: Cluster
  readonly transactionalId: string
  readonly purpose: string
}

export interface OffsetsOwner {
  readonly identity: ProducerIdentity
  readonly txnOffsetCommit: TxnOffsetCommit
}

export class TransactionOffsets {
  readonly #options: TransactionOffsetsOptions

  constructor(options: TransactionOffsetsOptions) {
    this.#options = options
  }

  /** @throws {BrokerError} BROKER_FENCED, BROKER_UNKNOWN_MEMBER, BROKER_PRODUCER_FENCED, ... */
  async send(
    offsets: readonly CommittedOffset[],
    group: GroupMetadata,
    { identity, txnOffsetCommit }: OffsetsOwner,
  ): Promise<void> {
    if (offsets.length === 0) return
    const { cluster, transactionalId, purpose } = this.#options
    const topics = [...Map.groupBy(offsets, ({ topic }) => topic)].map(([topic, ofTopic]) => ({
      topic,
      offsets: ofTopic,
    }))
    const { producerId, epoch } = identity
    const request = { transactionalId, producerId, epoch, group, topics }
    const backoff = cluster.backoff({ firstMs: 2, mostMs: 100 })
    for (;;) {
      const answers = await cluster.askCoordinator({
        kind: 'group',
        key: group.groupId,
        purpose,
        isRepeatable: true,
        doing: `offsets of group ${group.groupId}`,
        request: (connection) => call(txnOffsetCommit, connection, request),
        errorCode: (found) => firstError(found)?.errorCode ?? noError,
      })
      const refused = firstError(answers)
      if (refused === undefined) return
      const failure = failureOf(refused, group)
      if (kafkaFailure(refused.errorCode).handling === 'fail') throw failure
      await backoff.pause(failure)
    }
  }
}

const firstError = (answers: readonly TxnOffsetCommitAnswer[]): TxnOffsetCommitAnswer | undefined =>
  answers.find(({ errorCode }) => errorCode !== noError)

const failureOf = (
  { topic, partition, errorCode }: TxnOffsetCommitAnswer,
  { groupId, memberId, generationId }: GroupMetadata,
): BrokerError =>
  brokerErrorOf(
    errorCode,
    `offset of ${topic}-${partition} for group ${groupId}, `
      + `member ${memberId}, generation ${generationId}`,
    { topic, partition },
  )
