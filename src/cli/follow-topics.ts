/**
 * Follows topics from their ends on: what `millrace dev` shows as it happens.
 *
 * Committed records only, one partition after the other; a record the serde refuses is left out.
 */

import type { Broker, FetchRequest } from '../broker/port.ts'
import { askAll, missingSchemas } from '../task/missing-schemas.ts'
import type { Topic } from '../topic.ts'

const fetchBytes = 1_048_576
const fetchMaxWaitMs = 1_000

/** @returns the function that stops following; it resolves when nothing is in flight any more */
export const followTopics = async <V>(
  broker: Broker,
  topics: readonly Topic<string, V>[],
  onValue: (value: V) => void,
): Promise<() => Promise<void>> => {
  const byName = new Map(topics.map((topic) => [topic.name, topic]))
  const described = await broker.topics.describe([...byName.keys()])
  let requests: FetchRequest[] = []
  for (const { name, partitions } of described.values()) {
    for (let partition = 0; partition < partitions; partition += 1) {
      const { lastStableOffset } = await broker.topics.offsets({ topic: name, partition })
      requests.push({ topic: name, partition, offset: lastStableOffset, maxBytes: fetchBytes })
    }
  }
  const fetcher = broker.fetcher('follow')
  let isStopped = false
  const run = async (): Promise<void> => {
    while (!isStopped) {
      const batches = await fetcher.fetch(requests, {
        isolation: 'read_committed',
        maxWaitMs: fetchMaxWaitMs,
      })
      requests = batches.map(({ topic, partition, nextOffset }) => ({
        topic,
        partition,
        offset: nextOffset,
        maxBytes: fetchBytes,
      }))
      for (const batch of batches) {
        const { topic, records } = batch
        const serdes = byName.get(topic)!
        await askAll(missingSchemas(serdes, batch))
        const { value: serde } = serdes
        for (const { value } of records) {
          if (value !== null) tell(() => serde.decode(value), onValue)
        }
      }
    }
  }
  // the display must not end the instance: whatever stops the broker is reported by the instance
  const running = run().catch(() => {})
  return async () => {
    isStopped = true
    fetcher.wakeUp()
    await running
    await fetcher.close()
  }
}

const tell = <V>(decode: () => V, onValue: (value: V) => void): void => {
  let value: V
  try {
    value = decode()
  } catch {
    return
  }
  onValue(value)
}
