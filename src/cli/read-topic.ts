/**
 * Reads the committed records of one key, from the start of a topic.
 *
 * Used for an order's history. Costs a pass over the key's partition, from its first record that
 * retention left to its end as of the call; values of other keys are not decoded.
 */

import { partitionOf } from '../broker/partitioner.ts'
import type { Broker, RawBatch } from '../broker/port.ts'
import { readCommitted } from '../broker/read-committed.ts'
import { askAll, missingSchemas } from '../task/missing-schemas.ts'
import type { Topic } from '../topic.ts'

/** @returns values in the order of their offsets; what the serde refuses is left out */
export async function* readKey<K, V>(
  broker: Broker,
  topic: Topic<K, V>,
  key: K,
): AsyncGenerator<V> {
  const described = (await broker.topics.describe([topic.name])).get(topic.name)
  if (described === undefined) return
  const wanted = topic.key.encode(key)
  const at = { topic: topic.name, partition: partitionOf(wanted, described.partitions) }
  const { logStartOffset: from, lastStableOffset: to } = await broker.topics.offsets(at)
  const range = {
    ...at,
    from,
    to,
    prepare: (batch: RawBatch) => askAll(missingSchemas(topic, batch)),
  }
  for await (const { record } of readCommitted(broker, range)) {
    if (record.value === null || record.key === null) continue
    if (Buffer.compare(record.key, wanted) !== 0) continue
    const value = decoded(topic, record.value)
    if (value !== undefined) yield value
  }
}

const decoded = <K, V>(topic: Topic<K, V>, bytes: Uint8Array): V | undefined => {
  try {
    return topic.value.decode(bytes)
  } catch {
    return undefined
  }
}
