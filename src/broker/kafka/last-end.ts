/**
 * How the last transaction of a transactional id ended, as its coordinator remembers it.
 *
 * Asked while the id is initialised, which makes the coordinator forget it. 1. What is being ended
 * counts as ended: the decision is in the log. 2. An open transaction says nothing yet: whoever
 * owns the id may still commit it.
 */

import { type Connection, describeTransactionsV0 } from '@platformatic/kafka'
import { call } from './protocol/call.ts'

/** `unknown`: there was none, it is open, or it was forgotten by an earlier init. */
export type LastEnd = 'aborted' | 'committed' | 'unknown'

const ends: Readonly<Record<string, LastEnd>> = {
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
  const { transactionStates } = await call(describeTransactionsV0.api, connection, [
    transactionalId,
  ])
  return ends[transactionStates[0]?.transactionState ?? ''] ?? 'unknown'
}
