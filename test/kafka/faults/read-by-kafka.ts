/** What Kafka's own consumer sees of a topic, read_committed: a judge that is not of our making. */

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { RealKafka } from '../real-kafka.ts'

const idleMs = 3_000

/** @returns `key<tab>value` of every record, sorted */
export const readByKafka = (kafka: RealKafka | undefined, topic: string): readonly string[] => {
  if (kafka?.libs === undefined) throw new Error('the cluster is not one of ours')
  const consumer = 'org.apache.kafka.tools.consumer.ConsoleConsumer'
  const options = {
    'bootstrap-server': kafka.bootstrap,
    topic,
    'isolation-level': 'read_committed',
    'timeout-ms': String(idleMs),
    'formatter-property': 'print.key=true',
  }
  const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value])
  const { stdout, stderr } = spawnSync(
    kafka.java!,
    [
      '-XX:TieredStopAtLevel=1',
      '-cp',
      join(kafka.libs, '*'),
      consumer,
      '--from-beginning',
      ...flags,
    ],
    { encoding: 'utf8', timeout: 60_000, maxBuffer: 1 << 28 },
  )
  const lines = stdout.split('\n').filter((line) => line.includes('\t'))
  if (lines.length === 0) throw new Error(`Kafka's consumer read nothing: ${stderr}`)
  return lines.sort()
}
