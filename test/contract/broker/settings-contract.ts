/** Topics under administration: what they are set to, settings changed, partitions added. */

import { describe, expect, it } from 'vitest'
import type { CurrentCluster } from './harness.ts'
import { batchOf, codeOf } from './probe.ts'

export const settingsContract = (current: CurrentCluster): void => {
  settings(current)
  partitions(current)
}

const settings = (current: CurrentCluster): void =>
  void describe('topic settings', () => {
    it('tells what was asked for, and the default of what was not', async () => {
      const { broker, probe } = current()
      const name = await probe.create(current().name('orders'), 1, {
        retentionMs: 60_000,
        compression: 'lz4',
      })
      const missing = current().name('missing')
      const found = await broker.topics.settings([name, missing])
      expect([...found]).toEqual([
        [
          name,
          {
            cleanupPolicy: 'delete',
            retentionMs: 60_000,
            maxMessageBytes: 1_048_588,
            deleteRetentionMs: 86_400_000,
            minInsyncReplicas: 1,
            compression: 'lz4',
          },
        ],
      ])
    })

    it('changes what is given and leaves the rest', async () => {
      const { broker, probe } = current()
      const name = await probe.create(current().name('orders'), 1, { retentionMs: 60_000 })
      const { topicId } = (await broker.topics.describe([name])).get(name)!
      const config = { cleanupPolicy: 'compact', maxMessageBytes: 2_000 } as const
      await broker.topics.changeSettings([{ name, config }])
      await broker.topics.changeSettings([{ name, config }])
      expect((await broker.topics.settings([name])).get(name)).toMatchObject({
        ...config,
        retentionMs: 60_000,
      })
      expect((await broker.topics.describe([name])).get(name)!.topicId).toBe(topicId)
    })

    it('a changed limit holds for the next record', async () => {
      const { broker, probe } = current()
      const name = await probe.create(current().name('orders'))
      const producer = broker.producer('test')
      const large = 'x'.repeat(5_000)
      await producer.send([batchOf(name, 0, large)])
      await broker.topics.changeSettings([{ name, config: { maxMessageBytes: 1_000 } }])
      const sent = producer.send([batchOf(name, 0, large)])
      expect(await codeOf(sent)).toBe('BROKER_RECORD_TOO_LARGE')
      await broker.topics.changeSettings([{ name, config: { maxMessageBytes: 100_000 } }])
      await producer.send([batchOf(name, 0, large)])
      expect(await probe.values(name)).toEqual([large, large])
    })

    it('refuses a value that is not possible, and an unknown topic', async () => {
      const { broker, probe } = current()
      const name = await probe.create(current().name('orders'))
      const bad = broker.topics.changeSettings([{ name, config: { maxMessageBytes: -5 } }])
      expect(await codeOf(bad)).toBe('BROKER_INVALID_REQUEST')
      expect((await broker.topics.settings([name])).get(name)!.maxMessageBytes).toBe(1_048_588)
      const missing = { name: current().name('missing'), config: { retentionMs: 1 } }
      const unknown = broker.topics.changeSettings([missing])
      expect(await codeOf(unknown)).toBe('BROKER_UNKNOWN_TOPIC')
    })
  })

const partitions = (current: CurrentCluster): void =>
  void describe('partitions added', () => {
    it('are empty, take records, and leave the others as they are', async () => {
      const { broker, probe } = current()
      const name = await probe.create(current().name('orders'), 2)
      const producer = broker.producer('test')
      await producer.send([batchOf(name, 1, 'old')])
      await broker.topics.raisePartitions(name, 4)
      await broker.topics.raisePartitions(name, 4)
      expect((await broker.topics.describe([name])).get(name)!.partitions).toBe(4)
      await producer.send([batchOf(name, 3, 'new')])
      const of = async (partition: number) =>
        (await probe.read(name, 'read_committed', { partition })).map(({ value }) => value)
      expect([await of(0), await of(1), await of(2), await of(3)]).toEqual([
        [],
        ['old'],
        [],
        ['new'],
      ])
    })

    it('are never taken away', async () => {
      const { broker, probe } = current()
      const name = await probe.create(current().name('orders'), 2)
      expect(await codeOf(broker.topics.raisePartitions(name, 1))).toBe('BROKER_INVALID_REQUEST')
      const missing = broker.topics.raisePartitions(current().name('missing'), 2)
      expect(await codeOf(missing)).toBe('BROKER_UNKNOWN_TOPIC')
    })

    it('says how many replicas there may be', async () => {
      expect(await current().broker.topics.replicasMax()).toBeGreaterThanOrEqual(1)
    })
  })
