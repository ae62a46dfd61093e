/** The long poll: when it answers, how much, and what it refuses. */

import { describe, expect, it } from 'vitest'
import type { Fetcher, FetchRequest, RawBatch } from '../../../src/broker/port.ts'
import type { CurrentCluster } from './harness.ts'
import { batchOf, codeOf, recordOf } from './probe.ts'

const committed = { isolation: 'read_committed' } as const

const requestOf = (topic: string, offset: bigint, maxBytes = 1 << 20): FetchRequest => ({
  topic,
  partition: 0,
  offset,
  maxBytes,
})

const offsetsOf = (batch: RawBatch): bigint[] =>
  batch.records.map(({ offsetDelta }) => batch.baseOffset + BigInt(offsetDelta))

/** Asked once: from now on only news ends its wait. */
const informed = async (fetcher: Fetcher, request: FetchRequest): Promise<Fetcher> => {
  await fetcher.fetch([request], { ...committed, maxWaitMs: 0 })
  return fetcher
}

export const fetchContract = (current: CurrentCluster): void => {
  longPoll(current)
  amounts(current)
  ranges(current)
}

const longPoll = (current: CurrentCluster): void =>
  void describe('long poll', () => {
    it('answers as soon as a record is there', async () => {
      const { broker, probe } = current()
      const topic = await probe.create(current().name('orders'))
      const fetcher = await informed(broker.fetcher('test'), requestOf(topic, 0n))
      const waiting = fetcher.fetch([requestOf(topic, 0n)], { ...committed, maxWaitMs: 60_000 })
      await broker.producer('test').send([batchOf(topic, 0, 'a')])
      const [batch] = await waiting
      expect(batch!.records).toHaveLength(1)
      expect(batch!.nextOffset).toBe(1n)
      expect(batch!.highWatermark).toBe(1n)
    })

    it('answers an empty batch per request after maxWaitMs', async () => {
      const { broker, harness, probe } = current()
      const topic = await probe.create(current().name('orders'))
      const fetcher = await informed(broker.fetcher('test'), requestOf(topic, 0n))
      let isAnswered = false
      const waiting = fetcher
        .fetch([requestOf(topic, 0n)], { ...committed, maxWaitMs: 400 })
        .finally(() => (isAnswered = true))
      await harness.passTime(100)
      expect(isAnswered).toBe(false)
      await harness.passTime(400)
      expect(
        (await waiting).map(({ records, nextOffset }) => [records.length, nextOffset]),
      ).toEqual([[0, 0n]])
    })

    it('wakeUp ends the wait at once', async () => {
      const { broker, probe } = current()
      const topic = await probe.create(current().name('orders'))
      const fetcher = await informed(broker.fetcher('test'), requestOf(topic, 0n))
      const waiting = fetcher.fetch([requestOf(topic, 0n)], { ...committed, maxWaitMs: 60_000 })
      fetcher.wakeUp()
      expect((await waiting)[0]!.records).toEqual([])
      await broker.producer('test').send([batchOf(topic, 0, 'a')])
      const [batch] = await fetcher.fetch([requestOf(topic, 0n)], { ...committed, maxWaitMs: 1000 })
      expect(batch!.records).toHaveLength(1)
    })

    it('allows one fetch at a time, and none after close', async () => {
      const { broker, probe } = current()
      const topic = await probe.create(current().name('orders'))
      const fetcher = await informed(broker.fetcher('test'), requestOf(topic, 0n))
      const waiting = fetcher.fetch([requestOf(topic, 0n)], { ...committed, maxWaitMs: 60_000 })
      const second = fetcher.fetch([requestOf(topic, 0n)], { ...committed, maxWaitMs: 0 })
      expect(await codeOf(second)).toBe('BROKER_INVALID_REQUEST')
      await fetcher.close()
      await waiting.catch(() => {})
      const late = fetcher.fetch([requestOf(topic, 0n)], { ...committed, maxWaitMs: 0 })
      expect(await codeOf(late)).toBe('BROKER_CLOSED')
    })

    it('answers in the order of the requests, whichever has records', async () => {
      const { broker, probe } = current()
      const [left, right] = [current().name('left'), current().name('right')]
      await probe.create(left)
      await probe.create(right)
      await broker.producer('test').send([batchOf(left, 0, 'a')])
      const answer = await broker
        .fetcher('test')
        .fetch([requestOf(right, 0n), requestOf(left, 0n)], { ...committed, maxWaitMs: 1000 })
      expect(answer.map(({ topic, records }) => [topic, records.length])).toEqual([
        [right, 0],
        [left, 1],
      ])
    })
  })

const amounts = (current: CurrentCluster): void =>
  void describe('amount of a fetch', () => {
    it('is one record at least, however small maxBytes', async () => {
      const { broker, probe } = current()
      const topic = await probe.create(current().name('orders'))
      await broker.producer('test').send([batchOf(topic, 0, 'x'.repeat(5000), 'second')])
      const [batch] = await broker
        .fetcher('test')
        .fetch([requestOf(topic, 0n, 10)], { ...committed, maxWaitMs: 1000 })
      expect(batch!.records.length).toBeGreaterThanOrEqual(1)
    })

    it('small fetches give every record once', async () => {
      const { broker, probe } = current()
      const topic = await probe.create(current().name('orders'))
      const producer = broker.producer('test')
      const values = Array.from({ length: 60 }, (_, index) => `${index}`.padStart(100, '.'))
      for (let i = 0; i < values.length; i += 7) {
        await producer.send([batchOf(topic, 0, ...values.slice(i, i + 7))])
      }
      const read = await probe.read(topic, 'read_committed', { maxBytes: 450 })
      expect(read.map(({ value }) => value)).toEqual(values)
    })

    it('starts inside a batch', async () => {
      const { broker, probe } = current()
      const topic = await probe.create(current().name('orders'))
      await broker.producer('test').send([batchOf(topic, 0, 'a', 'b', 'c')])
      await broker.producer('test').send([batchOf(topic, 0, 'd')])
      const [batch] = await broker
        .fetcher('test')
        .fetch([requestOf(topic, 2n)], { ...committed, maxWaitMs: 1000 })
      expect(offsetsOf(batch!)[0]).toBe(2n)
      const values = batch!.records.map(({ value }) => Buffer.from(value!).toString())
      expect(['c', 'd'].slice(0, values.length)).toEqual(values)
    })
  })

const ranges = (current: CurrentCluster): void =>
  void describe('offsets out of range', () => {
    it('behind the end', async () => {
      const { broker, probe } = current()
      const topic = await probe.create(current().name('orders'))
      await broker.producer('test').send([batchOf(topic, 0, 'a')])
      const fetch = broker
        .fetcher('test')
        .fetch([requestOf(topic, 5n)], { ...committed, maxWaitMs: 0 })
      expect(await codeOf(fetch)).toBe('BROKER_OFFSET_OUT_OF_RANGE')
    })

    it('below a purge; at it the rest is read', async () => {
      const { broker, probe } = current()
      const topic = await probe.create(current().name('orders'))
      await broker
        .producer('test')
        .send([
          { topic, partition: 0, records: ['a', 'b', 'c'].map((value) => recordOf(value, value)) },
        ])
      await broker.topics.purge({ topic, partition: 0 }, 2n)
      expect((await broker.topics.offsets({ topic, partition: 0 })).logStartOffset).toBe(2n)
      const fetch = broker
        .fetcher('test')
        .fetch([requestOf(topic, 1n)], { ...committed, maxWaitMs: 0 })
      expect(await codeOf(fetch)).toBe('BROKER_OFFSET_OUT_OF_RANGE')
      expect(await probe.values(topic)).toEqual(['c'])
      const tooFar = broker.topics.purge({ topic, partition: 0 }, 99n)
      expect(await codeOf(tooFar)).toBe('BROKER_OFFSET_OUT_OF_RANGE')
    })
  })
