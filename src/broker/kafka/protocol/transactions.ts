/**
 * The requests that differ between transactions v1 (Kafka 3) and v2 (KIP-890, Kafka 4).
 *
 * The cluster decides, by its finalized feature `transaction.version`: brokers of version 4 that
 * were upgraded speak v1 until an administrator raises it. A producer asks at every `init`, so an
 * upgrade is noticed at the next one; v1 is served to who goes on with it.
 */

import type { apiVersionsV3 } from '@platformatic/kafka'
import { type EndTxn, endTxnV3, endTxnV5 } from './end-txn.ts'
import { type Produce, produceV12, produceV9 } from './produce.ts'
import { type TxnOffsetCommit, txnOffsetCommitV3, txnOffsetCommitV5 } from './txn-offset-commit.ts'

export interface TransactionRequests {
  /** Partitions and groups join a transaction by requests of their own, before they are sent to. */
  readonly isJoinedAhead: boolean
  readonly produce: Produce
  readonly txnOffsetCommit: TxnOffsetCommit
  readonly endTxn: EndTxn
}

const transactionsV1: TransactionRequests = {
  isJoinedAhead: true,
  produce: produceV9,
  txnOffsetCommit: txnOffsetCommitV3,
  endTxn: endTxnV3,
}

export const transactionsV2: TransactionRequests = {
  isJoinedAhead: false,
  produce: produceV12,
  txnOffsetCommit: txnOffsetCommitV5,
  endTxn: endTxnV5,
}

type Answer = Pick<apiVersionsV3.ApiVersionsResponse, 'finalizedFeatures'>

export const transactionRequests = ({ finalizedFeatures }: Answer): TransactionRequests => {
  const feature = finalizedFeatures?.find(({ name }) => name === 'transaction.version')
  return (feature?.maxVersionLevel ?? 0) >= 2 ? transactionsV2 : transactionsV1
}
