/**
 * Goal: on a real Kafka, too, dead letters are replayed without loss or duplicate when the command
 * is killed in the middle, and when a second one takes over.
 *
 * Method: `millrace dlq replay --bootstrap` is killed (SIGKILL) when its audit has grown by a
 * random amount, and run again; then two run at once. Every record must lie exactly once,
 * committed, in the partition it came from.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, it } from 'vitest'
import type { Broker } from '../../src/broker/port.ts'
import { Prng } from '../../src/testing/prng.ts'
import { type Ended, millrace, startMillrace } from '../cli/run-millrace.ts'
import {
  type LetterTopics,
  readAll,
  readAudit,
  type Written,
  writeLetters,
} from '../dlq/letters.ts'
import { KafkaHarness } from './kafka-harness.ts'
import { realKafka } from './real-kafka.ts'

const kafka = await realKafka()
const bootstrap = 'skipped' in kafka ? '' : kafka.bootstrap
const count = 3_000
const seed = 7
const killsMax = 4

describe.skipIf('skipped' in kafka)(`dead letters on Kafka, seed ${seed}`, () => {
  const harness = new KafkaHarness({ bootstrap })
  afterAll(() => harness.dispose())
  const prng = new Prng(seed)

  const topicsOf = (): LetterTopics => ({
    dlq: harness.uniqueName('dlq'),
    sources: [harness.uniqueName('orders'), harness.uniqueName('payments')],
  })

  const replay = (dlq: string, ratePerSec = 2_000): readonly string[] => {
    const command = ['dlq', 'replay', '--all', '--yes', '--rate', String(ratePerSec)]
    return [...command, '--dlq', dlq, '--bootstrap', bootstrap, '-o', 'json']
  }

  /** Entries and markers, committed or not. */
  const audited = async (broker: Broker, dlq: string): Promise<number> => {
    const topic = `${dlq}-audit`
    if (!(await broker.topics.describe([topic])).has(topic)) return 0
    return Number((await broker.topics.offsets({ topic, partition: 0 })).highWatermark)
  }

  const check = async (
    broker: Broker,
    { dlq, sources }: LetterTopics,
    letters: readonly Written[],
  ): Promise<void> => {
    const audit = await readAudit(broker, dlq)
    expect(audit).toHaveLength(letters.length)
    expect(new Set(audit.map(({ letter }) => letter)).size).toBe(letters.length)
    const found = [...(await readAll(broker, sources[0])), ...(await readAll(broker, sources[1]))]
    expect(found).toHaveLength(letters.length)
    const places = new Map(found.map((record) => [record.headers['__millrace.replay-of'], record]))
    const wrong = letters.filter(({ id, key, value, partition, timestampMs }) => {
      const record = places.get(id)
      return (
        record?.key !== key
        || record.value !== value
        || record.partition !== partition
        || record.timestampMs !== timestampMs
      )
    })
    expect(wrong).toEqual([])
  }

  it('replayed under kills, each lies once where it came from', async () => {
    const broker = await harness.broker()
    const topics = topicsOf()
    const letters = await writeLetters(broker, count, Date.now(), topics)
    let inTheMiddle = 0
    for (let kills = 0; kills < killsMax; kills++) {
      const before = await audited(broker, topics.dlq)
      const enough = before + 100 + prng.int(700)
      const running = startMillrace(replay(topics.dlq))
      let ended: Ended | undefined
      void running.ended.then((how) => (ended = how))
      while (ended === undefined && (await audited(broker, topics.dlq)) < enough) await sleep(2)
      running.process.kill('SIGKILL')
      if ((await running.ended).signal !== 'SIGKILL') break
      inTheMiddle += 1
    }
    expect(inTheMiddle).toBeGreaterThan(1)
    const { exitCode, stderr } = await millrace(replay(topics.dlq))
    expect(exitCode, stderr).toBe(0)
    await check(broker, topics, letters)
  }, 300_000)

  it('two at once: the later one goes on, the earlier one is refused', async () => {
    const broker = await harness.broker()
    const topics = topicsOf()
    const letters = await writeLetters(broker, count, Date.now(), topics)
    // it would take minutes: the second one comes in time on any machine
    const first = startMillrace(replay(topics.dlq, 20))
    while ((await audited(broker, topics.dlq)) < 40) await sleep(5)
    const second = await millrace(replay(topics.dlq))
    expect(second.exitCode, second.stderr).toBe(0)
    const { exitCode, stderr } = await first.ended
    expect([exitCode, stderr]).toMatchObject([4, expect.stringContaining('DLQ_TAKEN_OVER')])
    await check(broker, topics, letters)
  }, 300_000)
})
