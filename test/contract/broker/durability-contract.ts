/** What was acknowledged is there after the cluster was killed and started again. */

import { describe, expect, it } from 'vitest'
import type { CurrentCluster } from './harness.ts'
import { batchOf, codeOf, offsetOf, recordOf, uncheckedGroup } from './probe.ts'

export const durabilityContract = (current: CurrentCluster): void => {
  records(current)
  ends(current)
}

const restart = async (current: CurrentCluster): Promise<void> => {
  await current().harness.restart!()
  await current().open()
}

const records = (current: CurrentCluster): void =>
  void describe('after a restart', () => {
    it('topics, records, offsets and the cluster id are as they were', async () => {
      const { probe, broker } = current()
      const topic = await probe.create(current().name('orders'), 2, { retentionMs: 123_456_789 })
      const groupId = current().name('group')
      const [clusterId, described] = [
        await broker.clusterId(),
        (await broker.topics.describe([topic])).get(topic),
      ]
      await broker.producer('test').send([batchOf(topic, 0, 'a', 'b')])
      const producer = await probe.transactional(current().name('tx'))
      producer.begin()
      await producer.produce([batchOf(topic, 0, 'c')])
      await producer.sendOffsets([offsetOf(topic, 0, 3n)], uncheckedGroup(groupId))
      await producer.commit()
      const { leaderEpoch } = await broker.topics.offsets({ topic, partition: 0 })
      await restart(current)
      const { probe: after } = current()
      expect(await after.settledValues(topic)).toEqual(['a', 'b', 'c'])
      expect(await after.committed(groupId, topic)).toBe(3n)
      expect(await after.broker.clusterId()).toBe(clusterId)
      expect((await after.broker.topics.describe([topic])).get(topic)).toEqual(described)
      const offsets = await after.broker.topics.offsets({ topic, partition: 0 })
      expect(offsets.leaderEpoch).toBeGreaterThan(leaderEpoch)
      expect(offsets.highWatermark).toBe(4n)
    })

    it('changed settings and added partitions are as they were', async () => {
      const { probe, broker } = current()
      const topic = await probe.create(current().name('orders'), 2)
      const other = await probe.create(current().name('other'), 2)
      await broker.topics.raisePartitions(topic, 3)
      await broker.topics.raisePartitions(other, 3)
      await broker.topics.raisePartitions(topic, 5)
      await broker.topics.changeSettings([{ name: topic, config: { retentionMs: 77_000 } }])
      await broker
        .producer('test')
        .send([
          batchOf(topic, 0, 'first'),
          batchOf(topic, 2, 'third'),
          batchOf(topic, 4, 'fifth'),
          batchOf(other, 2, 'other'),
        ])
      const described = (await broker.topics.describe([topic])).get(topic)
      await restart(current)
      const { probe: after } = current()
      expect((await after.broker.topics.describe([topic])).get(topic)).toEqual(described)
      expect((await after.broker.topics.settings([topic])).get(topic)!.retentionMs).toBe(77_000)
      const of = async (name: string, partition: number) =>
        (await after.read(name, 'read_committed', { partition })).map(({ value }) => value)
      expect([await of(topic, 0), await of(topic, 2), await of(topic, 4)]).toEqual([
        ['first'],
        ['third'],
        ['fifth'],
      ])
      expect(await of(other, 2)).toEqual(['other'])
      const bad = after.broker.topics.raisePartitions(topic, 4)
      expect(await codeOf(bad)).toBe('BROKER_INVALID_REQUEST')
    })

    it('appending goes on where it ended, also behind a purge of everything', async () => {
      const { probe, broker } = current()
      const topic = await probe.create(current().name('orders'))
      await broker.producer('test').send([batchOf(topic, 0, 'a', 'b')])
      await broker.topics.purge({ topic, partition: 0 }, 2n)
      await current().harness.maintain?.()
      await restart(current)
      const { probe: after } = current()
      const [produced] = await after.broker.producer('test').send([batchOf(topic, 0, 'c')])
      expect(produced!.baseOffset).toBe(2n)
      expect(await after.values(topic)).toEqual(['c'])
    })

    it('members of the last run are unknown', async () => {
      const { broker } = current()
      const joined = await broker.groups.join({
        groupId: current().name('group'),
        memberId: '',
        sessionTimeoutMs: 10_000,
        metadata: Buffer.from('a'),
        assign: () => new Map(),
      })
      await restart(current)
      expect(await codeOf(current().broker.groups.heartbeat(joined))).toBe('BROKER_UNKNOWN_MEMBER')
    })
  })

const ends = (current: CurrentCluster): void =>
  void describe('transactions over a restart', () => {
    it('aborted records stay aborted', async () => {
      const { probe } = current()
      const topic = await probe.create(current().name('orders'))
      const producer = await probe.transactional(current().name('tx'))
      for (const [value, end] of [
        ['a', 'abort'],
        ['b', 'commit'],
        ['c', 'abort'],
      ] as const) {
        producer.begin()
        await producer.produce([batchOf(topic, 0, value)])
        await producer[end]()
      }
      await restart(current)
      expect(await current().probe.settledValues(topic)).toEqual(['b'])
    })

    it('one left open is never visible, and its id can be used again', async () => {
      const { probe } = current()
      const topic = await probe.create(current().name('orders'))
      const id = current().name('tx')
      const groupId = current().name('group')
      const producer = await probe.transactional(id)
      producer.begin()
      await producer.produce([{ topic, partition: 0, records: [recordOf('a', 'lost')] }])
      await producer.sendOffsets([offsetOf(topic, 0, 9n)], uncheckedGroup(groupId))
      await restart(current)
      const { probe: after } = current()
      const heir = await after.transactional(id)
      heir.begin()
      await heir.produce([batchOf(topic, 0, 'kept')])
      await heir.commit()
      expect(await after.settledValues(topic)).toEqual(['kept'])
      expect(await after.committed(groupId, topic)).toBeUndefined()
    })
  })
