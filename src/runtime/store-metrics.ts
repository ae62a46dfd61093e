/**
 * What the stores of an instance do and hold, summed over its tasks: for `/metrics`.
 *
 * Counters rise over the life of the process, also where tasks come and go; the rest is as of now.
 */

import { StoreCounters } from '../../state/store-counters.ts'
import type { RestoreProgress } from './restore-progress.ts'
import type { RunningTask } from './task-manager.ts'

export interface StoreMetrics {
  readonly counters: Readonly<StoreCounters>
  /** In the cache of decoded rows. */
  readonly cachedRows: number
  readonly cachedBytes: number
  /** Written since the last commit was sealed. */
  readonly dirtyRows: number
  readonly restoredRecords: number
  /** Offsets of the changelog still to be read, markers included. */
  readonly restoreOffsetsLeft: number
}

/** Counters by store; they outlive the tasks. */
export class StoreTotals {
  readonly #counters = new Map<string, StoreCounters>()

  of(storeName: string): StoreCounters {
    const found = this.#counters.get(storeName)
    if (found !== undefined) return found
    const counters = new StoreCounters()
    this.#counters.set(storeName, counters)
    return counters
  }
}

export interface StoreMetricsSources {
  readonly names: readonly string[]
  readonly totals: StoreTotals
  readonly progress: RestoreProgress
  readonly running: readonly RunningTask[]
}

export const storeMetrics = (sources: StoreMetricsSources): ReadonlyMap<string, StoreMetrics> => {
  const { names, totals, progress, running } = sources
  return new Map(
    names.map((name) => {
      const slots = running.flatMap(({ task }) => task.store(name)?.slots ?? [])
      const metrics: StoreMetrics = {
        counters: { ...totals.of(name) },
        cachedRows: slots.reduce((sum, { cached }) => sum + cached.rows, 0),
        cachedBytes: slots.reduce((sum, { cached }) => sum + cached.bytes, 0),
        dirtyRows: slots.reduce((sum, { dirtyCount }) => sum + dirtyCount, 0),
        restoredRecords: progress.recordsTotal(name),
        restoreOffsetsLeft: progress.offsetsLeft(name),
      }
      return [name, metrics]
    }),
  )
}
