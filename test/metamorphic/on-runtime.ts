/**
 * The same story in the real runtime: embedded broker, transactions, an engine on disk.
 *
 * Unlike in the test driver a transaction takes many records, fetches bring several at once, and
 * a life may end with half of it done.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Engine } from '../../state/engine.ts'
import { MemoryDisk } from '../../state/memory/memory-disk.ts'
import { MemoryEngine } from '../../state/memory/memory-engine.ts'
import { RocksEngine } from '../../state/rocksdb/rocks-engine.ts'
import { EmbeddedBroker } from '../../src/broker/embedded/embedded-broker.ts'
import { partitionOf } from '../../src/broker/partitioner.ts'
import { storedState } from '../../src/cli/store-source.ts'
import { systemClock } from '../../src/clock.ts'
import { noHeaders } from '../../src/record.ts'
import { Application } from '../../src/runtime/application.ts'
import { readTopic } from '../simulation/topics.ts'
import type { Family } from './family.ts'
import { outputOf, rowsSeen, type Seen, type Step } from './story.ts'

/** Opens what an earlier life left in the folder; the memory engine has its disk instead. */
type Open = (folder: string, disk: MemoryDisk) => Promise<Engine>

/** The engines under test: another one is one line. */
export const engines: Readonly<Record<string, Open>> = {
  memory: async (_folder, disk) => MemoryEngine.create(disk),
  rocksdb: (folder) => RocksEngine.open(folder, { memoryBytes: 8 * 1_048_576 }),
}

export interface Life {
  readonly engine: string
  readonly partitions: number
  /** Records of a transaction, at most. */
  readonly commitRecordsMax: number
  /** Of one fetch of a partition: a small one brings a record or two. */
  readonly fetchPartitionBytes: number
  /** How many steps are written before the first life, which then ends so. */
  readonly firstSteps: number
  readonly firstEnd: 'close' | 'kill'
}

/** Told in two lives of one application. */
export const tellRuntime = async (
  family: Family,
  steps: readonly Step[],
  life: Life,
): Promise<Seen> => {
  await using parts = new AsyncDisposableStack()
  const folder = mkdtempSync(join(tmpdir(), 'millrace-metamorphic-'))
  parts.defer(() => rmSync(folder, { recursive: true, force: true }))
  const disk = new MemoryDisk()
  const broker = await EmbeddedBroker.open({ engine: MemoryEngine.create(), clock: systemClock })
  parts.defer(() => broker.close())
  const topics = [...new Set([...family.inputs, ...family.outputs].map(({ name }) => name))]
  await broker.topics.create(
    topics.map((name) => ({
      name,
      partitions: life.partitions,
      config: { cleanupPolicy: 'delete', retentionMs: -1 },
    })),
  )
  const open = async (): Promise<Engine> => engines[life.engine]!(folder, disk)
  await write(broker, family, steps.slice(0, life.firstSteps), life.partitions)
  let engine = await open()
  await live(family, { broker, engine }, life, life.firstEnd)
  await engine.close()
  await write(broker, family, steps.slice(life.firstSteps), life.partitions)
  engine = await open()
  parts.defer(() => engine.close())
  await live(family, { broker, engine }, life, 'close')
  const source = await storedState({
    engine,
    broker,
    applicationId: 'app',
    plan: family.topology.plan,
  })
  const outputs = await Promise.all(
    family.outputs.map(async (topic) =>
      (await readTopic(broker, topic)).map((record) => outputOf(topic.name, record)),
    ),
  )
  return {
    outputs: outputs.flat(),
    stores: rowsSeen(family, (store) => source.query(store), true),
  }
}

const write = async (
  broker: EmbeddedBroker,
  { inputs }: Family,
  steps: readonly Step[],
  partitions: number,
): Promise<void> => {
  const producer = broker.producer('story')
  for (const { input, key, value, timestampMs } of steps) {
    const topic = inputs[input % inputs.length]!
    const keyBytes = topic.key.encode(key)
    const valueBytes = value === undefined ? null : topic.value.encode(value)
    const record = { key: keyBytes, value: valueBytes, timestampMs, headers: noHeaders }
    const partition = partitionOf(keyBytes, partitions)
    await producer.send([{ topic: topic.name, partition, records: [record] }])
  }
}

const quietPolls = 15

const live = async (
  { topology }: Family,
  { broker, engine }: { readonly broker: EmbeddedBroker; readonly engine: Engine },
  { commitRecordsMax, fetchPartitionBytes }: Life,
  end: 'close' | 'kill',
): Promise<void> => {
  const application = new Application({
    topology,
    applicationId: 'app',
    broker,
    engine,
    config: {
      commitRecordsMax,
      fetchPartitionBytes,
      commitIntervalMs: 10,
      commitMinIntervalMs: 0,
      // the next life waits so long for one that was killed
      sessionTimeoutMs: 300,
      heartbeatIntervalMs: 100,
      // a task waits for the other topic as long as it takes: the order is that of times
      maxTaskIdleMs: 600_000,
    },
  })
  await application.start()
  if (end === 'kill') {
    await sleep(3)
    application.kill()
    return
  }
  for (let quiet = 0; quiet < quietPolls;) {
    const { state, lagRecords } = application.metrics()
    quiet = state === 'running' && lagRecords === 0 ? quiet + 1 : 0
    await sleep(2)
  }
  await application.close()
}
