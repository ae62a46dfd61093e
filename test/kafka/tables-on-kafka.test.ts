/**
 * Goal: what tables need of a broker beyond other operators holds on a real Kafka: the two internal
 * topics of a foreign-key join, partitioned unlike each other, and a topic read whole.
 */

import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { MemoryDisk } from '../../state/memory/memory-disk.ts'
import { MemoryEngine } from '../../state/memory/memory-engine.ts'
import { KafkaBroker } from '../../src/broker/kafka/kafka-broker.ts'
import { partitionOf } from '../../src/broker/partitioner.ts'
import { noHeaders } from '../../src/record.ts'
import {
  Application,
  foreignKeyStore,
  globalTable,
  joinGlobal,
  joinTablesByForeignKey,
  json,
  nullable,
  stream,
  table,
  tableStore,
  to,
  topic,
  type Topic,
  type Topology,
  topology,
  toStream,
  utf8,
} from '../../src/index.ts'
import { readTopic } from '../simulation/topics.ts'
import { realKafka } from './real-kafka.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const kafka = await realKafka()

describe.skipIf('skipped' in kafka)('tables on Kafka', () => {
  const bootstrap = 'skipped' in kafka ? '' : kafka.bootstrap
  let broker: KafkaBroker

  beforeAll(async () => {
    broker = await KafkaBroker.open({ bootstrap })
  })
  afterAll(() => broker.close())

  const create = async (name: string, partitions: number): Promise<void> => {
    const config = { cleanupPolicy: 'delete', retentionMs: -1 } as const
    await broker.topics.create([{ name, partitions, config }])
  }

  const send = async <V>(
    to: Topic<string, V>,
    partitions: number,
    rows: [string, V | undefined][],
  ) => {
    const producer = broker.producer('loader')
    for (const [key, value] of rows) {
      const bytes = to.key.encode(key)
      const record = {
        key: bytes,
        value: value === undefined ? null : to.value.encode(value),
        timestampMs: Date.now(),
        headers: noHeaders,
      }
      const partition = partitionOf(bytes, partitions)
      await producer.send([{ topic: to.name, partition, records: [record] }])
    }
    await producer.close()
  }

  const launch = async (running: Topology): Promise<Application> => {
    const application = new Application({
      applicationId: `tables-${randomUUID()}`,
      topology: running,
      broker,
      engine: MemoryEngine.create(new MemoryDisk()),
    })
    await application.start()
    return application
  }

  it('a foreign-key join follows both sides', async () => {
    const id = randomUUID()
    const orders = topic(`orders-${id}`, { key: utf8, value: utf8 })
    const customers = topic(`customers-${id}`, { key: utf8, value: utf8 })
    const named = topic(`named-${id}`, { key: utf8, value: nullable(utf8) })
    await create(orders.name, 3)
    await create(customers.name, 2)
    await create(named.name, 3)
    const orderRows = tableStore('order-rows', { key: utf8, value: utf8 })
    const customerRows = tableStore('customer-rows', customers)
    const by = foreignKeyStore('order-customer', { left: orderRows, right: customerRows })
    const application = await launch(
      topology('naming', () => {
        const lefts = table(orders, orderRows)
        const rights = table(customers, customerRows)
        const on = { by, keyOf: (customer: string) => customer }
        const joined = joinTablesByForeignKey(lefts, rights, on, (a, b) => `${a} ${b}`)
        return [toStream(joined).pipe(to(named))]
      }),
    )
    const last = async (): Promise<Record<string, string | undefined>> =>
      Object.fromEntries((await readTopic(broker, named)).map(({ key, value }) => [key, value]))
    await send(customers, 2, [
      ['c1', 'Ann'],
      ['c2', 'Bob'],
    ])
    await send(orders, 3, [
      ['o1', 'c1'],
      ['o2', 'c2'],
      ['o3', 'c1'],
      ['o4', 'c9'],
    ])
    await vi.waitFor(
      async () => expect(await last()).toEqual({ o1: 'c1 Ann', o2: 'c2 Bob', o3: 'c1 Ann' }),
      { timeout: 20_000, interval: 100 },
    )
    await send(customers, 2, [['c1', 'Anna']])
    await send(orders, 3, [['o2', undefined]])
    await vi.waitFor(
      async () => expect(await last()).toEqual({ o1: 'c1 Anna', o2: undefined, o3: 'c1 Anna' }),
      { timeout: 20_000, interval: 100 },
    )
    await application.close()
  })

  it('a global table is whole before the first record, and is followed', async () => {
    const id = randomUUID()
    const payments = topic(`payments-${id}`, { key: utf8, value: utf8 })
    const rates = topic(`rates-${id}`, { key: utf8, value: json<number>() })
    const joined = topic(`joined-${id}`, { key: utf8, value: utf8 })
    await create(payments.name, 2)
    await create(rates.name, 3)
    await create(joined.name, 1)
    const currencies = ['usd', 'gbp', 'chf', 'sek', 'jpy']
    await send(
      rates,
      3,
      currencies.map((currency, i): [string, number] => [currency, i]),
    )
    await send(
      payments,
      2,
      currencies.map((currency): [string, string] => [`p-${currency}`, currency]),
    )
    const application = await launch(
      topology('converting', () => [
        stream(payments).pipe(
          joinGlobal(
            globalTable(rates),
            (currency) => currency,
            (currency, rate) => `${currency} ${rate}`,
          ),
          to(joined),
        ),
      ]),
    )
    const values = async (): Promise<string[]> =>
      (await readTopic(broker, joined)).map(({ value }) => value).toSorted()
    const expected = currencies.map((currency, i) => `${currency} ${i}`).toSorted()
    await vi.waitFor(async () => expect(await values()).toEqual(expected), {
      timeout: 20_000,
      interval: 100,
    })
    await send(rates, 3, [['usd', 77]])
    await vi.waitFor(
      async () => {
        await send(payments, 2, [['again', 'usd']])
        expect(await values()).toContain('usd 77')
      },
      { timeout: 20_000, interval: 300 },
    )
    await application.close()
  })
})
