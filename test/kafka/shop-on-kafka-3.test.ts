/**
 * Goal: the shop is exactly-once on Kafka 3 (transactions v1) too. Method: `millrace run shop` on a
 * real Kafka 3.9 is killed with SIGKILL in the middle of a small load and started again on the same
 * state; the totals of the load must be those of its file.
 */

import type { ChildProcess } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { KafkaBroker } from '../../src/broker/kafka/kafka-broker.ts'
import { orders } from '../../topologies/shop/shared/topics.ts'
import { realKafka } from './real-kafka.ts'
import { kill, outcome, ShopProcesses } from './shop-processes.ts'

const kafka = await realKafka({ version: '3.9.1' })
const orderCount = 250

let shop: ShopProcesses

beforeEach(() => {
  shop = new ShopProcesses()
})

afterEach(() => shop.end())

const centsOf = (index: number): number => 1_010 + (index % 90)

/** CDNOW lines: full id, sample id, date, units, dollars. */
const writeOrders = (path: string): void => {
  const lines = Array.from({ length: orderCount }, (_, i) => {
    const [customer, day] = [i % 100, String((i % 28) + 1).padStart(2, '0')]
    return ` 0${1_000 + customer} ${customer} 199701${day} 2  ${(centsOf(i) / 100).toFixed(2)}`
  })
  writeFileSync(path, `${lines.join('\n')}\n`)
}

describe.skipIf('skipped' in kafka)('the shop on Kafka 3', () => {
  const bootstrap = 'skipped' in kafka ? '' : kafka.bootstrap
  const on = ['--bootstrap', bootstrap]

  const run = (): ChildProcess => {
    const quick = ['--session-timeout-ms', '3000', '--heartbeat-interval-ms', '300']
    const state = ['--state-dir', join(shop.directory, 'state')]
    const child = shop.millrace('run', 'shop', ...on, ...state, '--port', '0', ...quick)
    void outcome(child)
    return child
  }

  /** What the shop has written of its orders: events, and markers of transactions. */
  const written = async (broker: KafkaBroker): Promise<number> => {
    const topic = orders.name
    const { partitions = 0 } = (await broker.topics.describe([topic])).get(topic) ?? {}
    const offsets = await Promise.all(
      Array.from({ length: partitions }, (_, partition) =>
        broker.topics.offsets({ topic, partition }),
      ),
    )
    return offsets.reduce((sum, { highWatermark }) => sum + Number(highWatermark), 0)
  }

  it('killed in the middle of a load loses and doubles nothing', async () => {
    const broker = await KafkaBroker.open({ bootstrap })
    const first = run()
    const file = join(shop.directory, 'orders.txt')
    writeOrders(file)
    const loading = outcome(
      shop.millrace(
        'load',
        file,
        '--format',
        'cdnow',
        ...on,
        '--exit',
        '-o',
        'json',
        '--rate',
        '100',
      ),
    )
    while ((await written(broker)) < 150) await sleep(20)
    await kill(first)
    const writtenByFirst = await written(broker)
    run()
    const { status, stdout, stderr } = await loading
    expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' })
    const cents = Array.from({ length: orderCount }, (_, index) => centsOf(index))
    expect(JSON.parse(stdout)).toMatchObject({
      orders: orderCount,
      units: orderCount * 2,
      amountMinor: { USD: cents.reduce((sum, value) => sum + value, 0) },
      open: 0,
      duplicates: 0,
      invariants: { violations: [] },
    })
    // it was in the middle
    expect(await written(broker)).toBeGreaterThan(writtenByFirst * 2)
    await broker.close()
  }, 120_000)
})
