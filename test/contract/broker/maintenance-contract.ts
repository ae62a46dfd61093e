/** Retention and compaction: what may go goes, what must stay stays, offsets never change. */

import { describe, expect, it } from 'vitest'
import { Prng } from '../../../src/testing/prng.ts'
import type { CurrentCluster } from './harness.ts'
import { batchOf, recordOf } from './probe.ts'

export const maintenanceContract = (current: CurrentCluster): void => {
  retention(current)
  compaction(current)
}

/** The last batch of a log is never cleaned: one more makes the others eligible. */
const seal = async (current: CurrentCluster, topic: string): Promise<void> => {
  const records = [recordOf('seal', 'seal', current().harness.nowMs())]
  await current()
    .broker.producer('test')
    .send([{ topic, partition: 0, records }])
}

const retention = (current: CurrentCluster): void =>
  void describe('retention', () => {
    it('removes batches whose newest record is older than retentionMs', async () => {
      const { broker, harness, probe } = current()
      const topic = await probe.create(current().name('orders'), 1, { retentionMs: 60_000 })
      const producer = broker.producer('test')
      const nowMs = harness.nowMs()
      for (const [value, ageMs] of [
        ['old', 120_000],
        ['older', 90_000],
        ['young', 1000],
      ] as const) {
        const records = [recordOf(value, value, nowMs - ageMs)]
        await producer.send([{ topic, partition: 0, records }])
      }
      await seal(current, topic)
      await harness.maintain!()
      expect(await probe.values(topic)).toEqual(['young', 'seal'])
      const offsets = await broker.topics.offsets({ topic, partition: 0 })
      expect(offsets).toMatchObject({ logStartOffset: 2n, highWatermark: 4n })
    })

    it('keeps everything with retentionMs −1, and what is not stable yet', async () => {
      const { broker, harness, probe } = current()
      const forever = await probe.create(current().name('forever'), 1, { retentionMs: -1 })
      const open = await probe.create(current().name('open'), 1, { retentionMs: 1000 })
      await broker
        .producer('test')
        .send([{ topic: forever, partition: 0, records: [recordOf('a', 'a', 1)] }])
      const producer = await probe.transactional(current().name('tx'))
      producer.begin()
      await producer.produce([{ topic: open, partition: 0, records: [recordOf('b', 'b', 1)] }])
      await seal(current, forever)
      await seal(current, open)
      await harness.maintain!()
      expect(await probe.values(forever)).toEqual(['a', 'seal'])
      await producer.commit()
      expect(await probe.settledValues(open)).toEqual(['b', 'seal'])
    })
  })

const compaction = (current: CurrentCluster): void =>
  void describe('compaction', () => {
    it('keeps the last record of each key at its offset', async () => {
      const { broker, harness, probe } = current()
      const topic = await probe.create(current().name('table'), 1, { cleanupPolicy: 'compact' })
      const producer = broker.producer('test')
      for (const [key, value] of [
        ['a', '1'],
        ['b', '1'],
        ['a', '2'],
        ['c', '1'],
        ['a', '3'],
      ]) {
        await producer.send([{ topic, partition: 0, records: [recordOf(key!, value!)] }])
      }
      await seal(current, topic)
      await harness.maintain!()
      expect(
        (await probe.read(topic)).map(({ offset, key, value }) => [offset, key, value]),
      ).toEqual([
        [1n, 'b', '1'],
        [3n, 'c', '1'],
        [4n, 'a', '3'],
        [5n, 'seal', 'seal'],
      ])
    })

    it('forgets a tombstone deleteRetentionMs after it was first compacted', async () => {
      const { broker, harness, probe } = current()
      const topic = await probe.create(current().name('table'), 1, {
        cleanupPolicy: 'compact',
        deleteRetentionMs: 10_000,
      })
      const records = [recordOf('a', '1'), recordOf('b', '1'), recordOf('a', null)]
      await broker.producer('test').send([{ topic, partition: 0, records }])
      await seal(current, topic)
      await harness.maintain!()
      const seen = async () => (await probe.read(topic)).map(({ key, value }) => [key, value])
      expect(await seen()).toEqual([
        ['b', '1'],
        ['a', null],
        ['seal', 'seal'],
      ])
      await harness.passTime(11_000)
      await seal(current, topic)
      await harness.maintain!()
      expect(await seen()).toEqual([
        ['b', '1'],
        ['seal', 'seal'],
        ['seal', 'seal'],
      ])
    })

    it('an aborted value never replaces a committed one', async () => {
      const { harness, probe } = current()
      const topic = await probe.create(current().name('table'), 1, { cleanupPolicy: 'compact' })
      const producer = await probe.transactional(current().name('tx'))
      for (const [value, end] of [
        ['1', 'commit'],
        ['2', 'abort'],
      ] as const) {
        producer.begin()
        await producer.produce([{ topic, partition: 0, records: [recordOf('a', value)] }])
        await producer[end]()
      }
      await seal(current, topic)
      await probe.settled(topic)
      await harness.maintain!()
      expect(await probe.values(topic)).toEqual(['1', 'seal'])
    })

    it('a value of an open transaction never replaces a committed one', async () => {
      const { broker, harness, probe } = current()
      const topic = await probe.create(current().name('table'), 1, { cleanupPolicy: 'compact' })
      await broker
        .producer('test')
        .send([{ topic, partition: 0, records: [recordOf('a', '1'), recordOf('a', '2')] }])
      const producer = await probe.transactional(current().name('tx'))
      producer.begin()
      await producer.produce([{ topic, partition: 0, records: [recordOf('a', '3')] }])
      await seal(current, topic)
      await harness.maintain!()
      await producer.abort()
      await probe.settled(topic)
      await harness.maintain!()
      expect(await probe.values(topic)).toEqual(['2', 'seal'])
    })

    /**
     * Goal: compaction never changes what a reader folds from the log.
     * Method: random puts, deletes, aborts and compactions; the fold of the committed log equals a
     * map kept beside it.
     */
    it.each([11, 12])('leaves the fold of the log unchanged, seed %i', async (seed) => {
      const { harness, probe } = current()
      const prng = new Prng(seed)
      const topic = await probe.create(current().name('table'), 1, { cleanupPolicy: 'compact' })
      const producer = await probe.transactional(current().name('tx'))
      const model = new Map<string, string>()
      for (let round = 0; round < 40; round++) {
        const writes = Array.from(
          { length: 1 + prng.int(8) },
          (_, index) =>
            [`k${prng.int(12)}`, prng.chance(0.3) ? null : `${round}.${index}`] as const,
        )
        producer.begin()
        await producer.produce([
          { topic, partition: 0, records: writes.map(([key, value]) => recordOf(key, value)) },
        ])
        const isAborted = prng.chance(0.3)
        await (isAborted ? producer.abort() : producer.commit())
        for (const [key, value] of isAborted ? [] : writes) {
          if (value === null) model.delete(key)
          else model.set(key, value)
        }
        if (prng.chance(0.3)) await harness.maintain!()
      }
      await probe.settled(topic)
      await harness.maintain!()
      const fold = new Map<string, string>()
      for (const { key, value } of await probe.read(topic)) {
        if (value === null) fold.delete(key!)
        else fold.set(key!, value)
      }
      expect(fold).toEqual(model)
    })

    it('purged and compacted logs are read from their start', async () => {
      const { broker, harness, probe } = current()
      const topic = await probe.create(current().name('table'), 1, { cleanupPolicy: 'compact' })
      await broker.producer('test').send([batchOf(topic, 0, 'a', 'b', 'c')])
      await seal(current, topic)
      await harness.maintain!()
      await broker.topics.purge({ topic, partition: 0 }, 2n)
      await harness.maintain!()
      expect(await probe.values(topic)).toEqual(['c', 'seal'])
    })
  })
