/** Transactions: what readers see of them, and where they hold readers back. */

import { describe, expect, it } from 'vitest'
import { Prng } from '../../../src/testing/prng.ts'
import type { CurrentCluster } from './harness.ts'
import { batchOf, codeOf, eventually } from './probe.ts'

export const transactionContract = (current: CurrentCluster): void => {
  visibility(current)
  interleaved(current)
  callOrder(current)
}

const visibility = (current: CurrentCluster): void =>
  void describe('transaction', () => {
    it('is invisible until it is committed, in all partitions', async () => {
      const { broker, probe } = current()
      const topic = await probe.create(current().name('orders'), 2)
      const producer = await probe.transactional(current().name('tx'))
      producer.begin()
      await producer.produce([batchOf(topic, 0, 'a'), batchOf(topic, 1, 'b')])
      expect(await probe.values(topic)).toEqual([])
      expect(await probe.values(topic, 'read_uncommitted')).toEqual(['a'])
      expect(await broker.topics.offsets({ topic, partition: 0 })).toMatchObject({
        lastStableOffset: 0n,
        highWatermark: 1n,
      })
      await producer.commit()
      expect(await probe.settledValues(topic)).toEqual(['a'])
      await probe.settled(topic, 1)
      expect(await probe.read(topic, 'read_committed', { partition: 1 })).toHaveLength(1)
    })

    it('is skipped when it is aborted', async () => {
      const { probe } = current()
      const topic = await probe.create(current().name('orders'))
      const producer = await probe.transactional(current().name('tx'))
      producer.begin()
      await producer.produce([batchOf(topic, 0, 'a', 'b')])
      await producer.abort()
      expect(await probe.settledValues(topic)).toEqual([])
      expect(await probe.values(topic, 'read_uncommitted')).toEqual(['a', 'b'])
    })

    it('ends with a marker that takes an offset', async () => {
      const { broker, probe } = current()
      const topic = await probe.create(current().name('orders'))
      const producer = await probe.transactional(current().name('tx'))
      for (const value of ['a', 'b']) {
        producer.begin()
        await producer.produce([batchOf(topic, 0, value)])
        await producer.commit()
      }
      await probe.settled(topic)
      expect((await probe.read(topic)).map(({ offset }) => offset)).toEqual([0n, 2n])
      const offsets = await broker.topics.offsets({ topic, partition: 0 })
      expect(offsets.highWatermark).toBe(4n)
      const [behind] = await broker
        .fetcher('test')
        .fetch([{ topic, partition: 0, offset: 3n, maxBytes: 1000 }], {
          isolation: 'read_committed',
          maxWaitMs: 1000,
        })
      expect(behind).toMatchObject({ records: [], nextOffset: 4n })
    })

    it('holds readers back at the first offset of the oldest open one', async () => {
      const { broker, probe } = current()
      const topic = await probe.create(current().name('orders'))
      const older = await probe.transactional(current().name('older'))
      const newer = await probe.transactional(current().name('newer'))
      await broker.producer('test').send([batchOf(topic, 0, 'before')])
      older.begin()
      await older.produce([batchOf(topic, 0, 'old')])
      newer.begin()
      await newer.produce([batchOf(topic, 0, 'new')])
      await newer.commit()
      expect(await probe.values(topic)).toEqual(['before'])
      const offsets = await broker.topics.offsets({ topic, partition: 0 })
      expect(offsets.lastStableOffset).toBe(1n)
      await older.abort()
      expect(await probe.settledValues(topic)).toEqual(['before', 'new'])
    })

    it('a waiting read_committed fetch answers when the transaction ends', async () => {
      const { broker, probe } = current()
      const topic = await probe.create(current().name('orders'))
      const producer = await probe.transactional(current().name('tx'))
      producer.begin()
      await producer.produce([batchOf(topic, 0, 'a')])
      const fetcher = broker.fetcher('test')
      const ask = (maxWaitMs: number) =>
        fetcher.fetch([{ topic, partition: 0, offset: 0n, maxBytes: 1000 }], {
          isolation: 'read_committed',
          maxWaitMs,
        })
      await ask(0)
      const waiting = ask(60_000)
      await producer.commit()
      let [batch] = await waiting
      await eventually(async () => {
        if (batch!.records.length === 0) [batch] = await ask(100)
        expect(batch!.records).toHaveLength(1)
      })
      // on Kafka the marker may become readable a moment after the records
      expect([1n, 2n]).toContain(batch!.nextOffset)
    })
  })

const interleaved = (current: CurrentCluster): void =>
  void describe('interleaving', () => {
    /**
     * Goal: no aborted record is read, no committed one is lost, whatever ranges interleave.
     * Method: three producers write to one partition in random order, each ending its transaction
     * by commit or abort at random; the model is the list of committed values in log order.
     */
    it.each([1, 2, 3])('of three producers are filtered exactly, seed %i', async (seed) => {
      const { probe } = current()
      const prng = new Prng(seed)
      const topic = await probe.create(current().name('orders'))
      const producers = await Promise.all(
        ['a', 'b', 'c'].map((name) => probe.transactional(current().name(name))),
      )
      const open = producers.map(() => [] as string[])
      const committed = new Set<string>()
      for (let step = 0; step < 240; step++) {
        const index = prng.int(producers.length)
        const producer = producers[index]!
        if (open[index]!.length === 0) producer.begin()
        if (open[index]!.length > 0 && prng.chance(0.4)) {
          const commits = prng.chance(0.4)
          await (commits ? producer.commit() : producer.abort())
          if (commits) for (const value of open[index]!) committed.add(value)
          open[index] = []
        } else {
          const values = Array.from({ length: 1 + prng.int(3) }, (_, i) => `${step}.${i}`)
          await producer.produce([batchOf(topic, 0, ...values)])
          open[index]!.push(...values)
        }
      }
      for (const [index, values] of open.entries()) {
        if (values.length > 0) await producers[index]!.abort()
      }
      await probe.settled(topic)
      const all = await probe.values(topic, 'read_uncommitted')
      const expected = all.filter((value) => committed.has(value!))
      expect(await probe.values(topic)).toEqual(expected)
      expect(expected.length).toBe(committed.size)
      const small = await probe.read(topic, 'read_committed', { maxBytes: 30 })
      expect(small.map(({ value }) => value)).toEqual(expected)
    })
  })

const callOrder = (current: CurrentCluster): void =>
  void describe('order of calls', () => {
    it('a transaction without anything sent may be committed and writes nothing', async () => {
      const { probe } = current()
      const topic = await probe.create(current().name('orders'))
      const producer = await probe.transactional(current().name('tx'))
      producer.begin()
      await producer.commit()
      producer.begin()
      await producer.abort()
      producer.begin()
      await producer.produce([batchOf(topic, 0, 'a')])
      await producer.commit()
      expect(await probe.settledValues(topic)).toEqual(['a'])
    })

    it('the next transaction may begin as soon as commit has answered', async () => {
      const { probe } = current()
      const topic = await probe.create(current().name('orders'))
      const producer = await probe.transactional(current().name('tx'))
      const values = Array.from({ length: 30 }, (_, index) => `value-${index}`)
      for (const [index, value] of values.entries()) {
        producer.begin()
        await producer.produce([batchOf(topic, 0, value)])
        await (index % 3 === 0 ? producer.abort() : producer.commit())
      }
      expect(await probe.settledValues(topic)).toEqual(values.filter((_, index) => index % 3 !== 0))
    })

    it('calls out of order are bugs of the caller', async () => {
      const { broker, probe } = current()
      const topic = await probe.create(current().name('orders'))
      const raw = broker.transactionalProducer({ transactionalId: current().name('raw') })
      expect(await codeOf(raw.produce([batchOf(topic, 0, 'a')]))).toBe('BROKER_INVALID_REQUEST')
      const producer = await probe.transactional(current().name('tx'))
      expect(await codeOf(producer.commit())).toBe('BROKER_INVALID_REQUEST')
      producer.begin()
      expect(() => producer.begin()).toThrow('open')
      await producer.close()
      expect(await codeOf(producer.commit())).toBe('BROKER_CLOSED')
    })
  })
