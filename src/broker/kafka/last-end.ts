/**
 * How the last transaction of a transactional id ended, as its coordinator remembers it.
 *
 * Asked while the id is initialised, which makes the coordinator forget it. 1. What is being ended
 * counts as ended: the decision is in the log. 2. An open transaction says nothing yet: whoever
 * owns the id may still commit it.
 */

import { type Connection, describeTransactionsV0 } from '@platformatic/kafka'
import { call } from './protocol/call.ts'

export interface LastEnd {
  /** `unknown`: there was none, it is open, or it was forgotten by an earlier init. */
  readonly outcome: 'aborted' | 'committed' | 'unknown'
  /** What was sent in it has the epoch before this one; with transactions v1, or this one. */
  readonly epoch: number
}

export const unknownEnd: LastEnd = { outcome: 'unknown', epoch: -1 }

const outcomes: Readonly<Record<string, LastEnd['outcome']>> = {
  PrepareEpochFence: 'aborted',
  PrepareAbort: 'aborted',
  CompleteAbort: 'aborted',
  PrepareCommit: 'committed',
  CompleteCommit: 'committed',
}

/** Of a coordinator; an answer with an error is `unknown`, the request to follow tells it again. */
export const lastEnd = async (
  connection: Connection,
  transactionalId: string,
): Promise<LastEnd> => {
  const ids = [transactionalId]
  const [found] = (await call(describeTransactionsV0.api, connection, ids)).transactionStates
  if (found === undefined) return unknownEnd
  const { transactionState, producerEpoch: epoch } = found
  return { outcome: outcomes[transactionState] ?? 'unknown', epoch }
}
