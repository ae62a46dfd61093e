/**
 * Goal: instances on a real Kafka share tasks without touching those that stay, and a main thread
 * that is busy for longer than the session costs nothing. Method: applications of one process with
 * a disk each, the summing topology; every entry must be counted once.
 */

import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { MemoryEngine } from '../../state/memory/memory-engine.ts'
import { KafkaBroker } from '../../src/broker/kafka/kafka-broker.ts'
import {
  aggregate,
  json,
  keyValueStore,
  peek,
  stream,
  to,
  topic,
  topology,
  utf8,
} from '../../src/index.ts'
import { noHeaders } from '../../src/record.ts'
import { Application } from '../../src/runtime/application.ts'
import { type RuntimeConfig } from '../../src/runtime-config.ts'
import { readTopic } from '../simulation/topics.ts'
import { realKafka } from './real-kafka.ts'

const kafka = await realKafka()
const partitions = 4
const sessionTimeoutMs = 6_000

const block = (ms: number): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

describe.skipIf('skipped' in kafka)('instances on Kafka', () => {
  const bootstrap = 'skipped' in kafka ? '' : kafka.bootstrap
  let broker: KafkaBroker

  beforeAll(async () => {
    broker = await KafkaBroker.open({ bootstrap })
  })
  afterAll(() => broker.close())

  /** Topics and topology of one test. */
  const site = async (onEntry: (value: number) => void = () => {}) => {
    const id = `sum-${randomUUID().slice(0, 8)}`
    const entries = topic(`${id}-entries`, { key: utf8, value: json<number>() })
    const sums = topic(`${id}-sums`, { key: utf8, value: json<number>() })
    const store = keyValueStore('sum', { key: utf8, value: json<number>() })
    await broker.topics.create(
      [entries, sums].map(({ name }) => ({
        name,
        partitions,
        config: { cleanupPolicy: 'delete', retentionMs: -1 },
      })),
    )
    const summing = topology('summing', () => [
      stream(entries).pipe(
        peek(({ value }) => onEntry(value)),
        aggregate(
          store,
          () => 0,
          (sum, value) => sum + value,
        ),
        to(sums),
      ),
    ])
    const start = async (
      instanceId: string,
      config: Partial<RuntimeConfig> = {},
    ): Promise<Application> => {
      const client = await KafkaBroker.open({ bootstrap })
      const application = new Application({
        applicationId: id,
        instanceId,
        topology: summing,
        broker: client,
        engine: MemoryEngine.create(),
        config: { sessionTimeoutMs, heartbeatIntervalMs: 300, ...config },
      })
      onTestFinished(async () => {
        application.kill()
        await client.close()
      })
      await application.start()
      return application
    }
    /** One entry for each partition. */
    const send = async (value = 1): Promise<void> => {
      await broker.producer('loader').send(
        Array.from({ length: partitions }, (_, partition) => ({
          topic: entries.name,
          partition,
          records: [
            {
              key: utf8.encode(`k${partition}`),
              value: entries.value.encode(value),
              timestampMs: Date.now(),
              headers: noHeaders,
            },
          ],
        })),
      )
    }
    const sumsOf = async (): Promise<ReadonlyMap<string, readonly number[]>> => {
      const byKey = Map.groupBy(await readTopic(broker, sums), ({ key }) => key)
      return new Map([...byKey].map(([key, found]) => [key, found.map(({ value }) => value)]))
    }
    return { start, send, sumsOf }
  }

  const until = async (condition: () => boolean | Promise<boolean>): Promise<void> => {
    while (!(await condition())) await sleep(50)
  }

  it('a record that blocks for longer than the session is processed once', async () => {
    let calls = 0
    const { start, send, sumsOf } = await site((value) => {
      if (value !== 7) return
      calls += 1
      if (calls === 1) block(sessionTimeoutMs + 2_000)
    })
    const application = await start('a')
    await send()
    await until(async () => (await sumsOf()).size === partitions)
    await send(7)
    await until(async () => [...(await sumsOf()).values()].every(({ length }) => length === 2))
    await sleep(1_000)
    expect(application.metrics().reopenings).toBe(0)
    expect(calls).toBe(partitions)
    for (const found of (await sumsOf()).values()) expect(found).toEqual([1, 8])
  }, 60_000)

  it('share, vanish and return; every entry is counted once', async () => {
    const { start, send, sumsOf } = await site()
    const first = await start('a')
    let rounds = 0
    let isLoading = true
    const load = (async () => {
      for (; isLoading; rounds++) {
        await send()
        await sleep(40)
      }
    })()
    const second = await start('b')
    await until(() => first.metrics().tasks === 2 && second.metrics().tasks === 2)
    expect(first.metrics().reopenings).toBe(0)
    await sleep(1_000)
    second.kill()
    await until(() => first.metrics().tasks === partitions)
    const third = await start('c')
    await until(() => first.metrics().tasks === 2 && third.metrics().tasks === 2)
    await first.close()
    await until(() => third.metrics().tasks === partitions)
    isLoading = false
    await load
    await until(async () =>
      [...(await sumsOf()).values()].every((found) => found.at(-1) === rounds),
    )
    const counted = Array.from({ length: rounds }, (_, i) => i + 1)
    for (const [key, found] of await sumsOf()) expect(found, key).toEqual(counted)
    expect(third.metrics().reopenings).toBe(0)
  }, 60_000)
  it('a death is seen long before its session ends', async () => {
    const { start, send, sumsOf } = await site()
    const config = { sessionTimeoutMs: 300_000, transactionTimeoutMs: 300_000 }
    const first = await start('a', config)
    const second = await start('b', config)
    await until(() => first.metrics().tasks === 2 && second.metrics().tasks === 2)
    await sleep(2_000) // the links are there
    await send()
    second.kill()
    await until(() => first.metrics().tasks === partitions)
    await send()
    await until(async () => [...(await sumsOf()).values()].every((found) => found.at(-1) === 2))
    for (const found of (await sumsOf()).values()) expect(found).toEqual([1, 2])
    expect(first.metrics().reopenings).toBe(0)
  }, 30_000)
})
