/**
 * Reads the committed records of one key, or of all keys, from the start of a topic.
 *
 * Used for an order's history. Costs a pass over the key's partition, from its first record that
 * retention left to its end as of the call; values of other keys are not decoded.
 */

import { partitionOf } from '../broker/partitioner.ts'
import { type Broker, type RawBatch } from '../broker/port.ts'
import { askAll, missingSchemas } from '../task/missing-schemas.ts'
import { type Topic } from '../topic.ts'

const fetchBytes = 4_194_304

/** @returns values in the order of their offsets; what the serde refuses is left out */
export async function* readKey<K, V>(
  broker: Broker,
  topic: Topic<K, V>,
  key: K,
): AsyncGenerator<V> {
  const described = (await broker.topics.describe([topic.name])).get(topic.name)
  if (described === undefined) return
  const wanted = topic.key.encode(key)
  const partition = partitionOf(wanted, described.partitions)
  const { logStartOffset, lastStableOffset } = await broker.topics.offsets({
    topic: topic.name,
    partition,
  })
  const fetcher = broker.fetcher('history')
  try {
    let offset = logStartOffset
    while (offset < lastStableOffset) {
      const batch: RawBatch = (
        await fetcher.fetch([{ topic: topic.name, partition, offset, maxBytes: fetchBytes }], {
          isolation: 'read_committed',
          maxWaitMs: 0,
        })
      )[0]!
      await askAll(missingSchemas(topic, batch))
      for (const record of batch.records) {
        if (record.value === null || record.key === null) continue
        if (Buffer.compare(record.key, wanted) !== 0) continue
        const value = decoded(topic, record.value)
        if (value !== undefined) yield value
      }
      if (batch.nextOffset === offset) return
      offset = batch.nextOffset
    }
  } finally {
    await fetcher.close()
  }
}

const decoded = <K, V>(topic: Topic<K, V>, bytes: Uint8Array): V | undefined => {
  try {
    return topic.value.decode(bytes)
  } catch {
    return undefined
  }
}
