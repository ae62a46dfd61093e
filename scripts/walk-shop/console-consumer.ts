/**
 * Kafka's own console consumer: what it takes to read a topic to its end with it.
 *
 * Used by the walk and by tests, as a judge that is not of our making. It ends by itself when
 * nothing came for `idleMs`.
 */

import { join } from 'node:path'

export interface ConsoleConsumer {
  /** Path of a `java`, and the folder of Kafka's jars. */
  readonly java: string
  readonly libs: string
  readonly bootstrap: string
}

export interface ConsoleRead {
  readonly topic: string
  readonly idleMs: number
  /** Of the formatter, as `print.key`. */
  readonly properties: Readonly<Record<string, string>>
}

const mainClass = 'org.apache.kafka.tools.consumer.ConsoleConsumer'

/** Arguments of `java`: committed records only, from the beginning. */
export const consoleConsumerArgs = (
  { libs, bootstrap }: ConsoleConsumer,
  { topic, idleMs, properties }: ConsoleRead,
): readonly string[] => [
  '-XX:TieredStopAtLevel=1',
  '-cp',
  join(libs, '*'),
  mainClass,
  '--from-beginning',
  '--bootstrap-server',
  bootstrap,
  '--topic',
  topic,
  '--isolation-level',
  'read_committed',
  '--timeout-ms',
  String(idleMs),
  ...Object.entries(properties).flatMap(([name, value]) => [
    '--formatter-property',
    `${name}=${value}`,
  ]),
]
