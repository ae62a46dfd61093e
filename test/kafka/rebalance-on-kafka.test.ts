/**
 * Goal: instances on a real Kafka share tasks without touching those that stay, and a main thread
 * that is busy for longer than the session costs nothing. Method: applications of one process with
 * a disk each, the summing topology; every entry must be counted once.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { KafkaBroker } from '../../src/broker/kafka/kafka-broker.ts'
import { realKafka } from './real-kafka.ts'
import { partitions, sessionTimeoutMs, summingSite } from './summing-site.ts'

const kafka = await realKafka()

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

  const site = (onEntry?: (value: number) => void) => summingSite({ bootstrap, broker, onEntry })

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

  it('so is that of an instance which was stopped and started again just before', async () => {
    const { start, send, sumsOf } = await site()
    const config = { sessionTimeoutMs: 300_000, transactionTimeoutMs: 300_000 }
    const first = await start('a', config)
    let second = await start('b', config)
    await until(() => first.metrics().tasks === 2 && second.metrics().tasks === 2)
    await sleep(2_000) // the links are there
    await second.close()
    await until(() => first.metrics().tasks === partitions)
    second = await start('b', config)
    await until(() => first.metrics().tasks === 2 && second.metrics().tasks === 2)
    await sleep(2_000)
    second.kill()
    await until(() => first.metrics().tasks === partitions)
    await send()
    await until(async () => [...(await sumsOf()).values()].every((found) => found.at(-1) === 1))
  }, 40_000)
})
