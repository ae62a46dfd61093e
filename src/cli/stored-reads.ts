/**
 * Reads over state that this process sees whole: the files of a stopped instance, or changelogs.
 *
 * There is no task behind it, so an answer names no offsets and no time: the rows are those that
 * were applied last.
 */

import type { Broker } from '../broker/port.ts'
import { RuntimeError } from '../errors/classes.ts'
import type { PartitionAnswer, PartitionRead } from '../queries/partition-read.ts'
import { readRows } from '../queries/read-rows.ts'
import type { PartitionOfStore, Settled, StoreReads } from '../queries/store-reads.ts'
import type { StoreQuery } from '../runtime/queries.ts'
import type { Store } from '../stores/store.ts'
import { hasProcessed } from './has-processed.ts'
import type { StoreSource } from './store-source.ts'

export interface StoredReadsOptions {
  readonly broker: Broker
  readonly stores: StoreSource
  /** Whose state it is: its group. */
  readonly applicationId: string
}

export class StoredReads implements StoreReads {
  readonly #options: StoredReadsOptions
  readonly #queries = new Map<string, StoreQuery<unknown>>()

  constructor(options: StoredReadsOptions) {
    this.#options = options
  }

  named(name: string): Store {
    return this.#options.stores.named(name)
  }

  partitionsOf(store: Store): number {
    return this.#query(store).byPartition().length
  }

  async read(
    { store, partition }: PartitionOfStore,
    read: PartitionRead,
  ): Promise<PartitionAnswer> {
    const found = this.#query(store)
      .byPartition()
      .find((reader) => reader.partition === partition)
    if (found === undefined) {
      throw new RuntimeError('STREAMS_CONFIG', `store ${store.name} has no partition ${partition}`)
    }
    const rows = readRows({ store, partition, reader: found.reader }, read)
    return { partition, owner: this.#options.applicationId, role: 'active', offsets: [], rows }
  }

  async readSettled(
    where: PartitionOfStore,
    read: PartitionRead,
    { input, withinMs }: Settled,
  ): Promise<PartitionAnswer | undefined> {
    const { broker, applicationId: groupId } = this.#options
    const isSettled = await hasProcessed(broker, { groupId, partition: input, withinMs })
    return isSettled ? this.read(where, read) : undefined
  }

  #query(store: Store): StoreQuery<unknown> {
    let query = this.#queries.get(store.name)
    if (query === undefined)
      this.#queries.set(store.name, (query = this.#options.stores.query(store)))
    return query
  }
}
