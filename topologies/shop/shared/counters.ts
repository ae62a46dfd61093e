/**
 * Counters kept in a store of the task, changed in the same transaction as what they count.
 *
 * Each task has its own; whoever shows them adds them up over the partitions.
 */

import type { KeyValueState } from '../../../src/index.ts'

export type Counters = KeyValueState<string, number>

export const count = (counters: Counters, name: string, by = 1): void => {
  counters.put(name, (counters.get(name) ?? 0) + by)
}

/** Commands and answers that repeated what was known. */
export const duplicatesCounter = 'duplicates'
