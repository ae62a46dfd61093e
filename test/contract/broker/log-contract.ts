/** Topics and the log: what is written comes back, and what is refused leaves nothing behind. */

import { describe, expect, it } from 'vitest'
import type { Header } from '../../../src/record.ts'
import type { CurrentCluster } from './harness.ts'
import { batchOf, codeOf, errorOf, recordOf } from './probe.ts'

export const logContract = (current: CurrentCluster): void => {
  topics(current)
  records(current)
  refusals(current)
}

const topics = (current: CurrentCluster): void =>
  void describe('topics', () => {
    it('describes what was created, and only that', async () => {
      const { broker, probe } = current()
      const name = await probe.create(current().name('orders'), 3, { cleanupPolicy: 'compact' })
      const missing = current().name('missing')
      const found = await broker.topics.describe([name, missing])
      expect([...found.keys()]).toEqual([name])
      expect(found.get(name)).toMatchObject({ name, partitions: 3 })
      expect(found.get(name)!.config.cleanupPolicy).toBe('compact')
      expect((await broker.topics.list()).map((topic) => topic.name)).toContain(name)
    })

    it('leaves an existing topic as it is, and refuses another partition count', async () => {
      const { broker, probe } = current()
      const name = await probe.create(current().name('orders'), 2)
      const before = (await broker.topics.describe([name])).get(name)!.topicId
      await probe.create(name, 2)
      expect((await broker.topics.describe([name])).get(name)!.topicId).toBe(before)
      expect(await codeOf(probe.create(name, 4))).toBe('BROKER_INVALID_REQUEST')
    })

    it('gives a topic made again another id and an empty log', async () => {
      const { broker, probe } = current()
      const name = await probe.create(current().name('orders'))
      await broker.producer('test').send([batchOf(name, 0, 'old')])
      const before = (await broker.topics.describe([name])).get(name)!.topicId
      await broker.topics.delete([name])
      expect((await broker.topics.describe([name])).size).toBe(0)
      await probe.create(name)
      expect((await broker.topics.describe([name])).get(name)!.topicId).not.toBe(before)
      expect(await probe.values(name)).toEqual([])
    })

    it('names an unknown topic', async () => {
      const { broker } = current()
      const topic = current().name('missing')
      const { topics: port } = broker
      const send = broker.producer('test').send([batchOf(topic, 0, 'a')])
      expect(await codeOf(send)).toBe('BROKER_UNKNOWN_TOPIC')
      expect(await codeOf(port.offsets({ topic, partition: 0 }))).toBe('BROKER_UNKNOWN_TOPIC')
      expect(await codeOf(port.purge({ topic, partition: 0 }, 0n))).toBe('BROKER_UNKNOWN_TOPIC')
      const fetch = broker
        .fetcher('test')
        .fetch([{ topic, partition: 0, offset: 0n, maxBytes: 1000 }], {
          isolation: 'read_committed',
          maxWaitMs: 0,
        })
      expect(await codeOf(fetch)).toBe('BROKER_UNKNOWN_TOPIC')
    })

    it('keeps one cluster id for all its clients', async () => {
      const { broker, harness } = current()
      expect(await (await harness.broker()).clusterId()).toBe(await broker.clusterId())
    })
  })

const records = (current: CurrentCluster): void =>
  void describe('records', () => {
    it('come back in order, with the offsets of the answer', async () => {
      const { broker, probe } = current()
      const topic = await probe.create(current().name('orders'), 2)
      const producer = broker.producer('test')
      const first = await producer.send([batchOf(topic, 0, 'a', 'b'), batchOf(topic, 1, 'x')])
      const second = await producer.send([batchOf(topic, 0, 'c')])
      expect(
        first.map(({ partition, baseOffset, nextOffset }) => [partition, baseOffset, nextOffset]),
      ).toEqual([
        [0, 0n, 2n],
        [1, 0n, 1n],
      ])
      expect(second[0]).toMatchObject({ baseOffset: 2n, nextOffset: 3n })
      expect((await probe.read(topic)).map(({ offset, value }) => [offset, value])).toEqual([
        [0n, 'a'],
        [1n, 'b'],
        [2n, 'c'],
      ])
      expect((await probe.read(topic, 'read_committed', { partition: 1 }))[0]!.value).toBe('x')
    })

    it('keep the order of calls that were not awaited', async () => {
      const { broker, probe } = current()
      const topic = await probe.create(current().name('orders'))
      const producer = broker.producer('test')
      const values = Array.from({ length: 50 }, (_, index) => `value-${index}`)
      await Promise.all(values.map((value) => producer.send([batchOf(topic, 0, value)])))
      expect(await probe.values(topic)).toEqual(values)
    })

    it('keep keys, values, nulls, empty bytes, headers and timestamps', async () => {
      const { broker, probe } = current()
      const topic = await probe.create(current().name('orders'))
      const headers: Header[] = [
        { key: 'trace', value: Buffer.from([0, 255, 7]) },
        { key: 'naïve ✓', value: null },
        { key: 'trace', value: new Uint8Array(0) },
      ]
      const sent = [
        { ...recordOf('key', 'value', 1_600_000_000_123), headers },
        recordOf(null, 'no key', 0),
        recordOf('tombstone', null, 1_800_000_000_000),
        recordOf('', ''),
      ]
      await broker.producer('test').send([{ topic, partition: 0, records: sent }])
      const [batch] = await broker
        .fetcher('test')
        .fetch([{ topic, partition: 0, offset: 0n, maxBytes: 10_000 }], {
          isolation: 'read_committed',
          maxWaitMs: 1000,
        })
      const plain = (bytes: Uint8Array | null) => (bytes === null ? null : [...bytes])
      expect(
        batch!.records.map((record) => ({
          key: plain(record.key),
          value: plain(record.value),
          timestampMs: record.timestampMs,
          headers: record.headers.map(({ key, value }) => [key, plain(value)]),
        })),
      ).toEqual(
        sent.map((record) => ({
          key: plain(record.key),
          value: plain(record.value),
          timestampMs: record.timestampMs,
          headers: record.headers.map(({ key, value }) => [key, plain(value)]),
        })),
      )
      expect(batch!.sizeBytes).toBeGreaterThan(20)
    })

    it('may be thousands in one call', async () => {
      const { broker, probe } = current()
      const topic = await probe.create(current().name('orders'))
      const values = Array.from({ length: 7000 }, (_, index) => `value-${index}`)
      await broker.producer('test').send([batchOf(topic, 0, ...values)])
      expect(await probe.values(topic)).toEqual(values)
    })
  })

const refusals = (current: CurrentCluster): void =>
  void describe('refused records', () => {
    it('a record too large is named, and nothing of the call is kept', async () => {
      const { broker, probe } = current()
      const topic = await probe.create(current().name('orders'), 1, { maxMessageBytes: 2000 })
      const sent = broker
        .producer('test')
        .send([
          { topic, partition: 0, records: [recordOf('a', 'a'), recordOf('b', 'b'.repeat(3000))] },
        ])
      const error = await errorOf(sent)
      expect(error.code).toBe('BROKER_RECORD_TOO_LARGE')
      expect(error.details).toMatchObject({ topic, partition: 0, recordIndex: 1 })
      expect(await probe.values(topic)).toEqual([])
    })

    it('compaction needs a key, a timestamp is a whole number from 0 up to a bound', async () => {
      const { broker, probe } = current()
      const topic = await probe.create(current().name('table'), 1, { cleanupPolicy: 'compact' })
      const producer = broker.producer('test')
      const badTimes = [-5, 1.5, 2 ** 52, Number.NaN].map((ms) => recordOf('key', 'value', ms))
      for (const bad of [recordOf(null, 'no key'), ...badTimes]) {
        const error = await errorOf(
          producer.send([{ topic, partition: 0, records: [recordOf('good', 'good'), bad] }]),
        )
        expect(error.code).toBe('BROKER_INVALID_RECORD')
        expect(error.details.recordIndex).toBe(1)
      }
      expect(await probe.values(topic)).toEqual([])
    })

    it('in a transaction, leaves only abort; the next transaction works', async () => {
      const { probe } = current()
      const topic = await probe.create(current().name('orders'), 1, { maxMessageBytes: 2000 })
      const producer = await probe.transactional(current().name('tx'))
      producer.begin()
      await producer.produce([batchOf(topic, 0, 'lost')])
      const large = producer.produce([batchOf(topic, 0, 'x'.repeat(3000))])
      expect(await codeOf(large)).toBe('BROKER_RECORD_TOO_LARGE')
      expect(await codeOf(producer.commit())).toBe('BROKER_RECORD_TOO_LARGE')
      await producer.abort()
      producer.begin()
      await producer.produce([batchOf(topic, 0, 'kept')])
      await producer.commit()
      expect(await probe.settledValues(topic)).toEqual(['kept'])
    })
  })
