/** The word count as a program: embedded broker, RocksDB, exactly-once, all in one folder. */

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { EmbeddedBroker } from '../../src/broker/embedded/embedded-broker.ts'
import { partitionOf } from '../../src/broker/partitioner.ts'
import { Application, systemClock } from '../../src/index.ts'
import { divideMemory } from '../../state/memory-budget.ts'
import { RocksEngine } from '../../state/rocksdb/rocks-engine.ts'
import { counts, lines, wordCount, wordCounts } from './word-count.ts'

const partitions = 4

/** Opens, or opens again, what lies in the folder. One process at a time. */
export const openWordCount = async (folder: string) => {
  mkdirSync(folder, { recursive: true })
  const memory = divideMemory(64 << 20, { hasBroker: true })
  await using parts = new AsyncDisposableStack()
  const log = await RocksEngine.open(join(folder, 'broker'), {
    memoryBytes: memory.brokerEngineBytes,
    compaction: 'universal',
  })
  parts.defer(() => log.close())
  const broker = await EmbeddedBroker.open({ engine: log, clock: systemClock })
  parts.defer(() => broker.close())
  const known = await broker.topics.describe([lines.name, counts.name])
  await broker.topics.create(
    [lines.name, counts.name]
      .filter((name) => !known.has(name))
      .map((name) => ({
        name,
        partitions,
        config: { cleanupPolicy: 'delete', retentionMs: 86_400_000 },
      })),
  )
  const engine = await RocksEngine.open(join(folder, 'state'), {
    memoryBytes: memory.storeEngineBytes,
  })
  parts.defer(() => engine.close())
  const application = new Application({
    applicationId: 'word-count',
    broker,
    engine,
    slotCacheBytes: memory.slotCacheBytes,
    topology: wordCount,
  })
  await application.start()
  parts.defer(() => application.close()) // first: what is processed is committed
  const producer = broker.producer('lines')
  const opened = parts.move()
  return {
    /** Resolves when the line is durable. */
    async send(key: string, line: string): Promise<void> {
      const [keyBytes, value] = [lines.key.encode(key), lines.value.encode(line)]
      const partition = partitionOf(keyBytes, partitions)
      const record = { key: keyBytes, value, timestampMs: Date.now(), headers: [] }
      await producer.send([{ topic: lines.name, partition, records: [record] }])
    },
    /** Records that wait to be counted; -1 while that is not known. */
    lag: () => application.lagRecords(),
    count: (word: string) => application.query(wordCounts).get(word),
    close: () => opened.disposeAsync(),
  }
}
