/**
 * Goal: a global table is whole before the first record meets it, the same on every instance, and
 * holds nothing that was not committed.
 * Method: real instances on the embedded broker, clock moved by hand; rates in three partitions.
 */

import { expect, test } from 'vitest'
import { noHeaders } from '../../src/record.ts'
import {
  globalTable,
  joinGlobal,
  json,
  leftJoinGlobal,
  stream,
  to,
  topic,
  topology,
  utf8,
} from '../../src/index.ts'
import { Site } from './fixture.ts'

interface Payment {
  readonly currency: string
  readonly cents: number
}

const payments = topic('payments', { key: utf8, value: json<Payment>() })
const rates = topic('rates', { key: utf8, value: json<number>() })
const euros = topic('euros', { key: utf8, value: json<number | string>() })
const currencies = ['usd', 'gbp', 'chf', 'sek', 'jpy', 'pln']

const converting = topology('converting', () => {
  const rateOf = globalTable(rates)
  return [
    stream(payments).pipe(
      leftJoinGlobal(
        rateOf,
        ({ currency }) => currency,
        ({ cents, currency }, rate) =>
          rate === undefined ? `no rate of ${currency}` : cents * rate,
      ),
      to(euros),
    ),
  ]
})

const openSite = async (): Promise<Site> => {
  const site = await Site.open()
  await site.createTopics([payments, euros], 2)
  await site.createTopics([rates], 3, { cleanupPolicy: 'compact' })
  return site
}

const pay = (site: Site, count: number): Promise<void[]> =>
  Promise.all(
    currencies.flatMap((currency) =>
      Array.from({ length: count }, (_, i) =>
        site.send(payments, `${currency}-${i}`, { currency, cents: 1 }),
      ),
    ),
  )

test('the first record meets every row, whatever its partition and the instance', async () => {
  const site = await openSite()
  for (const [i, currency] of currencies.entries()) await site.send(rates, currency, i + 1)
  await pay(site, 2)
  await Promise.all(
    ['a', 'b'].map((instanceId) => site.start({ topology: converting, instanceId })),
  )
  await site.idle()
  const got = (await site.values(euros)).toSorted()
  expect(got).toEqual([1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6])
})

test('changes and deletions are followed, and survive a restart', async () => {
  const site = await openSite()
  await site.send(rates, 'usd', 2)
  const instance = await site.start({ topology: converting })
  await site.send(rates, 'usd', 3)
  await site.idle()
  await site.turn(20, 50)
  await site.send(payments, 'p1', { currency: 'usd', cents: 1 })
  await site.idle()
  await site.send(rates, 'usd', undefined)
  await site.turn(20, 50)
  await site.send(payments, 'p1', { currency: 'usd', cents: 1 })
  await site.idle()
  instance.kill()
  await site.start({ topology: converting, disk: instance.disk })
  await site.send(payments, 'p1', { currency: 'usd', cents: 1 })
  await site.idle()
  expect(await site.values(euros)).toEqual([3, 'no rate of usd', 'no rate of usd'])
})

test('rows of an aborted transaction are never seen', async () => {
  const site = await openSite()
  await site.send(rates, 'usd', 2)
  const producer = site.broker.transactionalProducer({ transactionalId: 'other' })
  await producer.init()
  producer.begin()
  const value = rates.value.encode(9)
  const record = { key: Buffer.from('usd'), value, timestampMs: 1, headers: noHeaders }
  for (const partition of [0, 1, 2]) {
    await producer.produce([{ topic: rates.name, partition, records: [record] }])
  }
  await producer.abort()
  await site.start({ topology: converting })
  await site.send(payments, 'p1', { currency: 'usd', cents: 1 })
  await site.idle()
  expect(await site.values(euros)).toEqual([2])
})

test('a value that cannot be decoded leaves the row, or with `fail` the start fails', async () => {
  const site = await openSite()
  await site.send(rates, 'usd', 2)
  await site.sendBytes(rates, Buffer.from('usd'), Buffer.from('{'))
  const strict = { onDeserializationError: 'fail' } as const
  const refused = site.start({ topology: converting, applicationId: 'strict', config: strict })
  await expect(refused).rejects.toMatchObject({ code: 'STREAMS_HANDLER_FAILED' })
  await site.start({ topology: converting })
  await site.send(payments, 'p1', { currency: 'usd', cents: 1 })
  await site.idle()
  expect(await site.values(euros)).toEqual([2])
})

test('a missing topic is named at the start', async () => {
  const site = await Site.open()
  await site.createTopics([payments, euros])
  await expect(site.start({ topology: converting })).rejects.toThrow('missing topics: rates')
})

test('closing while the table is read ends the start', async () => {
  const site = await openSite()
  await site.send(rates, 'usd', 2)
  site.isOut = true
  const { application: app, started } = site.launch({ topology: converting })
  started.catch(() => {})
  await site.turn(5)
  const closed = app.close()
  await site.settled(closed)
  await expect(started).rejects.toMatchObject({ code: 'STREAMS_CLOSED' })
})

test('a topic cannot be both a stream and a global table', () => {
  expect(() =>
    topology('both', () => [
      stream(rates).pipe(
        joinGlobal(
          globalTable(rates),
          () => 'usd',
          (left) => left,
        ),
        to(euros),
      ),
    ]),
  ).toThrow('the topic rates is a global table')
})
