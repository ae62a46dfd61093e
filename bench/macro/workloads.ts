/**
 * W1 to W4 of the peer benchmark over inputs that are all there, on the embedded broker and on
 * Kafka: records per second, and every output recomputed.
 *
 * Method: some RECORDS input records (default 500,000; W3 and W4 count orders and payments) are
 * written to 4 partitions, then the engine starts; from its start to its last committed output is
 * the whole run, a quarter to 95 of 100 of the outputs is steady. ON is `embedded`, `kafka` or
 * both, WORKLOAD a list of w1 to w4, default all. On Kafka (KAFKA_BOOTSTRAP, or a broker that is
 * started) the engine is `bench/engine` in a process of its own, whose CPU and memory are told;
 * embedded, all is this process: broker, what the check keeps and what earlier workloads left are
 * in the figures; name one WORKLOAD for its memory. The runs are short, much of them is warm-up:
 * RECORDS=5000000 makes long ones. If an output is wrong, missing or double, nothing is reported
 * of that workload and the exit status is 1.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Broker } from '../../src/broker/port.ts'
import { openBenchKafka } from '../load/bench-kafka.ts'
import { drain, type DrainedTopics, type DrainingEngine, fillInputs } from '../load/drained-run.ts'
import { EmbeddedPlace } from '../load/embedded-place.ts'
import { EngineProcess } from '../load/engine-process.ts'
import { chosen, numberSetting } from '../load/setting.ts'
import type { WorkloadData } from '../load/workload-data.ts'
import { report } from '../report.ts'
import { W1Data } from '../workloads/records/w1.ts'
import { W2Data } from '../workloads/records/w2.ts'
import { W3Data } from '../workloads/records/w3.ts'
import { W4Data } from '../workloads/records/w4.ts'
import { workloadTopologies } from '../workloads/workload-topologies.ts'

type Name = 'w1' | 'w2' | 'w3' | 'w4'

const records = Math.round(numberSetting('RECORDS', 500_000))
const names = chosen('WORKLOAD', ['w1', 'w2', 'w3', 'w4'])
const places = chosen('ON', ['embedded', 'kafka'])
const [partitions, keys] = [4, 100_000]
const firstMs = Date.now() - records // no record is ahead of the clock
const dueMsOf = (index: number): number => firstMs + index

const dataOf: Readonly<Record<Name, () => WorkloadData>> = {
  w1: () => new W1Data(records, partitions, dueMsOf),
  w2: () => new W2Data({ records, partitions, keys, dueMsOf }),
  w3: () => new W3Data(Math.ceil(records / 2), partitions),
  w4: () => new W4Data(Math.ceil(records / 2), partitions),
}

interface Engine extends DrainingEngine {
  end(): Promise<void>
}

interface Place {
  readonly broker: Broker
  start(name: Name, applicationId: string, topics: DrainedTopics): Promise<Engine>
  close(): Promise<void>
}

const onKafka = async (): Promise<Place> => {
  const { broker, bootstrap } = await openBenchKafka()
  const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-workloads-'))
  return {
    broker,
    async start(workload, applicationId, { inputs, outputs }) {
      const stateDir = join(directory, applicationId)
      const options = { bootstrap, applicationId, workload, inputs, outputs, stateDir }
      const engine = await EngineProcess.start(options)
      return {
        cpuSec: () => engine.cpuSec(),
        peakRssBytes: () => engine.peakRssBytes(),
        complaint: () => engine.complaint(),
        end: () => engine.end('SIGTERM'),
      }
    },
    async close() {
      await broker.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

const onEmbedded = async (): Promise<Place> => {
  const place = await EmbeddedPlace.open()
  return {
    broker: place.broker,
    start: (name, applicationId, { inputs, outputs }) =>
      place.start(applicationId, workloadTopologies[name]!(inputs, outputs)),
    close: () => place.close(),
  }
}

const measure = async (place: Place, name: Name): Promise<void> => {
  const applicationId = `bench-${name}-${process.pid}-${Date.now()}`
  const data = dataOf[name]()
  const topicNames = (kind: string, count: number): readonly string[] =>
    Array.from({ length: count }, (_, index) => `${applicationId}-${kind}-${index}`)
  const inputs = topicNames('in', data.inputCount)
  const outputs = topicNames('out', data.outputCount)
  const topics = { inputs, outputs, partitions }
  const { broker } = place
  let engine: Engine | undefined
  try {
    const config = { cleanupPolicy: 'delete', retentionMs: -1 } as const
    const specs = [...inputs, ...outputs].map((topic) => ({ name: topic, partitions, config }))
    await broker.topics.create(specs)
    await fillInputs(broker, data, topics)
    const drained = await drain(broker, data, topics, async () => {
      engine = await place.start(name, applicationId, topics)
      return engine
    })
    report({
      name: 'macro/workloads',
      note: `${name}, ${broker.kind}, ${records} records`,
      figures: { records: data.records, ...drained },
    })
  } finally {
    await engine?.end()
    const own = (await broker.topics.list()).map((topic) => topic.name)
    await broker.topics.delete(own.filter((topic) => topic.startsWith(`${applicationId}-`)))
  }
}

const measureAll = async (place: Place, these: readonly Name[]): Promise<void> => {
  try {
    for (const name of these) await measure(place, name)
  } finally {
    await place.close()
  }
}

if (places.includes('embedded')) {
  for (const name of names) await measureAll(await onEmbedded(), [name]) // each has a new disk
}
if (places.includes('kafka')) await measureAll(await onKafka(), names)
