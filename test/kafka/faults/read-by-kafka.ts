/** What Kafka's own consumer sees of a topic, read_committed: a judge that is not of our making. */

import { spawnSync } from 'node:child_process'
import { consoleConsumerArgs } from '../../../scripts/walk-shop/console-consumer.ts'
import type { RealKafka } from '../real-kafka.ts'

const idleMs = 3_000

/** @returns `key<tab>value` of every record, sorted */
export const readByKafka = (kafka: RealKafka | undefined, topic: string): readonly string[] => {
  const { java, libs, bootstrap } = kafka ?? {}
  if (java === undefined || libs === undefined || bootstrap === undefined) {
    throw new Error('the cluster is not one of ours')
  }
  const args = consoleConsumerArgs(
    { java, libs, bootstrap },
    { topic, idleMs, properties: { 'print.key': 'true' } },
  )
  const options = { encoding: 'utf8', timeout: 60_000, maxBuffer: 1 << 28 } as const
  const { stdout, stderr } = spawnSync(java, args, options)
  const lines = stdout.split('\n').filter((line) => line.includes('\t'))
  if (lines.length === 0) throw new Error(`Kafka's consumer read nothing: ${stderr}`)
  return lines.sort()
}
