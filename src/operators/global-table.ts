import type { Topic } from '../topic.ts'
import { currentScope } from '../topology/scope.ts'

/** A whole topic as its latest value per key, for `joinGlobal`. */
export interface GlobalTable<K, V> {
  readonly topic: Topic<K, V>
}

/**
 * Reads all partitions of a topic into the memory of each instance; null bytes delete.
 *
 * Every instance reads it read_committed up to its end before a task runs, and follows it from then
 * on. It has no part in event-time order: a join sees what has been read by then, and a record that
 * is processed again may see a newer row. For small tables that change rarely; nothing need be
 * co-partitioned, and any key can be looked up.
 *
 * @param topic  compacted, so that it holds every row; it cannot be a `stream` or a `table` as well
 * @returns      a handle for `joinGlobal`; it needs not be returned from the definition
 * @throws {TopologyError} STREAMS_TOPOLOGY_INVALID if the topic is read by a source too
 * @example      const rates = globalTable(exchangeRates)
 */
export const globalTable = <K, V>(topic: Topic<K, V>): GlobalTable<K, V> => {
  currentScope('globalTable').addGlobal(topic)
  return { topic }
}
