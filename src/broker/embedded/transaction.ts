/**
 * One transaction between its first write and its markers, and the row that survives a crash.
 *
 * ```
 *   open ──commit, abort, time-out, fence──► preparing ──durable──► prepared ──markers──► gone
 * ```
 * Held by `TransactionCoordinator`. The row says `open` as soon as a partition is touched, so a
 * start knows what to abort, and `commit` or `abort` before anybody is told of the end.
 */

import type { GroupOffset } from './committed-offsets.ts'
import type { PartitionLog, ProducerIdentity } from './partition-log.ts'

export interface TransactionRow {
  readonly producerId: number
  readonly producerEpoch: number
  readonly state: 'empty' | 'open' | 'commit' | 'abort'
  readonly timeoutMs: number
  readonly updatedMs: number
  /** Pairs of log id and first offset. */
  readonly partitions: readonly (readonly [logId: number, firstOffset: number])[]
  /** Offsets are decimal strings; present once the commit is prepared. */
  readonly offsets: readonly (Omit<GroupOffset, 'offset'> & { readonly offset: string })[]
}

export class Transaction {
  readonly identity: ProducerIdentity
  /** Log → offset of the transaction's first record there. */
  readonly partitions = new Map<PartitionLog, number>()
  /** How many of them a durable row names. */
  savedPartitions = 0
  /** The last one sent for a group and partition counts. */
  readonly offsets = new Map<string, GroupOffset>()
  /** Stops the time-out. */
  cancelTimer: () => void = () => {}

  constructor(identity: ProducerIdentity) {
    this.identity = identity
  }
}

export const encodeTransaction = (
  transaction: Transaction | undefined,
  rest: Omit<TransactionRow, 'partitions' | 'offsets'>,
): TransactionRow => ({
  ...rest,
  partitions: [...(transaction?.partitions ?? [])]
    .filter(([log]) => !log.isDeleted)
    .map(([log, firstOffset]) => [log.logId, firstOffset] as const),
  offsets:
    rest.state === 'commit'
      ? [...transaction!.offsets.values()].map((offset) => ({
          ...offset,
          offset: String(offset.offset),
        }))
      : [],
})
