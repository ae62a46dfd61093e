/** A record that blocks the thread for longer than the session, with the embedded broker. */

import { expect, onTestFinished, test } from 'vitest'
import { MemoryEngine } from '../../state/memory/memory-engine.ts'
import { EmbeddedBroker } from '../../src/broker/embedded/embedded-broker.ts'
import { systemClock } from '../../src/clock.ts'
import { json, mapValues, stream, to, topic, topology, utf8 } from '../../src/index.ts'
import { noHeaders } from '../../src/record.ts'
import { Application } from '../../src/runtime/application.ts'
import { sleep } from '../../src/runtime/sleep.ts'
import { readTopic } from '../simulation/topics.ts'

const lines = topic('lines', { key: utf8, value: json<string>() })
const answers = topic('answers', { key: utf8, value: json<string>() })

test('is processed once: an overdue heartbeat comes before the end of the session', async () => {
  let calls = 0
  const blocking = topology('blocking', () => [
    stream(lines).pipe(
      mapValues((value) => {
        calls += 1
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 900)
        return value
      }),
      to(answers),
    ),
  ])
  const broker = await EmbeddedBroker.open({ engine: MemoryEngine.create(), clock: systemClock })
  await broker.topics.create(
    [lines, answers].map(({ name }) => ({
      name,
      partitions: 1,
      config: { cleanupPolicy: 'delete' },
    })),
  )
  const application = new Application({
    applicationId: 'app',
    topology: blocking,
    broker,
    engine: MemoryEngine.create(),
    config: { sessionTimeoutMs: 300, heartbeatIntervalMs: 100, maxStallMs: 300 },
  })
  onTestFinished(async () => {
    await application.close()
    await broker.close()
  })
  await application.start()
  const records = [
    { key: utf8.encode('k'), value: lines.value.encode('v'), timestampMs: 1, headers: noHeaders },
  ]
  await broker.producer('loader').send([{ topic: 'lines', partition: 0, records }])
  while ((await readTopic(broker, answers)).length === 0) await sleep(systemClock, 10)
  expect(application.metrics().reopenings).toBe(0)
  expect(calls).toBe(1)
})
