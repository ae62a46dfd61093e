/** What is done with one store, over all its tasks: raised by `Slots`, read by metrics. */
export class StoreCounters {
  /** Reads of one row, whatever answered them. */
  gets = 0
  /** Of these, those that had to ask the engine. */
  getMisses = 0
  /** Rows asked of the engine ahead of their reads, many in one call. */
  prefetched = 0
  puts = 0
  deletes = 0
  /** Scans that were begun. */
  ranges = 0
}
