/**
 * Identity of the embedded cluster and its counters, durable in one row.
 *
 * Opened first by `EmbeddedBroker`. 1. `leaderEpoch` rises with every start. 2. Log ids and
 * producer ids are never given twice: the row is written with whatever uses the new id.
 */

import type { Engine } from '../../../state/engine.ts'
import type { Journal } from './journal.ts'
import { clusterKey, type ClusterRow, decodeJson, encodeJson } from './rows.ts'

export class Cluster {
  readonly #journal: Journal
  #row: ClusterRow

  private constructor(journal: Journal, row: ClusterRow) {
    this.#journal = journal
    this.#row = row
  }

  /** Counts a start; durable when it resolves. */
  static async open(engine: Engine, journal: Journal, newUuid: () => string): Promise<Cluster> {
    const stored = engine.get(clusterKey)
    const row =
      stored === undefined
        ? { clusterId: newUuid(), starts: 0, nextLogId: 1, nextProducerId: 1000 }
        : decodeJson<ClusterRow>(stored)
    const cluster = new Cluster(journal, { ...row, starts: row.starts + 1 })
    cluster.#save()
    await journal.durable()
    return cluster
  }

  get clusterId(): string {
    return this.#row.clusterId
  }

  get leaderEpoch(): number {
    return this.#row.starts
  }

  /** @returns the first of `count` consecutive ids */
  takeLogIds(count: number): number {
    const first = this.#row.nextLogId
    this.#row = { ...this.#row, nextLogId: first + count }
    this.#save()
    return first
  }

  takeProducerId(): number {
    const id = this.#row.nextProducerId
    this.#row = { ...this.#row, nextProducerId: id + 1 }
    this.#save()
    return id
  }

  #save(): void {
    this.#journal.put(clusterKey, encodeJson(this.#row))
  }
}
