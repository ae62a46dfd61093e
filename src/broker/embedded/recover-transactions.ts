/**
 * Reads the transaction rows that the last start left.
 *
 * Called by `TransactionCoordinator.recover`. Ids unused for a week are forgotten, as on Kafka:
 * every incarnation of an instance brings a new one.
 */

import type { Engine } from '../../../state/engine.ts'
import type { PartitionLog } from './partition-log.ts'
import { decodeJson, kindRange, nameOfKey } from './rows.ts'
import { Transaction, type TransactionRow } from './transaction.ts'

const expirationMs = 7 * 24 * 3_600_000

export interface RecoveredTransaction {
  readonly transactionalId: string
  readonly row: TransactionRow
  readonly transaction: Transaction
}

export interface RecoveredTransactions {
  readonly transactions: readonly RecoveredTransaction[]
  /** Transactional ids whose rows may be deleted. */
  readonly expired: readonly string[]
}

export const recoverTransactions = (
  engine: Engine,
  logs: Iterable<PartitionLog>,
  nowMs: number,
): RecoveredTransactions => {
  const logById = new Map([...logs].map((log) => [log.logId, log]))
  const transactions: RecoveredTransaction[] = []
  const expired: string[] = []
  const cursor = engine.scan(kindRange('transaction'))
  try {
    for (let rows = cursor.next(100); rows.length > 0; rows = cursor.next(100)) {
      for (const [key, value] of rows) {
        const transactionalId = nameOfKey(key)
        const row = decodeJson<TransactionRow>(value)
        if (row.state === 'empty' && row.updatedMs < nowMs - expirationMs) {
          expired.push(transactionalId)
        } else {
          transactions.push({ transactionalId, row, transaction: transactionOf(row, logById) })
        }
      }
    }
  } finally {
    cursor.close()
  }
  return { transactions, expired }
}

const transactionOf = (
  row: TransactionRow,
  logById: ReadonlyMap<number, PartitionLog>,
): Transaction => {
  const { producerId, producerEpoch } = row
  const transaction = new Transaction({ producerId, producerEpoch })
  for (const [logId, firstOffset] of row.partitions) {
    const log = logById.get(logId)
    if (log !== undefined) transaction.partitions.set(log, firstOffset)
  }
  for (const offset of row.offsets) {
    const name = `${offset.groupId}\0${offset.topic}\0${offset.partition}`
    transaction.offsets.set(name, { ...offset, offset: BigInt(offset.offset) })
  }
  return transaction
}
