/**
 * Goal: whatever call of a commit fails, with or without its effect, nothing is lost or doubled.
 * Method: generation N is held in one of its calls while N+1 is processed over it; then the call
 * fails. Both must be dropped, the tasks reopen, and the outputs are those of one run.
 */

import { describe, expect, test } from 'vitest'
import { BrokerError, type BrokerErrorCode } from '../../src/broker/errors.ts'
import type { FaultOperation } from '../../src/broker/embedded/faults.ts'
import { utf8 } from '../../src/index.ts'
import { hold } from './hold.ts'
import { Site } from './fixture.ts'
import { entries, summing, sumsOf, sumStore } from './summing.ts'

type Case = readonly [FaultOperation, 'before' | 'after', BrokerErrorCode]

const cases: readonly Case[] = (['produce', 'sendOffsets', 'commit'] as const).flatMap(
  (operation): readonly Case[] => [
    [operation, 'before', 'BROKER_UNKNOWN_OUTCOME'],
    [operation, 'after', 'BROKER_UNKNOWN_OUTCOME'],
    [operation, 'before', 'BROKER_UNAVAILABLE'],
    [operation, 'before', 'BROKER_CONCURRENT_TRANSACTIONS'],
    [operation, 'before', 'BROKER_TRANSACTION_TIMED_OUT'],
    [operation, 'before', 'BROKER_PRODUCER_FENCED'],
    [operation, 'before', 'BROKER_UNKNOWN_MEMBER'],
    [operation, 'before', 'BROKER_FENCED'],
  ],
)

test.each(cases)('%s fails %s its effect with %s: exactly once', async (operation, when, code) => {
  const site = await Site.open()
  await site.createTopics([entries, { name: 'sums' }])
  const { application } = await site.start({ topology: summing })
  await site.send(entries, 'k', 1)
  await site.idle()
  const held = hold()
  await site.send(entries, 'k', 10)
  site.faults.control(operation, held.wait, { when })
  await site.until(() => held.isReached)
  await site.send(entries, 'k', 100) // N+1, over N
  await site.until(() => application.metrics().counters.recordsProcessed === 3)
  held.release(new BrokerError(code, 'injected'))
  await site.until(() => application.metrics().reopenings > 0)
  await site.send(entries, 'k', 1_000)
  await site.idle()
  expect(application.metrics().reopenings).toBe(1)
  expect(await sumsOf(site)).toEqual([1, 11, 111, 1_111])
  expect(application.query(sumStore).get('k')).toBe(1_111)
  // a commit whose outcome was unknown, but which was done, is not repeated; anything else is
  const repeated = operation === 'commit' && when === 'after' ? 1 : 2
  expect(application.metrics().counters.recordsProcessed).toBe(4 + repeated)
  // what the closed tasks had cached is given back, and what was counted is kept
  const { cachedRows, cachedBytes, counters } = application.storeMetrics().get(sumStore.name)!
  expect(cachedRows).toBe(1)
  expect(application.slotCache().bytes).toBe(cachedBytes)
  expect(counters.puts).toBe(4 + repeated)
})

test('a dead letter is counted when it is committed, and once', async () => {
  const site = await Site.open()
  await site.createTopics([entries, { name: 'sums' }])
  const { application } = await site.start({ topology: summing })
  const held = hold()
  site.faults.control('commit', held.wait, { when: 'before' })
  await site.send({ ...entries, value: utf8 }, 'k', 'no JSON')
  await site.until(() => held.isReached)
  expect(application.metrics().counters).toMatchObject({ recordsProcessed: 1, deadLetters: 0 })
  held.release(new BrokerError('BROKER_PRODUCER_FENCED', 'injected'))
  await site.until(() => application.metrics().reopenings > 0)
  await site.idle()
  expect(application.metrics().counters).toMatchObject({ recordsProcessed: 2, deadLetters: 1 })
})

describe('while it lasts', () => {
  test('both generations of every task are dropped: a query sees neither', async () => {
    const site = await Site.open()
    await site.createTopics([entries, { name: 'sums' }], 2)
    const { application } = await site.start({ topology: summing })
    for (const key of ['a', 'b', 'c', 'd']) await site.send(entries, key, 1)
    await site.idle()
    const held = hold()
    await site.send(entries, 'a', 10)
    site.faults.control('produce', held.wait)
    await site.until(() => held.isReached)
    for (const key of ['b', 'c', 'd']) await site.send(entries, key, 100)
    await site.until(() => application.metrics().counters.recordsProcessed === 8)
    const reopening = hold()
    site.faults.control('committedOffsets', async () => {
      for (const key of ['a', 'b', 'c', 'd']) expect(await sumsOf(site, key)).toEqual([1])
      await reopening.wait()
    })
    held.release(new BrokerError('BROKER_UNKNOWN_OUTCOME', 'injected'))
    await site.until(() => reopening.isReached)
    expect(() => application.query(sumStore).get('a')).toThrow('ask again')
    reopening.release()
    await site.idle()
    for (const [key, sum] of [
      ['a', 11],
      ['b', 101],
      ['c', 101],
      ['d', 101],
    ] as const) {
      expect(await sumsOf(site, key)).toEqual([1, sum])
      expect(application.query(sumStore).get(key)).toBe(sum)
    }
  })

  test('a new producer is made, and nothing is sent by the old one', async () => {
    const site = await Site.open()
    await site.createTopics([entries, { name: 'sums' }])
    const { application, calls } = await site.start({ topology: summing })
    await site.idle()
    calls.length = 0
    site.faults.control('commit', () => {
      throw new BrokerError('BROKER_UNKNOWN_OUTCOME', 'lost')
    })
    await site.send(entries, 'k', 1)
    await site.until(() => application.metrics().reopenings === 1)
    await site.idle()
    const inTransaction = ['begin', 'produce', 'sendOffsets', 'commit', 'abort', 'init']
    expect(calls.map(({ name }) => name).filter((name) => inTransaction.includes(name))).toEqual([
      'begin',
      'produce',
      'sendOffsets',
      'commit',
      'init',
      'begin',
      'produce',
      'sendOffsets',
      'commit',
    ])
  })
})

test('many failures in a row are waited out with a growing pause, then it goes on', async () => {
  const site = await Site.open()
  await site.createTopics([entries, { name: 'sums' }])
  const { application, calls } = await site.start({ topology: summing })
  await site.idle()
  calls.length = 0
  for (let i = 0; i < 5; i++) {
    site.faults.control('commit', () => {
      throw new BrokerError('BROKER_UNAVAILABLE', 'down')
    })
  }
  await site.send(entries, 'k', 1)
  await site.until(() => application.metrics().reopenings === 5)
  await site.idle()
  const atMs = calls.filter(({ name }) => name === 'commit').map((call) => call.atMs)
  const pausesMs = atMs.slice(1).map((time, index) => time - atMs[index]!)
  expect(pausesMs).toHaveLength(5)
  expect(pausesMs.slice(1).every((pause, index) => pause > pausesMs[index]!)).toBe(true)
  expect(await sumsOf(site)).toEqual([1])
})
