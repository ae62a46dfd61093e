/**
 * A worker that is stopped (SIGSTOP, a long pause) with a transaction that has punctuations only.
 *
 * Worker A has stored rows that its punctuator will report. It stalls before it sends that
 * transaction; the group gives its tasks to B, which reports the rows. Then A wakes up and sends
 * what it had prepared: the broker must refuse it, by the generation in its offsets.
 */

import { MemoryDisk } from '../../state/memory/memory-disk.ts'
import { MemoryEngine } from '../../state/memory/memory-engine.ts'
import { EmbeddedBroker } from '../../src/broker/embedded/embedded-broker.ts'
import type { Broker } from '../../src/broker/port.ts'
import { Application } from '../../src/runtime/application.ts'
import { macrotask } from '../../src/runtime/sleep.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { ledger, reported } from './ledger.ts'
import { connect } from './severable.ts'
import { createTopics, readTopic, sendInputs } from './topics.ts'

export interface ZombieResult {
  /** True if a row was reported twice: by the heir, and by the dead. */
  readonly committedByZombie: boolean
}

export const runZombie = async (): Promise<ZombieResult> => {
  const clock = new ManualClock(1_000_000)
  const broker = await EmbeddedBroker.open({ engine: MemoryEngine.create(), clock, seed: 7 })
  await createTopics(broker)
  const turn = async (ms: number): Promise<void> => {
    clock.advanceBy(ms)
    for (let i = 0; i < 20; i++) await macrotask()
  }
  const connection = connect(broker)
  const a = start(connection.broker, clock, 'a')
  await turn(5)
  await sendInputs(broker, clock, [
    {
      account: 'ann',
      deposit: { id: 1, cents: 5, branch: 'north', isPoison: false },
    },
  ])
  for (let i = 0; i < 6; i++) await turn(5) // stored and committed; the first report is due at 50
  connection.pause()
  for (let i = 0; i < 15; i++) await turn(100) // its session ends
  const b = start(broker, clock, 'b')
  for (let i = 0; i < 40; i++) await turn(50)
  connection.resume()
  for (let i = 0; i < 60; i++) await turn(50)
  const ids = (await readTopic(broker, reported)).map(({ value }) => value)
  a.kill()
  b.kill()
  if (!ids.includes(1)) throw new Error('the row was never reported')
  return { committedByZombie: ids.length > 1 }
}

const start = (broker: Broker, clock: ManualClock, instanceId: string): Application => {
  const application = new Application({
    applicationId: 'ledger',
    topology: ledger,
    broker,
    clock,
    instanceId,
    engine: MemoryEngine.create(new MemoryDisk()),
    config: {
      commitIntervalMs: 5,
      commitMinIntervalMs: 1,
      sessionTimeoutMs: 600,
      heartbeatIntervalMs: 100,
      transactionTimeoutMs: 900_000,
    },
  })
  application.start().catch(() => {}) // the zombie may end as failed: what counts is the topics
  return application
}
