/** Committed offsets: part of the transaction, guarded by the generation, never read unstable. */

import { describe, expect, it } from 'vitest'
import type { CurrentCluster } from './harness.ts'
import { batchOf, codeOf, offsetOf, uncheckedGroup } from './probe.ts'

export const offsetsContract = (current: CurrentCluster): void => {
  inTransactions(current)
  generations(current)
}

const inTransactions = (current: CurrentCluster): void =>
  void describe('offsets sent', () => {
    it('appear with the commit, with their metadata', async () => {
      const { broker, probe } = current()
      const topic = await probe.create(current().name('orders'), 2)
      const groupId = current().name('group')
      const producer = await probe.transactional(current().name('tx'))
      producer.begin()
      await producer.sendOffsets(
        [offsetOf(topic, 0, 5n), { ...offsetOf(topic, 1, 7n), metadata: 'ünïcode ✓' }],
        uncheckedGroup(groupId),
      )
      await producer.commit()
      const found = await broker.groups.committedOffsets(groupId, [
        { topic, partition: 1 },
        { topic, partition: 0 },
      ])
      expect([...found].sort((a, b) => a.partition - b.partition)).toEqual([
        { topic, partition: 0, offset: 5n, metadata: 'at 5' },
        { topic, partition: 1, offset: 7n, metadata: 'ünïcode ✓' },
      ])
    })

    it('are absent where nothing was committed', async () => {
      const { broker, probe } = current()
      const topic = await probe.create(current().name('orders'))
      expect(
        await broker.groups.committedOffsets(current().name('group'), [{ topic, partition: 0 }]),
      ).toEqual([])
    })

    it('do not appear when the transaction is aborted', async () => {
      const { probe } = current()
      const topic = await probe.create(current().name('orders'))
      const groupId = current().name('group')
      const producer = await probe.transactional(current().name('tx'))
      for (const [offset, end] of [
        [3n, 'commit'],
        [9n, 'abort'],
      ] as const) {
        producer.begin()
        await producer.sendOffsets([offsetOf(topic, 0, offset)], uncheckedGroup(groupId))
        await producer[end]()
      }
      expect(await probe.committed(groupId, topic)).toBe(3n)
    })

    it('are read only when the transaction that carries them has ended', async () => {
      const { harness, probe } = current()
      const topic = await probe.create(current().name('orders'))
      const groupId = current().name('group')
      const producer = await probe.transactional(current().name('tx'))
      producer.begin()
      await producer.sendOffsets([offsetOf(topic, 0, 4n)], uncheckedGroup(groupId))
      let isRead = false
      const reading = probe.committed(groupId, topic).finally(() => (isRead = true))
      await harness.passTime(50)
      expect(isRead).toBe(false)
      await producer.commit()
      expect(await reading).toBe(4n)
    })

    it('are never older than the last answered commit', async () => {
      const { probe } = current()
      const topic = await probe.create(current().name('orders'))
      const groupId = current().name('group')
      const producer = await probe.transactional(current().name('tx'))
      for (let offset = 1n; offset <= 20n; offset++) {
        producer.begin()
        await Promise.all([
          producer.produce([batchOf(topic, 0, `${offset}`)]),
          producer.sendOffsets([offsetOf(topic, 0, offset)], uncheckedGroup(groupId)),
        ])
        await producer.commit()
        expect(await probe.committed(groupId, topic)).toBe(offset)
      }
    })

    it('count the last one sent for a partition', async () => {
      const { probe } = current()
      const topic = await probe.create(current().name('orders'))
      const groupId = current().name('group')
      const producer = await probe.transactional(current().name('tx'))
      producer.begin()
      await producer.sendOffsets([offsetOf(topic, 0, 1n)], uncheckedGroup(groupId))
      await producer.sendOffsets([offsetOf(topic, 0, 2n)], uncheckedGroup(groupId))
      await producer.commit()
      expect(await probe.committed(groupId, topic)).toBe(2n)
    })
  })

const generations = (current: CurrentCluster): void =>
  void describe('generations', () => {
    it('a member of the generation may commit, an older generation is fenced', async () => {
      const { broker, probe } = current()
      const topic = await probe.create(current().name('orders'))
      const groupId = current().name('group')
      const joined = await broker.groups.join({
        groupId,
        memberId: '',
        sessionTimeoutMs: 10_000,
        metadata: Buffer.from('m'),
        assign: () => new Map(),
      })
      const producer = await probe.transactional(current().name('tx'))
      producer.begin()
      await producer.sendOffsets([offsetOf(topic, 0, 1n)], joined)
      await producer.commit()
      producer.begin()
      const old = { ...joined, generationId: joined.generationId - 1 }
      expect(await codeOf(producer.sendOffsets([offsetOf(topic, 0, 2n)], old))).toBe(
        'BROKER_FENCED',
      )
      expect(await codeOf(producer.commit())).toBe('BROKER_FENCED')
      await producer.abort()
      expect(await probe.committed(groupId, topic)).toBe(1n)
      await broker.groups.leave(joined)
    })

    it('a member that left is unknown', async () => {
      const { broker, probe } = current()
      const topic = await probe.create(current().name('orders'))
      const groupId = current().name('group')
      const joined = await broker.groups.join({
        groupId,
        memberId: '',
        sessionTimeoutMs: 10_000,
        metadata: Buffer.from('m'),
        assign: () => new Map(),
      })
      await broker.groups.leave(joined)
      const producer = await probe.transactional(current().name('tx'))
      producer.begin()
      const sent = producer.sendOffsets([offsetOf(topic, 0, 1n)], joined)
      expect(await codeOf(sent)).toBe('BROKER_UNKNOWN_MEMBER')
      await producer.abort()
      expect(await probe.committed(groupId, topic)).toBeUndefined()
    })
  })
