/**
 * Reads of stores, wherever their partitions are: the port between surfaces and state.
 *
 * Implemented by the router of a running instance, which asks the owners, and over the files or
 * changelogs that one process holds alone. Every read is of committed rows.
 */

import type { TopicPartition } from '../broker/port.ts'
import type { Store } from '../stores/store.ts'
import type { PartitionAnswer, PartitionRead } from './partition-read.ts'

export interface PartitionOfStore {
  readonly store: Store
  readonly partition: number
}

/** What must show in an answer: all that an input held when it was asked for. */
export interface Settled {
  readonly input: TopicPartition
  readonly withinMs: number
}

export interface StoreReads {
  /** @throws {RuntimeError} STREAMS_CONFIG: no such store; the message lists them */
  named(name: string): Store
  /** @throws {RuntimeError} STREAMS_CLOSED: not known yet, ask again */
  partitionsOf(store: Store): number
  /**
   * @throws {RuntimeError} STREAMS_PARTITION_MOVING: nobody answers for the partition now; ask
   * again in a second. STREAMS_CONFIG: the store takes no such read
   */
  read(where: PartitionOfStore, read: PartitionRead): Promise<PartitionAnswer>
  /**
   * As `read`, once the answer shows everything that was in the input at the time of the call: what
   * it lacks then does not exist.
   *
   * @returns  undefined if it does not within the time
   */
  readSettled(
    where: PartitionOfStore,
    read: PartitionRead,
    settled: Settled,
  ): Promise<PartitionAnswer | undefined>
}
