/** All committed records of a topic, read by Kafka's own console consumer in one run. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type ConsoleConsumer, consoleConsumerArgs } from './console-consumer.ts'
import { consoleProperties, type ConsoleRecord, consoleRecord } from './console-record.ts'

/** Joining a group and a first fetch take so long at most, even where others use the machine. */
const idleMs = 15_000

/**
 * @param signal  ends the consumer
 * @throws  the consumer failed: with what it said
 */
export const readTopic = async (
  consumer: ConsoleConsumer,
  topic: string,
  signal: AbortSignal,
): Promise<readonly ConsoleRecord[]> => {
  const read = { topic, idleMs, properties: consoleProperties }
  const args = ['-Xmx256m', ...consoleConsumerArgs(consumer, read)]
  const child = spawn(consumer.java, args, { signal, stdio: ['ignore', 'pipe', 'pipe'] })
  let [output, errors] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  const [status] = (await once(child, 'close')) as [number | null]
  // what ends it is that nothing came, which it tells as an error and ends with 0
  if (status !== 0) throw new Error(`Kafka's console consumer of ${topic}: ${errors.trim()}`)
  return output
    .split('\n')
    .map(consoleRecord)
    .filter((record) => record !== undefined)
}
